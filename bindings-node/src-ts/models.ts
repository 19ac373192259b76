// What the API gives back: states and statuses. Histories are in `history.ts`.

import type { NativeState } from "../native/native.js"
import { DecodeError } from "./errors.js"
import { Failure } from "./failure.js"
import { type StandardSchema, schemaOf } from "./schemas.js"
import type { Wire } from "./wire.js"

/** Where an instance stands, in Dapr's words. */
export const RuntimeStatus = {
  RUNNING: "RUNNING",
  COMPLETED: "COMPLETED",
  CONTINUED_AS_NEW: "CONTINUED_AS_NEW",
  FAILED: "FAILED",
  CANCELED: "CANCELED",
  TERMINATED: "TERMINATED",
  PENDING: "PENDING",
  SUSPENDED: "SUSPENDED",
  STALLED: "STALLED",
  UNKNOWN: "UNKNOWN",
} as const

/** Where an instance stands, in Dapr's words. */
export type RuntimeStatus = (typeof RuntimeStatus)[keyof typeof RuntimeStatus]

const TERMINAL: ReadonlySet<RuntimeStatus> = new Set(["COMPLETED", "FAILED", "CANCELED", "TERMINATED"])

/** Whether nothing can happen to an instance of this status any more but a purge or a new start. */
export function isTerminal(status: RuntimeStatus): boolean {
  return TERMINAL.has(status)
}

/** A point in time as the engine keeps it: a `Date` that also knows its microseconds. */
export class Timestamp extends Date {
  /** Microseconds since 1970. */
  readonly micros: number

  constructor(micros: number) {
    super(Math.floor(micros / 1000))
    this.micros = micros
  }

  /** @internal */
  static of(micros: number): Timestamp
  /** @internal */
  static of(micros: number | undefined): Timestamp | undefined
  static of(micros: number | undefined): Timestamp | undefined {
    return micros === undefined ? undefined : new Timestamp(micros)
  }
}

/** The state of an instance. Payloads stay text, as they are stored, until `input` and the like are read. */
export class WorkflowState {
  readonly instanceId: string
  readonly executionId: string | undefined
  readonly name: string
  readonly version: string | undefined
  readonly runtimeStatus: RuntimeStatus
  readonly createdAt: Timestamp
  readonly lastUpdatedAt: Timestamp
  readonly startedAt: Timestamp | undefined
  readonly completedAt: Timestamp | undefined
  /** When it is to begin, if the start was delayed. */
  readonly startAt: Timestamp | undefined
  readonly rawInput: string | undefined
  readonly rawOutput: string | undefined
  readonly rawCustomStatus: string | undefined
  readonly failure: Failure | undefined
  /** Why it does not move: no worker has its name, or what it stalled on. */
  readonly reason: string | undefined
  readonly parentInstanceId: string | undefined
  readonly tags: Readonly<Record<string, string>>

  readonly #wire: Wire

  /** @internal */
  constructor(state: NativeState, wire: Wire) {
    this.#wire = wire
    this.instanceId = state.instanceId
    this.executionId = state.executionId
    this.name = state.name
    this.version = state.version
    this.runtimeStatus = state.status in RuntimeStatus ? (state.status as RuntimeStatus) : "UNKNOWN"
    this.createdAt = Timestamp.of(state.createdAt)
    this.lastUpdatedAt = Timestamp.of(state.lastUpdatedAt)
    this.startedAt = Timestamp.of(state.startedAt)
    this.completedAt = Timestamp.of(state.completedAt)
    this.startAt = Timestamp.of(state.startAt)
    this.rawInput = state.input
    this.rawOutput = state.output
    this.rawCustomStatus = state.customStatus
    this.failure = Failure.fromNative(state.failure, wire.reveal)
    this.reason = state.reason
    this.parentInstanceId = state.parentInstanceId
    this.tags = state.tags
  }

  /** The decoded input. Throws `DecodeError` where `rawInput` is no JSON. */
  get input(): unknown {
    return this.#wire.value(this.rawInput)
  }

  /** The decoded output. Throws `DecodeError` where `rawOutput` is no JSON. */
  get output(): unknown {
    return this.#wire.value(this.rawOutput)
  }

  /** The input in the form of a schema. Throws `DecodeError`. */
  inputAs<T>(schema: StandardSchema<T>): T {
    return this.#wire.value(this.rawInput, schemaOf(schema, "schema")) as T
  }

  /** The output in the form of a schema. Throws `DecodeError`. */
  outputAs<T>(schema: StandardSchema<T>): T {
    return this.#wire.value(this.rawOutput, schemaOf(schema, "schema")) as T
  }

  /** The custom status, decoded if it is JSON and as text if not: other SDKs write bare text. */
  get customStatus(): unknown {
    try {
      return this.#wire.value(this.rawCustomStatus)
    } catch (error) {
      if (error instanceof DecodeError) return this.rawCustomStatus
      throw error
    }
  }

  /** Whether nothing can happen to it any more but a purge or a new start. */
  get isTerminal(): boolean {
    return isTerminal(this.runtimeStatus)
  }

  /** The properties map of Dapr's API. */
  get properties(): Record<string, string> {
    const values = {
      input: this.rawInput,
      output: this.rawOutput,
      custom_status: this.rawCustomStatus,
      "failure.error_type": this.failure?.errorType,
      "failure.error_message": this.failure?.message,
      "failure.stack_trace": this.failure?.stackTrace,
    }
    const said: Record<string, string> = {}
    for (const [key, value] of Object.entries(values)) if (value !== undefined) said[`dapr.workflow.${key}`] = value
    return said
  }
}
