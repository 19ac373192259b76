// Waiting for calls of the core: they are submitted to a queue, and what has ended comes back in batches.

import type { NativeAnswer, NativeEnded, NativeError, NativeQueue, NativeReply } from "../native/native.js"
import { fromNative, InvalidArgumentError, OperationCancelledError } from "./errors.js"
import { native } from "./native.js"

/** After so many answers that were there at once the event loop gets its turn: a program that asks in a loop starves it. */
const BURST = 64

type Reveal = (text: string) => string
type Settle = (answer: NativeAnswer<unknown>) => void

const open = new Map<number, Settle>()
let queue: NativeQueue | undefined
let burst = 0

/** The queue of this thread. */
function queueOfThread(): NativeQueue {
  return (queue ??= new native.NativeQueue((ended) => setImmediate(settle, ended)))
}

/** A task of the event loop of its own for each batch: else the next one, which is made ready meanwhile, would follow at once. */
function settle(ended: NativeEnded[]): void {
  queueOfThread().next()
  for (const answer of ended) {
    const call = open.get(answer.ticket)
    if (call !== undefined && forget(answer.ticket)) call(answer)
  }
}

function forget(ticket: number): boolean {
  const known = open.delete(ticket)
  if (known && open.size === 0) queueOfThread().hold(false)
  return known
}

function outcome<T>(answer: NativeAnswer<T>, reveal: Reveal | undefined): T {
  const error: NativeError | undefined = answer.error
  if (error !== undefined) throw fromNative(error, reveal)
  return answer.value as T
}

function cancelled(signal: AbortSignal): OperationCancelledError {
  return new OperationCancelledError("the call was given up by its signal", { cause: signal.reason })
}

/**
 * @internal Makes a call and gives its answer. The signal drops the call in the core; what it asked for may still happen.
 * `reveal` unseals what an error says of a failure.
 */
export function answer<T>(
  ask: (queue: NativeQueue) => NativeReply<T>,
  signal?: AbortSignal,
  reveal?: Reveal,
): Promise<T> {
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    return Promise.reject(new InvalidArgumentError("signal must be an AbortSignal"))
  }
  if (signal?.aborted) return Promise.reject(cancelled(signal))
  const reply = ask(queueOfThread())
  if (typeof reply !== "number") {
    burst += 1
    if (burst <= BURST) return new Promise((resolve) => resolve(outcome(reply, reveal)))
    return new Promise((resolve, reject) =>
      setImmediate(() => {
        burst = 0
        try {
          resolve(outcome(reply, reveal))
        } catch (error) {
          reject(error as Error)
        }
      }),
    )
  }
  if (open.size === 0) queueOfThread().hold(true)
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      if (forget(reply)) {
        queueOfThread().cancel(reply)
        reject(cancelled(signal as AbortSignal))
      }
    }
    open.set(reply, (ended) => {
      signal?.removeEventListener("abort", abort)
      try {
        resolve(outcome(ended as NativeAnswer<T>, reveal))
      } catch (error) {
        reject(error as Error)
      }
    })
    signal?.addEventListener("abort", abort, { once: true })
  })
}
