// The errors of the library: one base class, one subclass per code of `conformance/errors.json`. They are told apart by
// class or by `code`, never by their text.

import type { NativeError } from "../native/native.js"
import { type ErrorType, Failure } from "./failure.js"

/** What an error may be told besides its message. */
export interface ErrorDetails {
  /** The operation that failed. */
  operation?: string | undefined
  /** The instance concerned. */
  instanceId?: string | undefined
  /** What the user's code failed with. */
  failure?: Failure | undefined
  /** How many instances an operation on many had been done to, durably. */
  done?: number | undefined
  /** What caused it. */
  cause?: unknown
}

/** The base of all errors of this library. */
export class EverstepError extends Error {
  /** The code, the same in every language. */
  static readonly code: string = "internal"
  /** Whether the same call may succeed later without a change by the caller. */
  static readonly retryable: boolean = false

  /** The code, the same in every language. */
  readonly code: string
  /** Whether the same call may succeed later without a change by the caller. */
  readonly retryable: boolean
  /** The operation that failed, if it is known. */
  readonly operation: string | undefined
  /** The instance concerned, if there is one. */
  readonly instanceId: string | undefined
  /** What the user's code failed with, if it did. */
  readonly failure: Failure | undefined
  /** How many instances an operation on many had been done to, durably, when it failed. */
  readonly done: number | undefined

  constructor(message = "", details: ErrorDetails = {}) {
    const { operation, instanceId, failure, done } = details
    const where = instanceId === undefined ? "" : ` (instance ${JSON.stringify(instanceId)})`
    const cause = details.cause ?? failure?.toError()
    super(`${operation === undefined ? "" : `${operation}: `}${message}${where}`, cause === undefined ? {} : { cause })
    this.code = new.target.code
    this.retryable = new.target.retryable
    this.operation = operation
    this.instanceId = instanceId
    this.failure = failure
    this.done = done
  }
}

/** An argument breaks a rule that the message names; nothing was sent or written. */
export class InvalidArgumentError extends EverstepError {
  static override readonly code: string = "invalid_argument"
}

/** There is no such instance, or not the run that was asked for. */
export class NotFoundError extends EverstepError {
  static override readonly code: string = "not_found"
}

/** The instance ID is in use. */
export class AlreadyExistsError extends EverstepError {
  static override readonly code: string = "already_exists"
}

/** The instance or the program is not in a state that allows the operation. */
export class FailedPreconditionError extends EverstepError {
  static override readonly code: string = "failed_precondition"
}

/** The component cannot do this; the message names what can. */
export class OperationNotImplementedError extends EverstepError {
  static override readonly code: string = "not_implemented"
}

/** The component cannot be reached now. */
export class UnavailableError extends EverstepError {
  static override readonly code: string = "unavailable"
  static override readonly retryable: boolean = true
}

/** The time given has passed; the operation may still happen. */
export class OperationTimeoutError extends EverstepError {
  static override readonly code: string = "timeout"
  static override readonly retryable: boolean = true
}

/** The caller gave the call up. `cause` is the reason of the signal. */
export class OperationCancelledError extends EverstepError {
  static override readonly code: string = "cancelled"
}

/** Credentials are missing or wrong. */
export class UnauthenticatedError extends EverstepError {
  static override readonly code: string = "unauthenticated"
}

/** The credentials do not allow this. */
export class PermissionDeniedError extends EverstepError {
  static override readonly code: string = "permission_denied"
}

/** A payload is larger than the limit that the message names. */
export class PayloadTooLargeError extends EverstepError {
  static override readonly code: string = "payload_too_large"
}

/** What failed elsewhere, as its caller sees it. */
export abstract class RemoteError extends EverstepError {
  /** The name of the type that was thrown, for example `TypeError`. */
  get errorType(): string {
    return this.failure?.errorType ?? ""
  }

  /** The stack of where it was thrown, if there is one. */
  get stackTrace(): string | undefined {
    return this.failure?.stackTrace
  }

  /** Tells whether the failure or one of its causes is of this type, by its exact name. */
  isCausedBy(errorType: ErrorType): boolean {
    return this.failure?.isCausedBy(errorType) ?? false
  }
}

/** The workflow ended in failure; `failure` is the chain of what failed. */
export class WorkflowFailedError extends RemoteError {
  static override readonly code: string = "workflow_failed"
}

/** The workflow was terminated. */
export class WorkflowTerminatedError extends EverstepError {
  static override readonly code: string = "workflow_terminated"
}

/** The workflow waits for corrected code; it is tried again with the next worker or resume. */
export class WorkflowStalledError extends EverstepError {
  static override readonly code: string = "workflow_stalled"
  static override readonly retryable: boolean = true
}

