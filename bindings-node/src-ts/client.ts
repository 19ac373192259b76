// The client: starts, looks at and controls workflows.

import type {
  NativeChange,
  NativeClient,
  NativeQueue,
  NativeReply,
  NativeStarted,
  NativeStep,
} from "../native/native.js"
import {
  type Criteria,
  countOf,
  filterOf,
  optionalMillis,
  optionalText,
  startTime,
  textOf,
  textsOf,
} from "./arguments.js"
import { answer } from "./calls.js"
import { Activity, Workflow } from "./definitions.js"
import { fromNative, InvalidArgumentError } from "./errors.js"
import { WorkflowHandle } from "./handle.js"
import { History, HistoryEvent } from "./history.js"
import { type RuntimeStatus, WorkflowState } from "./models.js"
import { native } from "./native.js"
import { encode } from "./payload.js"

/** What a client may be told. */
export interface ClientOptions {
  /** More components by name, each with its endpoint. */
  components?: Readonly<Record<string, string>>
  /** How much an acknowledged change survives, on the embedded engine: a power cut, or the end of the process. Default: full. */
  durability?: "full" | "process"
  /** How many milliseconds a call waits for its answer; waits for a workflow have their own timeouts. Default: 60,000. */
  callTimeout?: number
  /** The largest input, output or event, in bytes of encoded text. Default: 4 MiB. */
  maxPayloadBytes?: number
  /** The token that a Dapr sidecar expects; without, that of `DAPR_API_TOKEN`. */
  apiToken?: string
  /** A PEM file of the certificates that a remote endpoint's is checked against; without, the system's. */
  tlsRoots?: string
  /** A PEM file of this client's certificate, where the endpoint asks for one. */
  tlsCertificate?: string
  /** A PEM file of its private key. */
  tlsKey?: string
}

/** What every call may be told. */
export interface CallOptions {
  /** Which component; the default one without. */
  component?: string | undefined
  /** Gives the call up when it aborts: the call rejects as `OperationCancelledError`; what it asked for may still happen. */
  signal?: AbortSignal | undefined
}

/** What a look at an instance may be told. */
export interface StateOptions extends CallOptions {
  /** Whether input, output and the like come with it. Default: true. */
  payloads?: boolean | undefined
}

/** What a wait may be told. */
export interface WaitOptions extends StateOptions {
  /** Milliseconds until it rejects as `OperationTimeoutError`; without, it waits as long as it takes. */
  timeout?: number | undefined
}

/** What a start may be told. */
export interface StartOptions extends CallOptions {
  /** Letters, digits, `_` and `-`, 1 to 64 bytes; made up without. */
  instanceId?: string | undefined
  /** Dapr's options of a workflow component. */
  options?: Readonly<Record<string, string>> | undefined
  /** When it is to begin: a moment, or milliseconds from now. */
  startAt?: Date | number | undefined
  /** Which version, for a workflow given by its name. */
  version?: string | undefined
  /** Labels, which its state shows. */
  tags?: Readonly<Record<string, string>> | undefined
  /** Whether an instance ID whose instance has finished may be used again. Default: finished. */
  reuse?: "finished" | "never" | undefined
}

/** What a rerun may be told. */
export interface RerunOptions extends CallOptions {
  /** The ID of the new instance; made up without. */
  newInstanceId?: string | undefined
  /** Another input for the event that it begins with; without, the event keeps its own. */
  input?: unknown
}

/** What a listing may be told. */
export interface ListOptions extends Criteria {
  /** How many states are asked for at a time, 1 to 1,000. Default: 100. */
  pageSize?: number | undefined
  /** Whether input, output and the like come with each. Default: false. */
  payloads?: boolean | undefined
  signal?: AbortSignal | undefined
}

/** What an operation on many may be told. */
export interface ManyOptions extends Criteria {
  /** Called after each slice with how many were done so far. */
  progress?: ((done: number) => void) | undefined
  signal?: AbortSignal | undefined
}

