// What a client and its operations may be told.

import type { Criteria } from "./arguments.js"
import type { Codec } from "./codecs.js"
import type { RawPayload } from "./payload.js"

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
  /** What writes and reads payloads; plain JSON without. Workers of the client use it too. */
  codec?: Codec | undefined
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

/** Which run of an instance is meant. */
export interface RunOptions {
  /** The run's execution ID; without, whichever run there is. */
  executionId?: string | undefined
  /** Which component; the default one without. */
  component?: string | undefined
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

/** The arguments of a call: what takes nothing needs no input. A payload may be given as it is. */
export type CallArguments<I, O> = undefined extends I
  ? [input?: I | RawPayload, options?: O]
  : [I] extends [void]
    ? [input?: undefined, options?: O]
    : [input: I | RawPayload, options?: O]
