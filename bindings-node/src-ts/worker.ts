// The worker: runs workflows and activities in this process.

import { debuglog } from "node:util"

import type { NativeError, NativeWorker } from "../native/native.js"
import type { ActivityTask } from "./activities.js"
import { countOf, millisOf, optionalMillis, optionalText } from "./arguments.js"
import { type Batch, type Notice, openRequest, parseBatch } from "./batches.js"
import { answer } from "./calls.js"
import { Client } from "./client.js"
import { type Codec, wireOf } from "./codecs.js"
import type { LoggerOf, WorkflowContext, WorkflowLogger } from "./context.js"
import type { Activity, Workflow } from "./definitions.js"
import { ClosedError, fromNative, InvalidArgumentError } from "./errors.js"
import { Activities, ActivityHost } from "./host/activities.js"
import { WorkflowHost, Workflows, type WorkflowTask } from "./host/host.js"
import { native } from "./native.js"
import { drainOnSignals } from "./signals.js"
import type { Wire } from "./wire.js"

/** What a worker runs, and how. */
export interface WorkerOptions {
  workflows?: Iterable<Workflow<never, unknown>> | undefined
  activities?: Iterable<Activity<never, unknown>> | undefined
  /** Which component; the default one without. */
  component?: string | undefined
  /** What writes and reads payloads; without, the client's. */
  codec?: Codec | undefined
  /** What `ctx.logger` says things to, for all workflows or for each; it is silent while replaying. Default: the console. */
  logger?: WorkflowLogger | ((ctx: WorkflowContext) => WorkflowLogger) | undefined
  /** How many instances stay in memory between turns; with 0 every turn is a replay. Default: `EVERSTEP_MAX_CACHED`, else 10,000. */
  maxCached?: number | undefined
  /** How many turns are at work at once. Default: 256. */
  workflowSlots?: number | undefined
  /** How many activities are at work at once. Default: 256. */
  activitySlots?: number | undefined
  /** How many milliseconds `close` waits for what is at work. Default: 10,000. */
  shutdownTimeout?: number | undefined
  /** Whether SIGINT and SIGTERM close the worker before they end the process. Default: true. */
  handleSignals?: boolean | undefined
}

const debug = debuglog("everstep")

function tell(notices: readonly Notice[]): void {
  for (const { level, text } of notices) {
    if (level === "info") debug("%s", text)
    else process.emitWarning(text, "EverstepWarning")
  }
}

/** How many tasks a batch has at most. While it runs the event loop does nothing else. */
const MOST_TASKS = 64

/**
 * Runs workflows and activities of a client's component, on the event loop, until it is closed. It keeps the process alive.
 *
 * A workflow or activity that computes for long keeps everything else waiting: move that into a worker thread.
 */
export class Worker implements AsyncDisposable {
  readonly #host: WorkflowHost
  readonly #activities: ActivityHost
  readonly #shutdownTimeout: number
  #native!: NativeWorker
  #open = 2
  #closing: Promise<void> | undefined
  #ended!: () => void
  /** Resolves when the worker has closed. */
  readonly closed: Promise<void> = new Promise((resolve) => {
    this.#ended = resolve
  })

  private constructor(
    workflows: Workflows,
    activities: Activities,
    wire: Wire,
    logger: LoggerOf,
    shutdownTimeout: number,
  ) {
    this.#host = new WorkflowHost(workflows, wire, logger)
    this.#activities = new ActivityHost(activities, wire, (text) => this.#complete(text))
    this.#shutdownTimeout = shutdownTimeout
  }