/** No worker knows the workflow. */
export class WorkflowNotRegisteredError extends EverstepError {
  static override readonly code: string = "workflow_not_registered"
}

/** No connected worker knows the activity. */
export class ActivityNotRegisteredError extends EverstepError {
  static override readonly code: string = "activity_not_registered"
}

/** An activity failed, after all its attempts. */
export class ActivityError extends RemoteError {
  static override readonly code: string = "activity_failed"
}

/** A child workflow failed, or was terminated or purged. */
export class ChildWorkflowError extends RemoteError {
  static override readonly code: string = "child_failed"
}

/** A payload could not be decoded; its text stays readable in `text`. */
export class DecodeError extends EverstepError {
  static override readonly code: string = "decode_failed"
  /** The payload as it came. */
  readonly text: string | undefined

  constructor(message = "", details: ErrorDetails & { text?: string | undefined } = {}) {
    super(message, details)
    this.text = details.text
  }
}

/** Disk, memory or a configured limit is exhausted. */
export class ResourceExhaustedError extends EverstepError {
  static override readonly code: string = "resource_exhausted"
  static override readonly retryable: boolean = true
}

/** Another process owns the store. */
export class StoreLockedError extends EverstepError {
  static override readonly code: string = "store_locked"
  static override readonly retryable: boolean = true
}

/** The store was written by a newer version. */
export class StoreVersionError extends EverstepError {
  static override readonly code: string = "store_version"
}

/** The store is damaged. */
export class StoreCorruptError extends EverstepError {
  static override readonly code: string = "store_corrupt"
}

/** The client, worker or engine is closed. */
export class ClosedError extends EverstepError {
  static override readonly code: string = "closed"
}

/** The object was made before a fork of the process. */
export class ForkedError extends EverstepError {
  static override readonly code: string = "forked"
}

/** A fault of this library; please report it. */
export class InternalError extends EverstepError {
  static override readonly code: string = "internal"
}

/** A wait of a workflow, for an event or an activity, took longer than its timeout. */
export class WaitTimeout extends OperationTimeoutError {}

/** A workflow used something that no history can replay. It stalls until its code is corrected. */
export class NonDurableError extends EverstepError {
  static override readonly code: string = "failed_precondition"
}

/** Thrown by a workflow's context after the instance has left this worker. */
export class WorkflowEvicted extends Error {}

/** Throw this, or a subclass, where a repetition of an activity or child workflow cannot help. */
export class NonRetryableError extends Error {}

const kinds = [
  InvalidArgumentError,
  NotFoundError,
  AlreadyExistsError,
  FailedPreconditionError,
  OperationNotImplementedError,
  UnavailableError,
  OperationTimeoutError,
  OperationCancelledError,
  UnauthenticatedError,
  PermissionDeniedError,
  PayloadTooLargeError,
  WorkflowFailedError,
  WorkflowTerminatedError,
  WorkflowStalledError,
  WorkflowNotRegisteredError,
  ActivityNotRegisteredError,
  ActivityError,
  ChildWorkflowError,
  DecodeError,
  ResourceExhaustedError,
  StoreLockedError,
  StoreVersionError,
  StoreCorruptError,
  ClosedError,
  ForkedError,
  InternalError,
]

/** The class of each code. A code that a newer core knows is an `InternalError`. */
export const errorClasses: ReadonlyMap<string, new (message?: string, details?: ErrorDetails) => EverstepError> =
  new Map(kinds.map((kind) => [kind.code, kind]))

/** @internal The prototypes of this library's errors. A program's subclass of one is called by its own name. */
export const ownPrototypes = new Set<object>()

// A class's name is what its errors are called, also in a bundle that keeps names.
for (const kind of [...kinds, EverstepError, WaitTimeout, NonDurableError, WorkflowEvicted, NonRetryableError]) {
  Object.defineProperty(kind.prototype, "name", { value: kind.name, configurable: true, writable: true })
  ownPrototypes.add(kind.prototype)
}

/** @internal Makes the error that the native module reports, with what it says of a failure unsealed. */
export function fromNative(error: NativeError, reveal?: (text: string) => string): EverstepError {
  const kind = errorClasses.get(error.code) ?? InternalError
  const failure = Failure.fromNative(error.failure, reveal)
  const sealed = error.failure?.[0]?.message
  const message = reveal && failure && sealed ? error.message.replace(sealed, () => failure.message) : error.message
  return new kind(message, { operation: error.operation, instanceId: error.instanceId, failure, done: error.done })
}
