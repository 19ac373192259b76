// Retry policies. They run in the core, as durable timers.

import { millisOf } from "./arguments.js"
import { InvalidArgumentError } from "./errors.js"
import type { ErrorType } from "./failure.js"

/** How often and when a failed activity or child workflow is tried again. Durations are milliseconds; absent limits are none. */
export interface Retry {
  /** How many attempts there are in all, the first one included. */
  maxAttempts?: number
  /** The pause before the second attempt; 1,000 where it is absent. */
  firstInterval?: number
  /** What each further pause is multiplied by; 2 where it is absent. */
  backoff?: number
  /** The longest pause; 100,000 where it is absent. */
  maxInterval?: number
  /** No attempt begins later than this after the first one. */
  totalTimeout?: number
  /** The error types that are not tried again, by their exact name; `NonRetryableError` never is. */
  nonRetryable?: readonly ErrorType[]
}

/** @internal The member for a retry policy. Throws `InvalidArgumentError`. */
export function retryField(retry: Retry): string {
  if (typeof retry !== "object" || retry === null) throw new InvalidArgumentError("retry must be an object")
  const { maxAttempts, backoff = 2, nonRetryable } = retry
  if (maxAttempts !== undefined && !(Number.isInteger(maxAttempts) && maxAttempts >= 1)) {
    throw new InvalidArgumentError(
      "retry.maxAttempts must be an integer of at least 1; it counts the first attempt. leave it out for no limit",
    )
  }
  if (typeof backoff !== "number" || !(backoff >= 1 && backoff <= 1e6)) {
    throw new InvalidArgumentError("retry.backoff must be a number from 1 to 1000000")
  }
  if (nonRetryable !== undefined && !Array.isArray(nonRetryable)) {
    throw new InvalidArgumentError("retry.nonRetryable must be a list of classes or names")
  }
  const policy: Record<string, unknown> = {
    first_interval_ms: millisOf(retry.firstInterval ?? 1000, "retry.firstInterval"),
    backoff,
  }
  if (maxAttempts !== undefined) policy["max_attempts"] = maxAttempts
  if (retry.maxInterval !== undefined) policy["max_interval_ms"] = millisOf(retry.maxInterval, "retry.maxInterval")
  if (retry.totalTimeout !== undefined) policy["total_timeout_ms"] = millisOf(retry.totalTimeout, "retry.totalTimeout")
  if (nonRetryable !== undefined && nonRetryable.length > 0) {
    policy["non_retryable"] = nonRetryable.map((kind) => (typeof kind === "string" ? kind : kind.name))
  }
  return `,"retry":${JSON.stringify(policy)}`
}
