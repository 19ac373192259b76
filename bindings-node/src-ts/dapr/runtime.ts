// The runtime: registers workflows and activities and runs them.

import type { Client } from "../client.js"
import { type Activity, activity, type Workflow, workflow } from "../definitions.js"
import { FailedPreconditionError, InvalidArgumentError } from "../errors.js"
import { Worker } from "../worker.js"
import { connect, type WorkflowClientOptions } from "./connection.js"
import {
  runWorkflow,
  type TInput,
  type TOutput,
  type TWorkflow,
  type TWorkflowActivity,
  WorkflowActivityContext,
} from "./context.js"
import { Logger } from "./logger.js"
import { nameOf } from "./names.js"

/** How long a start waits for the sidecar. */
const MOST_MILLISECONDS = 30_000

type Definition = Workflow<never, unknown> | Activity<never, unknown>

/**
 * Registers workflows and activities, and runs them between `start` and `stop`.
 *
 * `daprHost` and `daprPort` are those of a Dapr sidecar's gRPC API; without them workflows run where an everstep client
 * finds them. A function may be registered with several runtimes.
 */
export class WorkflowRuntime {
  readonly #options: Partial<WorkflowClientOptions>
  readonly #logger: Logger
  readonly #workflows = new Map<string, Workflow<never, unknown>>()
  readonly #activities = new Map<string, Activity<never, unknown>>()
  #client: Client | undefined
  #workers: Promise<Worker>[] = []

  constructor(options: Partial<WorkflowClientOptions> = {}) {
    this.#options = options
    this.#logger = new Logger("WorkflowRuntime", options.logger)
  }

  /** Registers a workflow by its function's name. Throws `InvalidArgumentError` where it has none, or it is taken. */
  registerWorkflow(workflow: TWorkflow): WorkflowRuntime {
    return this.registerWorkflowWithName(nameOf(workflow), workflow)
  }

  /** Registers a workflow by another name. What is registered while the runtime runs is run too. */
  registerWorkflowWithName(name: string, run: TWorkflow): WorkflowRuntime {
    const made = workflow(name, (context, input: unknown) => runWorkflow(run, context, input))
    this.#register(this.#workflows, made)
    return this
  }

  /** Registers an activity by its function's name. Throws `InvalidArgumentError` where it has none, or it is taken. */
  registerActivity(fn: TWorkflowActivity<TInput, TOutput>): WorkflowRuntime {
    return this.registerActivityWithName(nameOf(fn), fn)
  }

  /** Registers an activity by another name. What is registered while the runtime runs is run too. */
  registerActivityWithName(name: string, fn: TWorkflowActivity<TInput, TOutput>): WorkflowRuntime {
    const made = activity(name, async (input: unknown, context) => {
      try {
        return await fn(new WorkflowActivityContext(context), input)
      } catch (error) {
        this.#logger.warn(`activity ${name} of ${context.instanceId} failed: ${String(error)}`)
        throw error
      }
    })
    this.#register(this.#activities, made)
    return this
  }

  #register<T extends Definition>(known: Map<string, T>, made: T): void {
    if (known.has(made.name)) {
      throw new InvalidArgumentError(
        `${made.kind} ${JSON.stringify(made.name)} is registered already; give it another name`,
      )
    }
    known.set(made.name, made)
    if (this.#client === undefined) return
    const added = made.kind === "workflow" ? this.#run(this.#client, [made], []) : this.#run(this.#client, [], [made])
    added.catch((error: unknown) => this.#logger.error(`${made.kind} ${made.name} cannot be run: ${String(error)}`))
  }

  /**
   * Runs what is registered; resolves when work may come. It keeps the process alive until `stop`. Rejects with
   * `FailedPreconditionError` if it runs already, `OperationTimeoutError` where the sidecar has not taken the worker in
   * 30 seconds, and with what opening a client or a worker gives.
   */
  async start(): Promise<void> {
    if (this.#client !== undefined) throw new FailedPreconditionError("the runtime is running already; stop it first")
    const client = (this.#client = connect(this.#options))
    try {
      await this.#run(client, [...this.#workflows.values()], [...this.#activities.values()])
    } catch (error) {
      await this.stop()
      throw error
    }
    this.#logger.info(`workflows run at ${client.endpoint}`)
  }

  /** Takes no more work, waits for what is at work, and lets go of the process. `start` begins anew. */
  async stop(): Promise<void> {
    const [client, workers] = [this.#client, this.#workers]
    this.#client = undefined
    this.#workers = []
    for (const opened of await Promise.allSettled(workers)) {
      if (opened.status === "fulfilled") await opened.value.close()
    }
    await client?.close()
  }

  #run(client: Client, workflows: Workflow<never, unknown>[], activities: Activity<never, unknown>[]): Promise<void> {
    const opened = Worker.start(client, { workflows, activities })
    this.#workers.push(opened)
    return opened.then((worker) => worker.waitUntilReady({ timeout: MOST_MILLISECONDS }))
  }
}