/** The arguments of a start: a workflow that takes nothing needs no input. */
export type StartArguments<I> = undefined extends I
  ? [input?: I, options?: StartOptions]
  : [I] extends [void]
    ? [input?: undefined, options?: StartOptions]
    : [input: I, options?: StartOptions]

/**
 * Starts, looks at and controls workflows of one endpoint.
 *
 * The endpoint is `memory:`, `sqlite:PATH`, `http(s)://host:port`, `grpc(s)://host:port` or `dapr:`; without one, that
 * of `EVERSTEP_ENDPOINT` or Dapr's variables, else a file under `.everstep/`. Opening a file takes a few milliseconds,
 * in which the event loop waits; everything else is asynchronous. Close it, or write `await using`.
 */
export class Client implements AsyncDisposable {
  readonly #native: NativeClient

  /** Throws `InvalidArgumentError`, `FailedPreconditionError`, and what opening the store answers. */
  constructor(endpoint?: string, options: ClientOptions = {}) {
    if (endpoint !== undefined) textOf(endpoint, "endpoint")
    const components = textsOf(options.components, "components")
    const callTimeoutMs = optionalMillis(options.callTimeout, "callTimeout")
    const { durability, maxPayloadBytes } = options
    if (maxPayloadBytes !== undefined) countOf(maxPayloadBytes, "maxPayloadBytes", 1)
    const opened = native.openClient(
      defined({
        endpoint,
        components,
        durability,
        callTimeoutMs,
        maxPayloadBytes,
        apiToken: optionalText(options.apiToken, "apiToken"),
        tlsRoots: optionalText(options.tlsRoots, "tlsRoots"),
        tlsCertificate: optionalText(options.tlsCertificate, "tlsCertificate"),
        tlsKey: optionalText(options.tlsKey, "tlsKey"),
      }),
    )
    if (opened.client === undefined) throw fromNative(opened.error ?? { code: "internal", message: "no client" })
    this.#native = opened.client
    for (const warning of this.#native.warnings) process.emitWarning(warning, "EverstepWarning")
  }

  /** The endpoint of the default component. */
  get endpoint(): string {
    return this.#native.endpoint
  }

  /** Whether the client is closed. */
  get isClosed(): boolean {
    return this.#native.isClosed
  }

  /** Closes the client. Calls in flight and later ones reject as `ClosedError`; workers of it stop. Twice is once. */
  close(): Promise<void> {
    return answer((queue) => this.#native.close(queue))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** @internal */
  get native(): NativeClient {
    return this.#native
  }

  // Starting.

  /**
   * Starts an instance of a workflow, or of the one registered under a name; resolves when the start is durable.
   *
   * Rejects with `InvalidArgumentError`, `AlreadyExistsError` if an instance with the ID runs, `PayloadTooLargeError`.
   */
  startWorkflow<I, O>(workflow: Workflow<I, O>, ...rest: StartArguments<I>): Promise<WorkflowHandle<O>>
  startWorkflow<O = unknown>(workflow: string, input?: unknown, options?: StartOptions): Promise<WorkflowHandle<O>>
  async startWorkflow<O>(
    workflow: Workflow<never, O> | string,
    input?: unknown,
    options: StartOptions = {},
  ): Promise<WorkflowHandle<O>> {
    const { name, version } = startable(workflow, options.version)
    const component = optionalText(options.component, "component")
    const start = defined({
      component,
      name,
      input: encode(input, "input"),
      instanceId: optionalText(options.instanceId, "instanceId"),
      options: textsOf(options.options, "options"),
      startAt: startTime(options.startAt),
      version,
      tags: textsOf(options.tags, "tags"),
      reuse: optionalText(options.reuse, "reuse"),
    })
    const started = await answer((queue) => this.#native.start(queue, start), options.signal)
    return this.#handle<O>(started, component)
  }

  /**
   * Goes on from an event of a finished instance, in a new one, with the same past and the code of now.
   *
   * `fromEvent` is a `TaskScheduled`, `TimerCreated` or `ChildWorkflowInstanceCreated`, or its ID. Rejects with
   * `NotFoundError`, `FailedPreconditionError`, `InvalidArgumentError`, `AlreadyExistsError`.
   */
  async rerunWorkflow<O = unknown>(
    instanceId: string,
    fromEvent: HistoryEvent | number,
    options: RerunOptions = {},
  ): Promise<WorkflowHandle<O>> {
    const component = optionalText(options.component, "component")
    const event = fromEvent instanceof HistoryEvent ? fromEvent.eventId : fromEvent
    if (!Number.isInteger(event) || event < -(2 ** 31) || event >= 2 ** 31) {
      throw new InvalidArgumentError("fromEvent must be a HistoryEvent, or the ID of an event, which has 32 bits")
    }
    const id = textOf(instanceId, "instanceId")
    const newId = optionalText(options.newInstanceId, "newInstanceId")
    const input = encode(options.input, "input")
    const ask = (queue: NativeQueue): NativeReply<NativeStarted> =>
      this.#native.rerun(queue, component, id, event, newId, input)
    return this.#handle<O>(await answer(ask, options.signal), component)
  }

  /** A handle of an instance that is there already; with an execution ID, of exactly this run. Asks nobody. */
  getHandle<O = unknown>(
    instanceId: string,
    options: { executionId?: string | undefined; component?: string | undefined } = {},
  ): WorkflowHandle<O> {
    const executionId = optionalText(options.executionId, "executionId")
    return new WorkflowHandle<O>(
      this,
      textOf(instanceId, "instanceId"),
      executionId,
      optionalText(options.component, "component"),
    )
  }

  #handle<O>(started: NativeStarted, component: string | undefined): WorkflowHandle<O> {
    return new WorkflowHandle<O>(this, started.instanceId, started.executionId, component)
  }

  // Asking.

  /** The state of an instance. Rejects with `NotFoundError`. */
  async getWorkflow(instanceId: string, options: StateOptions = {}): Promise<WorkflowState> {
    const [component, id] = of(instanceId, options)
    const ask = (queue: NativeQueue) => this.#native.get(queue, component, id, options.payloads ?? true)
    return new WorkflowState(await answer(ask, options.signal))
  }

  /** Waits until the first turn of an instance has run. Rejects with `NotFoundError`, `OperationTimeoutError`, `WorkflowStalledError`. */
  async waitForWorkflowStart(instanceId: string, options: WaitOptions = {}): Promise<WorkflowState> {
    const [component, id] = of(instanceId, options)
    const timeout = optionalMillis(options.timeout, "timeout")
    const ask = (queue: NativeQueue) =>
      this.#native.waitForStart(queue, component, id, timeout, options.payloads ?? true)
    return new WorkflowState(await answer(ask, options.signal))
  }

  /** Waits until an instance has ended, in whatever way. Rejects as `waitForWorkflowStart`. */
  async waitForWorkflowCompletion(instanceId: string, options: WaitOptions = {}): Promise<WorkflowState> {
    const [component, id] = of(instanceId, options)
    const timeout = optionalMillis(options.timeout, "timeout")
    const ask = (queue: NativeQueue) =>
      this.#native.waitForCompletion(queue, component, id, timeout, options.payloads ?? true)
    return new WorkflowState(await answer(ask, options.signal))
  }

  /** @internal The output of an instance, or of one run of it, as text. */
  resultOf(
    instanceId: string,
    executionId: string | undefined,
    component: string | undefined,
    options: { timeout?: number | undefined; signal?: AbortSignal | undefined },
  ): Promise<string | null | undefined> {
    const timeout = optionalMillis(options.timeout, "timeout")
    return answer((queue) => this.#native.result(queue, component, instanceId, executionId, timeout), options.signal)
  }

  /**
   * Gives the state of an instance now and after each change, to the final one. Nothing is polled; who is slow gets the
   * latest state. Rejects with `NotFoundError`.
   */
  watchWorkflow(
    instanceId: string,
    options: StateOptions & { executionId?: string | undefined } = {},
  ): AsyncGenerator<WorkflowState, void> {
    const [component, id] = of(instanceId, options)
    const run = optionalText(options.executionId, "executionId")
    return this.#changes(
      (queue, seen) => this.#native.nextChange(queue, component, id, run, seen, options.payloads ?? true),
      options.signal,
    )
  }

  async *#changes(
    next: (queue: NativeQueue, seen: string | undefined) => NativeReply<NativeChange | undefined>,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<WorkflowState, void> {
    let seen: string | undefined
    for (;;) {
      const change: NativeChange | null | undefined = await answer((queue) => next(queue, seen), signal)
      if (change === undefined || change === null) return
      seen = change.seen
      yield new WorkflowState(change.state)
    }
  }

  /** The instances that match, newest first, page by page as they are read. */
  listWorkflows(options: ListOptions = {}): AsyncGenerator<WorkflowState, void> {
    const component = optionalText(options.component, "component")
    const filter = filterOf(options)
    const { pageSize = 100, payloads = false, signal } = options
    if (!Number.isInteger(pageSize) || pageSize < 1 || pageSize > 1000) {
      throw new InvalidArgumentError("pageSize must be an integer from 1 to 1000")
    }
    const client = this.#native
    return (async function* () {
      let cursor: string | undefined
      do {
        const page = await answer((queue) => client.list(queue, component, filter, cursor, pageSize, payloads), signal)
        for (const state of page.states) yield new WorkflowState(state)
        cursor = page.cursor
      } while (cursor !== undefined)
    })()
  }

  /** How many instances match, by status. Statuses without any are left out. */
  async countWorkflows(
    options: Criteria & { signal?: AbortSignal | undefined } = {},
  ): Promise<Partial<Record<RuntimeStatus, number>>> {
    const component = optionalText(options.component, "component")
    const filter = filterOf(options)
    const found = await answer((queue) => this.#native.count(queue, component, filter), options.signal)
    const counts: Partial<Record<RuntimeStatus, number>> = {}
    for (const { status, count } of found) counts[status as RuntimeStatus] = count
    return counts
  }

  /** The history of an instance, with those of its children down to `expand` levels. Rejects with `NotFoundError`. */
  async getWorkflowHistory(
    instanceId: string,
    options: CallOptions & { expand?: number | undefined } = {},
  ): Promise<History> {
    const [component, id] = of(instanceId, options)
    const depth = countOf(options.expand ?? 0, "expand", 0)
    return new History(
      await answer((queue) => this.#native.history(queue, component, id, depth), options.signal),
      depth,
    )
  }

  // Controlling. Each resolves when the request is durable.

  /** Pauses an instance: it is not given to workers until it is resumed. Rejects with `NotFoundError`. */
  async pauseWorkflow(instanceId: string, options: CallOptions & { reason?: string | undefined } = {}): Promise<void> {
    const [component, id] = of(instanceId, options)
    const reason = optionalText(options.reason, "reason")
    await answer((queue) => this.#native.pause(queue, component, id, reason), options.signal)
  }

  /** Lets a paused instance go on, and tries a stalled one again. Rejects with `NotFoundError`. */
  async resumeWorkflow(instanceId: string, options: CallOptions & { reason?: string | undefined } = {}): Promise<void> {
    const [component, id] = of(instanceId, options)
    const reason = optionalText(options.reason, "reason")
    await answer((queue) => this.#native.resume(queue, component, id, reason), options.signal)
  }

  /** Raises an event to an instance; one that nobody waits for yet is kept. Rejects with `NotFoundError`. */
  async raiseWorkflowEvent(
    instanceId: string,
    eventName: string,
    eventData?: unknown,
    options: CallOptions = {},
  ): Promise<void> {
    const [component, id] = of(instanceId, options)
    const name = textOf(eventName, "eventName")
    const data = encode(eventData, "eventData")
    await answer((queue) => this.#native.raiseEvent(queue, component, id, name, data), options.signal)
  }

  /** Ends an instance, and its children unless `recursive` is false. Rejects with `NotFoundError`. */
  async terminateWorkflow(
    instanceId: string,
    options: CallOptions & { output?: unknown; recursive?: boolean | undefined } = {},
  ): Promise<void> {
    const [component, id] = of(instanceId, options)
    const output = encode(options.output, "output")
    const recursive = options.recursive ?? true
    await answer((queue) => this.#native.terminate(queue, component, id, output, recursive), options.signal)
  }

  /** Deletes a finished instance, and its children unless `recursive` is false; gives how many. Rejects with `NotFoundError`, `FailedPreconditionError`. */
  async purgeWorkflow(
    instanceId: string,
    options: CallOptions & { recursive?: boolean | undefined } = {},
  ): Promise<number> {
    const [component, id] = of(instanceId, options)
    return answer((queue) => this.#native.purge(queue, component, id, options.recursive ?? true), options.signal)
  }

  // Controlling many. Each gives how many it was done to; an error says in `done` how many before it.

  /** Deletes all finished instances that match. */
  purgeWorkflows(options: ManyOptions = {}): Promise<number> {
    return this.#many("purge", options, { recursive: true })
  }

  /** Ends all unfinished instances that match. */
  terminateWorkflows(
    options: ManyOptions & { output?: unknown; recursive?: boolean | undefined } = {},
  ): Promise<number> {
    const output = encode(options.output, "output")
    return this.#many("terminate", options, defined({ output, recursive: options.recursive ?? true }))
  }

  /** Pauses all pending and running instances that match. */
  pauseWorkflows(options: ManyOptions & { reason?: string | undefined } = {}): Promise<number> {
    return this.#many("pause", options, defined({ reason: optionalText(options.reason, "reason"), recursive: true }))
  }

  /** Resumes all suspended instances that match, and tries stalled ones again. */
  resumeWorkflows(options: ManyOptions & { reason?: string | undefined } = {}): Promise<number> {
    return this.#many("resume", options, defined({ reason: optionalText(options.reason, "reason"), recursive: true }))
  }

  async #many(
    action: string,
    options: ManyOptions,
    more: { output?: string; recursive: boolean; reason?: string },
  ): Promise<number> {
    const component = optionalText(options.component, "component")
    const filter = filterOf(options)
    let cursor: string | undefined
    for (;;) {
      const bulk = defined({ component, action, filter, cursor, ...more })
      const step: NativeStep = await answer((queue) => this.#native.bulk(queue, bulk), options.signal)
      options.progress?.(step.done)
      if (step.cursor === undefined) return step.done
      cursor = step.cursor
    }
  }
}

function of(instanceId: string, options: CallOptions): [component: string | undefined, id: string] {
  return [optionalText(options.component, "component"), textOf(instanceId, "instanceId")]
}

function startable(
  workflow: Workflow<never, unknown> | string,
  version: string | undefined,
): { name: string; version: string | undefined } {
  if (typeof workflow === "string")
    return { name: textOf(workflow, "workflow"), version: optionalText(version, "version") }
  if (!(workflow instanceof Workflow)) {
    const what = (workflow as unknown) instanceof Activity ? "an activity" : typeof workflow
    throw new InvalidArgumentError(`only workflows are started: give what workflow() made, or a name; this is ${what}`)
  }
  if (version !== undefined && version !== workflow.version) {
    throw new InvalidArgumentError(
      `the workflow given for ${workflow.name} is not its version ${JSON.stringify(version)}; give that version's, or ` +
        "the workflow's name and version",
    )
  }
  return { name: workflow.name, version: workflow.version }
}

type Defined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>
}

/** The same without what is undefined. */
function defined<T extends object>(values: T): Defined<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>
}
