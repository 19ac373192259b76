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
    if (text?.includes("null") || text?.includes("{}")) refuse(value)
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

/** What is written as `{}`, with what to send instead. */
const NO_RECORDS: readonly (readonly [kind: abstract new (...args: never[]) => object, cure: string])[] = [
  [Promise, "await it first"],
  [Map, "send Object.fromEntries(map), or [...map]"],
  [Set, "send [...set]"],
  [Error, "send its message"],
  [RegExp, "send its source"],
  [ArrayBuffer, "send its bytes as base64"],
]

/** What is wrong within a value; it gathers its place on the way up. */
interface Fault {
  readonly what: string
  readonly cure: string
  place: string
}

const fault = (what: string, cure = ""): Fault => ({ what, cure, place: "" })

/** What would be written as null or as `{}` without a word. */
function unsendable(value: unknown): Fault | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? undefined : fault(String(value))
  if (typeof value !== "object" || value === null) return undefined
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      const found = unsendable(value[index])
      if (found !== undefined) return within(found, `[${index}]`)
    }
    return undefined
  }
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? fault("an invalid Date") : undefined
  // What such a one gives is its own business.
  if ("toJSON" in value) return undefined
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) {
    const known = NO_RECORDS.find(([kind]) => value instanceof kind)
    if (known !== undefined) return fault(`a value of ${known[0].name}`, `; ${known[1]}`)
  }
  for (const key of Object.keys(value)) {
    const found = unsendable((value as Record<string, unknown>)[key])
    if (found !== undefined) return within(found, `.${key}`)
  }
  return undefined
}

function within(found: Fault, part: string): Fault {
  found.place = part + found.place
  return found
}

/** Refuses what would be written as null or as `{}` without a word. */
function refuse(value: unknown): void {
  const found = unsendable(value)
  if (found === undefined) return
  const where = found.place === "" ? "" : `${found.place.replace(/^\./, "")}: `
  throw new TypeError(`${where}${found.what} is no JSON${found.cure}`)
}

/** What Dapr's Python SDK adds to the JSON of a dataclass, with `true` as its value, so as to know it again. */
const MARK = "__durabletask_autoobject__"

function unmarked(_key: string, value: unknown): unknown {
  if (typeof value === "object" && value !== null && Reflect.get(value, MARK) === true)
    Reflect.deleteProperty(value, MARK)
  return value
}

/** @internal Parses what holds payloads, without the marks of Dapr's Python SDK. Throws `SyntaxError`. */
export function parseMarked(text: string): unknown {
  // A search costs next to nothing beside the parsing; a reviver makes it many times slower.
  return text.includes(MARK) ? JSON.parse(text, unmarked) : JSON.parse(text)
}

/** @internal Parses a payload; an empty one reads as null. Throws `DecodeError`, which keeps the text. */
export function parse(text: string): unknown {
  if (text === "") return null
  try {
    return parseMarked(text)
  } catch (cause) {
    throw new DecodeError(`the payload is no JSON: ${(cause as Error).message}`, { text, cause })
  }
}

/** @internal A JSON string of any text; half of a surrogate pair becomes the replacement character. */
export function quoted(text: string): string {
  return JSON.stringify(text.isWellFormed() ? text : text.toWellFormed())
}
