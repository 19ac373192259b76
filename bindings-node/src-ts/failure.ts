// What user code failed with.

import type { NativeFailure } from "../native/native.js"

/** A type of errors: its class, or the name that it has where it was thrown. */
export type ErrorType = string | (abstract new (...args: never[]) => Error)

/** What user code failed with, and what caused that. */
export class Failure {
  constructor(
    /** The name of the type that was thrown, for example `TypeError`. */
    readonly errorType: string,
    readonly message: string,
    readonly stackTrace: string | undefined = undefined,
    /** Whether retry policies leave it alone. */
    readonly nonRetryable: boolean = false,
    readonly cause: Failure | undefined = undefined,
    /** The code of this library's table, where a workflow saw one. */
    readonly code: string | undefined = undefined,
  ) {}

  /** This failure, its cause, the cause of that, and so on. */
  *chain(): Generator<Failure, void> {
    for (let failure: Failure | undefined = this; failure !== undefined; failure = failure.cause) yield failure
  }

  /** Tells whether this failure or one of its causes is of this type, by its exact name. */
  isCausedBy(errorType: ErrorType): boolean {
    const name = typeof errorType === "string" ? errorType : errorType.name
    for (const failure of this.chain()) if (failure.errorType === name) return true
    return false
  }

  /** @internal The failure as an error that prints as the one that was thrown did. */
  toError(): Error {
    const cause = this.cause?.toError()
    const error = new Error(this.message, cause === undefined ? {} : { cause })
    error.name = this.errorType
    error.stack = this.stackTrace ?? `${this.errorType}: ${this.message}`
    return error
  }

  /** @internal */
  static fromNative(chain: NativeFailure[] | undefined, reveal?: (text: string) => string): Failure | undefined {
    return chain?.reduceRight<Failure | undefined>((cause, failure) => {
      const { errorType, nonRetryable } = failure
      let { message, stack } = failure
      if (reveal !== undefined) {
        message = reveal(message)
        stack = stack === undefined ? undefined : reveal(stack)
      }
      return new Failure(errorType, message, stack, nonRetryable, cause)
    }, undefined)
  }
}