  /**
   * Opens a worker; resolves when tasks may come. Rejects with `InvalidArgumentError`, `ClosedError`, `StoreLockedError`
   * where another process owns the file, `FailedPreconditionError` where the endpoint has no tasks.
   */
  static async start(client: Client, options: WorkerOptions): Promise<Worker> {
    if (!(client instanceof Client)) throw new InvalidArgumentError("client must be a Client")
    const workflows = new Workflows(options.workflows ?? [])
    const activities = new Activities(options.activities ?? [])
    const wire = options.codec === undefined ? client.wire : wireOf(options.codec)
    const { workflowSlots = 256, activitySlots = 256, shutdownTimeout = 10_000 } = options
    const open = openRequest(workflows, activities, wire, {
      maxCached: cached(options.maxCached),
      workflowSlots: countOf(workflowSlots, "workflowSlots", 1),
      activitySlots: countOf(activitySlots, "activitySlots", 1),
    })
    const worker = new Worker(
      workflows,
      activities,
      wire,
      loggerOf(options.logger),
      millisOf(shutdownTimeout, "shutdownTimeout"),
    )
    const component = optionalText(options.component, "component")
    const take =
      (pull: () => void, run: (text: string) => void) =>
      (text: string | null | undefined): void => {
        if (typeof text !== "string") return worker.#over()
        // A task of the event loop of its own for each batch: the next one is made ready while this one is at work, and would
        // follow at once.
        setImmediate(() => {
          pull()
          run(text)
        })
      }
    const pullWorkflows = (): void => worker.#native.pullWorkflows(MOST_TASKS)
    const pullActivities = (): void => worker.#native.pullActivities(MOST_TASKS)
    worker.#native = await answer((queue) =>
      native.openWorker(
        queue,
        client.native,
        component,
        open,
        take(pullWorkflows, (text) => worker.#turns(text)),
        take(pullActivities, (text) => worker.#tasks(text)),
        warn,
      ),
    )
    if (options.handleSignals ?? true) drainOnSignals(worker)
    pullWorkflows()
    pullActivities()
    return worker
  }

  /** Whether the worker is closed. */
  get isClosed(): boolean {
    return this.#open === 0
  }

  /** Whether tasks may come: always on the embedded engine, on Dapr while the sidecar's stream stands. */
  get isReady(): boolean {
    return this.#closing === undefined && this.#native.isReady()
  }

  /**
   * Resolves when tasks may come; at once on the embedded engine. Without a timeout it waits as long as it takes.
   *
   * Rejects with `OperationTimeoutError`, which says why there is no connection; with `UnauthenticatedError` and its like at once
   * where waiting is of no use; with `ClosedError`, `OperationCancelledError`.
   */
  async waitUntilReady(
    options: { timeout?: number | undefined; signal?: AbortSignal | undefined } = {},
  ): Promise<void> {
    const timeout = optionalMillis(options.timeout, "timeout")
    if (this.#closing !== undefined) throw new ClosedError("the worker is closed; make another one")
    await answer((queue) => this.#native.waitUntilReady(queue, timeout), options.signal)
  }

  /**
   * Takes no more tasks, waits for those at work up to `shutdownTimeout`, and lets go of the process. What did not finish in
   * time is handed out again later, to this program's next run or another worker.
   */
  close(options: { timeout?: number | undefined } = {}): Promise<void> {
    const deadline = options.timeout === undefined ? this.#shutdownTimeout : millisOf(options.timeout, "timeout")
    this.#closing ??= answer((queue) => this.#native.shutdown(queue, deadline)).then(() => {
      this.#activities.close()
      return this.closed
    })
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #turns(text: string): void {
    const { tasks = [], notices } = this.#parse<WorkflowTask>(text)
    if (notices !== undefined) tell(notices)
    if (tasks.length > 0) this.#host.answer(tasks, (answers) => this.#complete(answers))
  }

  #tasks(text: string): void {
    const { tasks = [], cancel = [], notices } = this.#parse<ActivityTask>(text)
    if (notices !== undefined) tell(notices)
    this.#activities.take(tasks, cancel)
  }

  #parse<T extends WorkflowTask | ActivityTask>(text: string): Batch<T> {
    return parseBatch(text, (batch) => this.#native.repoll(batch))
  }

  #complete(text: string): void {
    const error = this.#native.complete(text)
    if (error !== null) warn(error)
  }

  /** One of the two kinds of task has ended. */
  #over(): void {
    this.#open -= 1
    if (this.#open === 0) {
      this.#host.close()
      this.#ended()
    }
  }
}

/** Something was wrong with answers as a whole. The engine hands out again what was not answered. */
function warn(error: NativeError): void {
  process.emitWarning(fromNative(error))
}

function cached(value: number | undefined): number {
  if (value !== undefined) return countOf(value, "maxCached", 0)
  const text = process.env["EVERSTEP_MAX_CACHED"] ?? "10000"
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("EVERSTEP_MAX_CACHED must be a number of at least 0")
  return Number(text)
}

function loggerOf(logger: WorkerOptions["logger"] = console): LoggerOf {
  if (typeof logger === "function") return logger
  const levels = ["debug", "info", "warn", "error"] as const
  if (typeof logger !== "object" || logger === null || levels.some((level) => typeof logger[level] !== "function")) {
    throw new InvalidArgumentError(
      "logger must have debug, info, warn and error, or be a function that gives such a one",
    )
  }
  return () => logger
}
