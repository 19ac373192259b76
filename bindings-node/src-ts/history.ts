// Histories: the events of an instance, linked with each other, and the diagram of them.

import type { NativeEvent, NativeHistory } from "../native/native.js"
import { countOf } from "./arguments.js"
import { FailedPreconditionError } from "./errors.js"
import { Failure } from "./failure.js"
import { type RuntimeStatus, Timestamp } from "./models.js"
import type { Wire } from "./wire.js"

/** What an event says; what its kind does not have is absent. Payloads stay text, as they are stored. */
export interface EventAttributes {
  readonly sourceAppId?: string
  readonly targetAppId?: string
  readonly targetAppNamespace?: string
  readonly taskId?: number
  readonly name?: string
  readonly version?: string
  readonly input?: string
  readonly result?: string
  readonly failure?: Failure
  readonly status?: RuntimeStatus
  readonly instanceId?: string
  readonly executionId?: string
  readonly firstExecutionId?: string
  readonly parentInstanceId?: string
  readonly parentTaskId?: number
  readonly taskExecutionId?: string
  readonly fireAt?: Timestamp
  readonly origin?: { readonly kind: string; readonly of?: string }
  readonly startAt?: Timestamp
  readonly recursive?: boolean
  readonly reason?: string
  readonly description?: string
  readonly stall?: {
    readonly code: string
    readonly message: string
    readonly stack?: string
    readonly eventIndex: number
  }
  readonly patches?: readonly string[]
  readonly tags?: Readonly<Record<string, string>>
  readonly rerunOf?: string
  readonly retryOf?: string
  readonly traceParent?: string
  readonly traceState?: string
  readonly spanId?: string
  readonly propagation?: string
  readonly call?: number
  readonly detached?: boolean
  readonly attempt?: number
  readonly timeoutMs?: number
  readonly customStatus?: string
  readonly clearsCustomStatus?: boolean
  readonly cancelledTimers?: readonly number[]
  readonly cancelledTasks?: readonly number[]
}

const BEGIN = new Set([
  "TaskScheduled",
  "ChildWorkflowInstanceCreated",
  "TimerCreated",
  "ExecutionStarted",
  "ExecutionSuspended",
])

/** One event of an instance's history. What its kind does not have is `undefined`. */
export class HistoryEvent {
  /** Its ID; -1 for events that answer nothing. */
  readonly eventId: number
  /** Its kind in Dapr's words, for example `TaskScheduled`. */
  readonly type: string
  readonly timestamp: Timestamp | undefined
  /** What the event says. */
  readonly attributes: EventAttributes
  /** Its place in the history, from 0. */
  readonly index: number
  /** The number of the turn that it was written with, from 1. */
  readonly turn: number
  /** The milliseconds between this and its counterpart: of an activity, a child, a timer, a pause, the whole run. */
  readonly duration: number | undefined
  /** What a timer is for: `sleep`, `event_timeout`, `activity_timeout` or `retry`. */
  readonly timerUse: string | undefined
  /** Whether nobody waits any more for this timer or activity. */
  readonly isGivenUp: boolean

  readonly #history: History
  readonly #wire: Wire
  readonly #counterpart: number | undefined
  readonly #firstAttempt: number | undefined
  readonly #serves: number | undefined

  /** @internal */
  constructor(event: NativeEvent, index: number, history: History, wire: Wire) {
    const { failure, fireAt, startAt, ...said } = event.said
    this.eventId = event.eventId
    this.type = event.kind
    this.timestamp = Timestamp.of(event.timestamp)
    this.attributes = {
      ...(said as EventAttributes),
      ...(failure === undefined ? {} : { failure: Failure.fromNative(failure, wire.reveal) as Failure }),
      ...(fireAt === undefined ? {} : { fireAt: new Timestamp(fireAt) }),
      ...(startAt === undefined ? {} : { startAt: new Timestamp(startAt) }),
    }
    this.index = index
    this.turn = event.turn
    this.duration = event.duration === undefined ? undefined : event.duration / 1000
    this.timerUse = event.timerUse
    this.isGivenUp = event.givenUp !== undefined
    this.#history = history
    this.#wire = wire
    this.#counterpart = event.counterpart
    this.#firstAttempt = event.firstAttempt
    this.#serves = event.serves
  }

  /** The name of the workflow, activity, child, timer or event; an answer has that of what it answers. */
  get name(): string | undefined {
    return this.attributes.name
  }

  /** The instance that was started, created or addressed; a child's answer has that of the child. */
  get instanceId(): string | undefined {
    return this.attributes.instanceId
  }

  /** The input as text: of a start, a call, an event; of a pause the reason, of a termination the output. */
  get rawInput(): string | undefined {
    return this.attributes.input
  }

  /** The result as text. */
  get rawResult(): string | undefined {
    return this.attributes.result
  }

