// The client: starts workflows, controls them and asks about them, with the names of Dapr's SDK.

import type { Client } from "../client.js"
import { NotFoundError, OperationCancelledError, OperationTimeoutError, WorkflowStalledError } from "../errors.js"
import type { WorkflowState as EverstepState } from "../models.js"
import type { WaitOptions } from "../options.js"
import { connect, type WorkflowClientOptions } from "./connection.js"
import type { TWorkflow } from "./context.js"
import { Logger } from "./logger.js"
import { nameOf } from "./names.js"
import { WorkflowState } from "./state.js"

/**
 * Starts workflows, controls them and asks about them.
 *
 * `daprHost` and `daprPort` are those of a Dapr sidecar's gRPC API; without them workflows are where an everstep client
 * finds them. Errors are everstep's: `NotFoundError`, `AlreadyExistsError`, `UnavailableError` and so on, all of them
 * `EverstepError`.
 */
export class DaprWorkflowClient {
  readonly #client: Client
  readonly #logger: Logger

  constructor(options: Partial<WorkflowClientOptions> = {}) {
    this.#logger = new Logger("DaprWorkflowClient", options.logger)
    this.#client = connect(options)
  }

  /**
   * Starts a workflow, given as its function or by its registered name; gives its instance ID.
   *
   * The ID of a finished instance is taken over; that of an unfinished one rejects with `AlreadyExistsError`.
   */
  async scheduleNewWorkflow(
    workflow: TWorkflow | string,
    input?: unknown,
    instanceId?: string,
    startAt?: Date,
  ): Promise<string> {
    const started = await this.#client.startWorkflow(nameOf(workflow), input, { instanceId, startAt })
    return started.instanceId
  }

  /** Ends an instance; its children go on. Rejects with `NotFoundError`. */
  async terminateWorkflow(workflowInstanceId: string, output: unknown): Promise<void> {
    await this.#client.terminateWorkflow(workflowInstanceId, { output: output ?? null, recursive: false })
  }

  /** The state of an instance, or undefined if there is none. */
  getWorkflowState(workflowInstanceId: string, getInputsAndOutputs: boolean): Promise<WorkflowState | undefined> {
    return shown(this.#client.getWorkflow(workflowInstanceId, { payloads: Boolean(getInputsAndOutputs ?? true) }))
  }

  /**
   * Waits until the first turn of an instance has run. Gives undefined if there is no such instance, and rejects with
   * `OperationTimeoutError`.
   */
  waitForWorkflowStart(
    workflowInstanceId: string,
    fetchPayloads: boolean = true,
    timeoutInSeconds: number = 60,
  ): Promise<WorkflowState | undefined> {
    const options = { payloads: Boolean(fetchPayloads), timeout: timeoutInSeconds * 1000 }
    return shown(this.#client.waitForWorkflowStart(workflowInstanceId, options))
  }

  /**
   * Waits until an instance has ended, in whatever way. One that is stalled is waited for, and the log says why it is.
   * Otherwise as `waitForWorkflowStart`.
   */
  waitForWorkflowCompletion(
    workflowInstanceId: string,
    fetchPayloads: boolean = true,
    timeoutInSeconds: number = 60,
  ): Promise<WorkflowState | undefined> {
    return shown(
      this.#completion(workflowInstanceId, { payloads: Boolean(fetchPayloads), timeout: timeoutInSeconds * 1000 }),
    )
  }

  async #completion(id: string, options: WaitOptions & { timeout: number }): Promise<EverstepState> {
    const end = Date.now() + options.timeout
    try {
      return await this.#client.waitForWorkflowCompletion(id, options)
    } catch (error) {
      if (!(error instanceof WorkflowStalledError)) throw error
      this.#logger.warn(`${id} is waited for, although it is stalled: ${error.message}`)
    }
    const signal = AbortSignal.timeout(Math.max(end - Date.now(), 0))
    let last: EverstepState | undefined
    try {
      for await (const state of this.#client.watchWorkflow(id, { payloads: options.payloads, signal })) last = state
    } catch (error) {
      if (!(error instanceof OperationCancelledError) || !signal.aborted) throw error
    }
    if (last?.isTerminal === true) return last
    throw new OperationTimeoutError(`the workflow is stalled, and did not end in time: ${last?.reason}`, {
      instanceId: id,
    })
  }

  /** Raises an event to an instance. Rejects with `NotFoundError`. */
  raiseEvent(workflowInstanceId: string, eventName: string, eventPayload?: unknown): Promise<void> {
    return this.#client.raiseWorkflowEvent(workflowInstanceId, eventName, eventPayload ?? null)
  }

  /**
   * Deletes a finished instance, but not its children; tells whether it did. Rejects with `NotFoundError`, and with
   * `FailedPreconditionError` while it is unfinished.
   */
  async purgeWorkflow(workflowInstanceId: string): Promise<boolean> {
    return (await this.#client.purgeWorkflow(workflowInstanceId, { recursive: false })) > 0
  }

  /** Pauses an instance. Rejects with `NotFoundError`. */
  suspendWorkflow(workflowInstanceId: string): Promise<void> {
    return this.#client.pauseWorkflow(workflowInstanceId)
  }

  /** Resumes a paused instance. Rejects with `NotFoundError`. */
  resumeWorkflow(workflowInstanceId: string): Promise<void> {
    return this.#client.resumeWorkflow(workflowInstanceId)
  }

  /** Gives back what the client holds. */
  stop(): Promise<void> {
    return this.#client.close()
  }
}

async function shown(asked: Promise<EverstepState>): Promise<WorkflowState | undefined> {
  try {
    return new WorkflowState(await asked)
  } catch (error) {
    if (error instanceof NotFoundError) return undefined
    throw error
  }
}
