// One instance, or one run of it.

import type { Client } from "./client.js"
import type { History, HistoryEvent } from "./history.js"
import type { WorkflowState } from "./models.js"
import type { RerunOptions, StateOptions, WaitOptions } from "./options.js"
import type { StandardSchema } from "./schemas.js"

/** What a call of a handle may be told. */
export interface HandleOptions {
  /** Gives the call up when it aborts. */
  signal?: AbortSignal | undefined
}

/** An instance. One that a start gave means the run that was started; its output is a `T`. */
export class WorkflowHandle<T = unknown> {
  readonly #client: Client
  readonly #output: StandardSchema<T> | undefined

  /** @internal */
  constructor(
    client: Client,
    /** The instance ID. */
    readonly instanceId: string,
    /** The run's execution ID, where the component gives one. */
    readonly executionId: string | undefined,
    /** The component, unless it is the default one. */
    readonly component: string | undefined,
    output: StandardSchema<T> | undefined,
  ) {
    this.#client = client
    this.#output = output
  }

  /**
   * Waits for the output. Rejects with `WorkflowFailedError`, `WorkflowTerminatedError`, `WorkflowStalledError`,
   * `OperationTimeoutError`, `NotFoundError` (also when another run has taken the instance ID over), `DecodeError`.
   */
  result(options: HandleOptions & { timeout?: number | undefined } = {}): Promise<T> {
    return this.#client.resultOf(this, this.#output, options)
  }

  /** See `Client.getWorkflow`. */
  state(options: Omit<StateOptions, "component"> = {}): Promise<WorkflowState> {
    return this.#client.getWorkflow(this.instanceId, this.#with(options))
  }

  /** See `Client.waitForWorkflowStart`. */
  waitForStart(options: Omit<WaitOptions, "component"> = {}): Promise<WorkflowState> {
    return this.#client.waitForWorkflowStart(this.instanceId, this.#with(options))
  }

  /** See `Client.waitForWorkflowCompletion`. */
  waitForCompletion(options: Omit<WaitOptions, "component"> = {}): Promise<WorkflowState> {
    return this.#client.waitForWorkflowCompletion(this.instanceId, this.#with(options))
  }

  /** See `Client.watchWorkflow`; it watches this run and no other. */
  watch(options: Omit<StateOptions, "component"> = {}): AsyncGenerator<WorkflowState, void> {
    return this.#client.watchWorkflow(this.instanceId, { ...this.#with(options), executionId: this.executionId })
  }

  /** See `Client.getWorkflowHistory`. */
  history(options: HandleOptions & { expand?: number | undefined } = {}): Promise<History> {
    return this.#client.getWorkflowHistory(this.instanceId, this.#with(options))
  }

  /** See `Client.pauseWorkflow`. */
  pause(options: HandleOptions & { reason?: string | undefined } = {}): Promise<void> {
    return this.#client.pauseWorkflow(this.instanceId, this.#with(options))
  }

  /** See `Client.resumeWorkflow`. */
  resume(options: HandleOptions & { reason?: string | undefined } = {}): Promise<void> {
    return this.#client.resumeWorkflow(this.instanceId, this.#with(options))
  }

  /** See `Client.raiseWorkflowEvent`. */
  raiseEvent(eventName: string, eventData?: unknown, options: HandleOptions = {}): Promise<void> {
    return this.#client.raiseWorkflowEvent(this.instanceId, eventName, eventData, this.#with(options))
  }

  /** See `Client.terminateWorkflow`. */
  terminate(options: HandleOptions & { output?: unknown; recursive?: boolean | undefined } = {}): Promise<void> {
    return this.#client.terminateWorkflow(this.instanceId, this.#with(options))
  }

  /** See `Client.purgeWorkflow`. */
  purge(options: HandleOptions & { recursive?: boolean | undefined } = {}): Promise<number> {
    return this.#client.purgeWorkflow(this.instanceId, this.#with(options))
  }

  /** See `Client.rerunWorkflow`. */
  async rerun(
    fromEvent: HistoryEvent | number,
    options: Omit<RerunOptions, "component"> = {},
  ): Promise<WorkflowHandle<T>> {
    const again = await this.#client.rerunWorkflow(this.instanceId, fromEvent, this.#with(options))
    return new WorkflowHandle(this.#client, again.instanceId, again.executionId, this.component, this.#output)
  }

  #with<O extends object>(options: O): O & { component: string | undefined } {
    return { ...options, component: this.component }
  }
}
