// Payloads as JSON: encoded and parsed here and nowhere else.

import { DecodeError, InvalidArgumentError } from "./errors.js"

// What `JSON.stringify` writes for half of a surrogate pair. An escaped backslash before it makes it plain text.
const LONE = /(?:^|[^\\])(?:\\\\)*\\ud[89a-f]/

/**
 * Text that is a payload already: nothing encodes it. A codec that seals seals it too, so that it is read like any other.
 * Throws `InvalidArgumentError`.
 */
export class RawPayload {
  /** The payload. */
  readonly text: string

  constructor(text: string) {
    if (typeof text !== "string") throw new InvalidArgumentError(`a raw payload must be a string, not ${typeof text}`)
    if (!text.isWellFormed()) throw loneSurrogate("a raw payload")
    this.text = text
  }

  /** Throws: it is a payload, not a part of one. */
  toJSON(): never {
    throw new InvalidArgumentError("a RawPayload is a whole payload, and no part of another")
  }
}

/** @internal Encodes a value; nothing for `undefined`. Throws `InvalidArgumentError`, naming the argument. */
export function encode(value: unknown, name: string): string | undefined {
  let text: string | undefined
  try {
    text = JSON.stringify(value)
    // What it writes in place of what JSON has no word for. To look for that in all that is sent would cost too much.
    if (text?.includes("null") || text?.includes("{}")) JSON.stringify(value, refuse)
  } catch (cause) {
    const reason = cause instanceof RangeError ? "it is nested too deeply" : String((cause as Error)?.message ?? cause)
    throw new InvalidArgumentError(`${name} cannot be encoded: ${reason}`, { cause })
  }
  if (text === undefined) {
    if (value === undefined) return undefined
    throw new InvalidArgumentError(`${name} cannot be encoded: a ${typeof value} is no JSON`)
  }
  if (text.includes("\\ud") && LONE.test(text)) throw loneSurrogate(`${name} cannot be encoded: it`)
  return text
}

/** @internal The error for a text that has no UTF-8. */
export function loneSurrogate(what: string): InvalidArgumentError {
  return new InvalidArgumentError(`${what} holds a lone surrogate, which is no character`)
}

/** What is written as `{}`, with what to write instead. */
const NO_RECORDS: readonly (readonly [kind: abstract new (...args: never[]) => object, cure: string])[] = [
  [Promise, "await it first"],
  [Map, "send Object.fromEntries(map), or [...map]"],
  [Set, "send [...set]"],
  [Error, "send its message"],
  [RegExp, "send its source"],
  [ArrayBuffer, "send its bytes as base64"],
]

/** Refuses what would be written as null or as `{}` without a word. */
function refuse(this: unknown, key: string, value: unknown): unknown {
  const where = key === "" ? "" : ` at ${JSON.stringify(key)}`
  if (typeof value === "number" && !Number.isFinite(value)) throw new TypeError(`${value}${where} is no JSON`)
  if (value === null && (this as Record<string, unknown>)[key] instanceof Date) {
    throw new TypeError(`an invalid Date${where} is no JSON`)
  }
  const found = NO_RECORDS.find(([kind]) => value instanceof kind)
  if (found !== undefined) throw new TypeError(`a ${found[0].name}${where} is no JSON; ${found[1]}`)
  return value
}

/** @internal Parses a payload; an empty one reads as null. Throws `DecodeError`, which keeps the text. */
export function parse(text: string): unknown {
  if (text === "") return null
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new DecodeError(`the payload is no JSON: ${(cause as Error).message}`, { text, cause })
  }
}

/** @internal A JSON string of any text; half of a surrogate pair becomes the replacement character. */
export function quoted(text: string): string {
  return JSON.stringify(text.isWellFormed() ? text : text.toWellFormed())
}
