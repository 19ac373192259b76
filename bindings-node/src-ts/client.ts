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
  defined,
  filterOf,
  optionalMillis,
  optionalText,
  startable,
  startTime,
  textOf,
  textsOf,
} from "./arguments.js"
import { answer } from "./calls.js"
import { wireOf } from "./codecs.js"
import { Workflow } from "./definitions.js"
import { DecodeError, fromNative, InvalidArgumentError } from "./errors.js"
import { WorkflowHandle } from "./handle.js"
import { History, HistoryEvent } from "./history.js"
import { type RuntimeStatus, WorkflowState } from "./models.js"
import { native } from "./native.js"
import type {
  CallArguments,
  CallOptions,
  ClientOptions,
  ListOptions,
  ManyOptions,
  RerunOptions,
  RunOptions,
  StartOptions,
  StateOptions,
  WaitOptions,
} from "./options.js"
import type { StandardSchema } from "./schemas.js"
import type { Wire } from "./wire.js"

/**
 * Starts, looks at and controls workflows of one endpoint.
 *
 * The endpoint is `memory:`, `sqlite:PATH`, `http(s)://host:port`, `grpc(s)://host:port` or `dapr:`; without one, that
 * of `EVERSTEP_ENDPOINT` or Dapr's variables, else a file under `.everstep/`. Opening a file takes a few milliseconds,
 * in which the event loop waits; everything else is asynchronous. Close it, or write `await using`.
 */
export class Client implements AsyncDisposable {
  readonly #native: NativeClient
  readonly #wire: Wire

  /** Throws `InvalidArgumentError`, `FailedPreconditionError`, and what opening the store answers. */
  constructor(endpoint?: string, options: ClientOptions = {}) {
    this.#wire = wireOf(options.codec)
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

  /** @internal */
  get wire(): Wire {
    return this.#wire
  }

  // Starting.

  /**
   * Starts an instance of a workflow, or of the one registered under a name; resolves when the start is durable.
   *
   * Rejects with `InvalidArgumentError`, `AlreadyExistsError` if an instance with the ID runs, `PayloadTooLargeError`.
   */
  startWorkflow<I, O>(workflow: Workflow<I, O>, ...rest: CallArguments<I, StartOptions>): Promise<WorkflowHandle<O>>
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
      input: this.#wire.text(input, "input"),
      instanceId: optionalText(options.instanceId, "instanceId"),
      options: textsOf(options.options, "options"),
      startAt: startTime(options.startAt),
      version,
      tags: textsOf(options.tags, "tags"),
      reuse: optionalText(options.reuse, "reuse"),
    })
    const started = await answer((queue) => this.#native.start(queue, start), options.signal)
    const output = typeof workflow === "string" ? undefined : workflow.output
    return new WorkflowHandle<O>(this, started.instanceId, started.executionId, component, output)
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
    const input = this.#wire.text(options.input, "input")
    const ask = (queue: NativeQueue): NativeReply<NativeStarted> =>
      this.#native.rerun(queue, component, id, event, newId, input)
    const started = await answer(ask, options.signal)
    return new WorkflowHandle<O>(this, started.instanceId, started.executionId, component, undefined)
  }

  /**
   * A handle of an instance that is there already; with an execution ID, of exactly this run. Asks nobody. With the
   * workflow, its output is of that one's type, and read by its schema. Throws `InvalidArgumentError`.
   */
  getHandle<O>(instanceId: string, workflow: Workflow<never, O>, options?: RunOptions): WorkflowHandle<O>
  getHandle<O = unknown>(instanceId: string, options?: RunOptions): WorkflowHandle<O>
  getHandle<O>(
    instanceId: string,
    workflow: Workflow<never, O> | RunOptions = {},
    options: RunOptions = {},
  ): WorkflowHandle<O> {
    const [known, run] = workflow instanceof Workflow ? [workflow, options] : [undefined, workflow]
    const [component, id] = of(instanceId, run)
    return new WorkflowHandle<O>(this, id, optionalText(run.executionId, "executionId"), component, known?.output)
  }

  // Asking.

  /** The state of an instance. Rejects with `NotFoundError`. */
  async getWorkflow(instanceId: string, options: StateOptions = {}): Promise<WorkflowState> {
    const [component, id] = of(instanceId, options)
    const ask = (queue: NativeQueue) => this.#native.get(queue, component, id, options.payloads ?? true)
    return new WorkflowState(await answer(ask, options.signal), this.#wire)
  }

  /** Waits until the first turn of an instance has run. Rejects with `NotFoundError`, `OperationTimeoutError`, `WorkflowStalledError`. */
  async waitForWorkflowStart(instanceId: string, options: WaitOptions = {}): Promise<WorkflowState> {
    const [component, id] = of(instanceId, options)
    const timeout = optionalMillis(options.timeout, "timeout")
    const ask = (queue: NativeQueue) =>
      this.#native.waitForStart(queue, component, id, timeout, options.payloads ?? true)
    return new WorkflowState(await answer(ask, options.signal), this.#wire)
  }

  /** Waits until an instance has ended, in whatever way. Rejects as `waitForWorkflowStart`. */
  async waitForWorkflowCompletion(instanceId: string, options: WaitOptions = {}): Promise<WorkflowState> {
    const [component, id] = of(instanceId, options)
    const timeout = optionalMillis(options.timeout, "timeout")
    const ask = (queue: NativeQueue) =>
      this.#native.waitForCompletion(queue, component, id, timeout, options.payloads ?? true)
    return new WorkflowState(await answer(ask, options.signal), this.#wire)
  }

  /** @internal The output of the instance, or the run, that a handle is of. */
  async resultOf<T>(
    { instanceId, executionId, component }: WorkflowHandle<T>,
    output: StandardSchema<T> | undefined,
    options: { timeout?: number | undefined; signal?: AbortSignal | undefined },
  ): Promise<T> {
    const timeout = optionalMillis(options.timeout, "timeout")
    const ask = (queue: NativeQueue) => this.#native.result(queue, component, instanceId, executionId, timeout)
    const text = await answer(ask, options.signal, this.#wire.reveal)
    try {
      return this.#wire.value(text, output) as T
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      throw new DecodeError(error.message, { instanceId, text: error.text, cause: error.cause })
    }
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
      yield new WorkflowState(change.state, this.#wire)
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
    const [client, wire] = [this.#native, this.#wire]
    return (async function* () {
      let cursor: string | undefined
      do {
        const page = await answer((queue) => client.list(queue, component, filter, cursor, pageSize, payloads), signal)
        for (const state of page.states) yield new WorkflowState(state, wire)
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
      this.#wire,
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
    const data = this.#wire.text(eventData, "eventData")
    await answer((queue) => this.#native.raiseEvent(queue, component, id, name, data), options.signal)
  }

  /** Ends an instance, and its children unless `recursive` is false. Rejects with `NotFoundError`. */
  async terminateWorkflow(
    instanceId: string,
    options: CallOptions & { output?: unknown; recursive?: boolean | undefined } = {},
  ): Promise<void> {
    const [component, id] = of(instanceId, options)
    const output = this.#wire.text(options.output, "output")
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
    const output = this.#wire.text(options.output, "output")
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

function of(
  instanceId: string,
  options: { component?: string | undefined },
): [component: string | undefined, id: string] {
  return [optionalText(options.component, "component"), textOf(instanceId, "instanceId")]
}
