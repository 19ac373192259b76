// Errors as they cross the bridge, both ways.

import { dirname } from "node:path"

import {
  ActivityError,
  ChildWorkflowError,
  DecodeError,
  EverstepError,
  errorClasses,
  NonRetryableError,
  OperationCancelledError,
  ownPrototypes,
  WaitTimeout,
} from "../errors.js"
import { Failure } from "../failure.js"
import { quoted } from "../payload.js"

const PACKAGE = dirname(__dirname)
const MOST_STACK = 16_000
const MOST_CAUSES = 32

/** @internal An error of the bridge protocol. */
export interface BridgeError {
  readonly type?: string
  readonly message?: string
  readonly stack?: string
  readonly code?: string
  readonly retryable?: boolean
  readonly cause?: BridgeError
}

/** @internal What an error is called: the name that was given to it, else that of its class. */
export function typeOf(error: unknown): string {
  if (!(error instanceof Error)) return error === null ? "null" : typeof error
  if (Object.hasOwn(error, "name")) return String(error.name)
  const made = error.constructor?.name
  for (let at: unknown = Object.getPrototypeOf(error); at instanceof Error; at = Object.getPrototypeOf(at)) {
    // A class that says its name itself; the classes of the language and of this library only pass theirs on.
    if (Object.hasOwn(at, "name") && !isBuiltIn(at) && !ownPrototypes.has(at)) return String((at as Error).name)
  }
  return made || error.name || "Error"
}

function isBuiltIn(prototype: Error): boolean {
  const maker = prototype.constructor as { name?: string }
  return maker === (globalThis as Record<string, unknown>)[maker.name ?? ""]
}

/** @internal The stack of an error without the frames of this package. */
export function stackOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || typeof error.stack !== "string") return undefined
  const own = error.stack.split("\n").filter((line) => !line.includes(PACKAGE))
  const text = own.join("\n")
  return text.length <= MOST_STACK ? text : `${text.slice(0, MOST_STACK / 2)}\n…\n${text.slice(-MOST_STACK / 2)}`
}

function messageOf(error: unknown): string {
  try {
    return error instanceof Error ? String(error.message) : String(error)
  } catch (broken) {
    return `the message cannot be shown: ${typeOf(broken)}`
  }
}

/** What a codec makes of a failure's texts. */
type Texts = (text: string) => string

/** A message or stack as it leaves: sealed, if the codec seals. */
function told(text: string, conceal: Texts | undefined): string {
  return quoted(conceal === undefined ? text : conceal(text))
}

function revealed(text: string, reveal: Texts | undefined): string {
  return reveal === undefined ? text : reveal(text)
}

/**
 * @internal An error with its causes, as the bridge protocol has it. What failed elsewhere keeps its type, message and
 * stack on its way through this workflow. A `final` one is not tried again.
 */
export function errorText(error: unknown, conceal?: Texts, final = false, depth = 0): string {
  if (error instanceof EverstepError && error.failure !== undefined)
    return failureText(error.failure, error.code, conceal, depth)
  let text = `{"type":${quoted(typeOf(error))},"message":${told(messageOf(error), conceal)}`
  const stack = stackOf(error)
  if (stack !== undefined) text += `,"stack":${told(stack, conceal)}`
  if (error instanceof EverstepError) text += `,"code":"${error.code}"`
  text += `,"retryable":${!(final || error instanceof NonRetryableError || error instanceof DecodeError)}`
  const cause = error instanceof Error ? error.cause : undefined
  if (cause !== undefined && cause !== null && depth < MOST_CAUSES)
    text += `,"cause":${errorText(cause, conceal, false, depth + 1)}`
  return `${text}}`
}

function failureText(failure: Failure, code: string | undefined, conceal: Texts | undefined, depth: number): string {
  let text = `{"type":${quoted(failure.errorType)},"message":${told(failure.message, conceal)}`
  if (failure.stackTrace !== undefined) text += `,"stack":${told(failure.stackTrace, conceal)}`
  const known = failure.code ?? code
  if (known !== undefined) text += `,"code":"${known}"`
  text += `,"retryable":${!failure.nonRetryable}`
  if (failure.cause !== undefined && depth < MOST_CAUSES) {
    text += `,"cause":${failureText(failure.cause, undefined, conceal, depth + 1)}`
  }
  return `${text}}`
}

function failureOf(error: BridgeError, reveal: Texts | undefined): Failure {
  return new Failure(
    error.type ?? "",
    revealed(error.message ?? "", reveal),
    error.stack === undefined ? undefined : revealed(error.stack, reveal),
    error.retryable === false,
    error.cause === undefined ? undefined : failureOf(error.cause, reveal),
    error.code,
  )
}

/** @internal The error that a workflow sees for a job that failed. */
export function errorOf(error: BridgeError, kind: string, name: string, reveal?: Texts): EverstepError {
  if (error.code === "cancelled") return new OperationCancelledError(`${kind} ${name} was given up`)
  const failure = failureOf(error, reveal)
  if (error.code === "timeout") return new WaitTimeout(failure.message || `${kind} ${name} timed out`, { failure })
  const own = kind === "child" ? ChildWorkflowError : ActivityError
  const found = errorClasses.get(error.code ?? own.code) ?? own
  const what = kind === "child" ? `workflow ${name}` : `${kind} ${name}`
  return new found(`${what} failed with ${failure.errorType}: ${failure.message}`, { failure })
}