  /** The decoded input; text that is no payload stays text. */
  get input(): unknown {
    return decodedOrText(this.#wire, this.rawInput)
  }

  /** The decoded result; text that is no payload stays text. */
  get result(): unknown {
    return decodedOrText(this.#wire, this.rawResult)
  }

  /** What it failed with. */
  get failure(): Failure | undefined {
    return this.attributes.failure
  }

  /** The status that the run ended with. */
  get status(): RuntimeStatus | undefined {
    return this.attributes.status
  }

  /** The attempt of the call, from 1, where it is known. */
  get attempt(): number | undefined {
    return this.attributes.attempt
  }

  /** When a timer is due; absent too for one that never is. */
  get fireAt(): Timestamp | undefined {
    return this.attributes.fireAt
  }

  /** What this event answers: the call, the timer, the wait, the pause or the start. */
  get scheduled(): HistoryEvent | undefined {
    return BEGIN.has(this.type) ? undefined : this.#at(this.#counterpart)
  }

  /** The event that answers this one; absent while nothing has. */
  get outcome(): HistoryEvent | undefined {
    return BEGIN.has(this.type) ? this.#at(this.#counterpart) : undefined
  }

  /** Of a further attempt, the first one. */
  get firstAttempt(): HistoryEvent | undefined {
    return this.#at(this.#firstAttempt)
  }

  /** Of a timer, the attempt that it limits or that failed before it. */
  get serves(): HistoryEvent | undefined {
    return this.#at(this.#serves)
  }

  /** The history of the child that this event is about, where it was read with this one. See `History.child`. */
  get child(): History | undefined {
    const isChild = this.type.startsWith("ChildWorkflow") && this.instanceId !== undefined
    return isChild ? this.#history.child(this.instanceId) : undefined
  }

  #at(place: number | undefined): HistoryEvent | undefined {
    return place === undefined ? undefined : this.#history.events[place]
  }
}

/** What a diagram shows. */
export interface DiagramOptions {
  /** How many levels of children, of those that were read; 0 is the instance alone. Default: 0. */
  expand?: number | undefined
  /** How many lines at most, 40 at least; it says what it leaves out. Default: 400. */
  maxLines?: number | undefined
  /** How long a text is at most. Default: 60. */
  maxText?: number | undefined
  /** Whether payloads are shown. Default: true. */
  payloads?: boolean | undefined
}

/** The events of an instance, oldest first. It is as it was when it was read. */
export class History implements Iterable<HistoryEvent> {
  readonly instanceId: string
  readonly #native: NativeHistory
  readonly #wire: Wire
  readonly #depth: number
  #events: readonly HistoryEvent[] | undefined

  /** @internal */
  constructor(native: NativeHistory, depth: number, wire: Wire) {
    this.#native = native
    this.#wire = wire
    this.#depth = depth
    this.instanceId = native.instanceId
  }

  /** All events. */
  get events(): readonly HistoryEvent[] {
    return (this.#events ??= this.#native
      .events()
      .map((event, index) => new HistoryEvent(event, index, this, this.#wire)))
  }

  /** How many events there are. */
  get length(): number {
    return this.events.length
  }

  [Symbol.iterator](): Iterator<HistoryEvent> {
    return this.events[Symbol.iterator]()
  }

  /** Every attempt of an activity or a child. */
  get calls(): HistoryEvent[] {
    return this.eventsOf("TaskScheduled", "ChildWorkflowInstanceCreated")
  }

  /** Every event that says what failed. */
  get failures(): HistoryEvent[] {
    return this.events.filter((event) => event.failure !== undefined)
  }

  /** The instance IDs of the children that it started. */
  get childIds(): string[] {
    return this.#native.childIds()
  }

  /** The events of these kinds. */
  eventsOf(...types: string[]): HistoryEvent[] {
    return this.events.filter((event) => types.includes(event.type))
  }

  /**
   * The history of one of its children; absent for one that was purged. Throws `FailedPreconditionError` where children
   * were not read: ask for the history with `expand`.
   */
  child(instanceId: string | undefined): History | undefined {
    if (instanceId === undefined) return undefined
    const native = this.#native.child(instanceId)
    if (native !== null) return new History(native, Math.max(this.#depth - 1, 0), this.#wire)
    if (this.#depth > 0 || !this.childIds.includes(instanceId)) return undefined
    throw new FailedPreconditionError(
      `the history of ${JSON.stringify(instanceId)} was not read; read it with its parent's, by expand: 1, or on its own`,
    )
  }

  /** The history as a Mermaid sequence diagram, which GitHub and many editors show. Throws `InvalidArgumentError`. */
  toMermaid(options: DiagramOptions = {}): string {
    const { expand = 0, maxLines = 400, maxText = 60, payloads = true } = options
    const [lines, text] = [countOf(maxLines, "maxLines", 1), countOf(maxText, "maxText", 1)]
    return this.#native.mermaid(countOf(expand, "expand", 0), lines, text, payloads)
  }
}

function decodedOrText(wire: Wire, text: string | undefined): unknown {
  try {
    return wire.value(text)
  } catch {
    return text
  }
}
