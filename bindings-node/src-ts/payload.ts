// Payloads: JSON, encoded and decoded here and nowhere else.

import { DecodeError, InvalidArgumentError } from "./errors.js"

// What `JSON.stringify` writes for half of a surrogate pair. An escaped backslash before it makes it plain text.
const LONE = /(?:^|[^\\])(?:\\\\)*\\ud[89a-f]/

/** @internal Encodes a value; nothing for `undefined`. Throws `InvalidArgumentError`, naming the argument. */
export function encode(value: unknown, name: string): string | undefined {
  let text: string | undefined
  try {
    text = JSON.stringify(value)
  } catch (cause) {
    const reason = cause instanceof RangeError ? "it is nested too deeply" : String((cause as Error)?.message ?? cause)
    throw new InvalidArgumentError(`${name} cannot be encoded: ${reason}`, { cause })
  }
  if (text === undefined) {
    if (value === undefined) return undefined
    throw new InvalidArgumentError(`${name} cannot be encoded: a ${typeof value} is no JSON`)
  }
  if (text.includes("\\ud") && LONE.test(text)) {
    throw new InvalidArgumentError(`${name} cannot be encoded: it holds a lone surrogate, which is no character`)
  }
  return text
}

/** @internal `,"key":payload` as the bridge protocol embeds it; nothing for `undefined`. */
export function member(key: string, value: unknown, name: string): string {
  const text = encode(value, name)
  return text === undefined ? "" : `,"${key}":${text}`
}

/** @internal The same for what a function returned: nothing is null. */
export function output(key: string, value: unknown, name: string): string {
  return member(key, value === undefined ? null : value, name)
}

/** @internal Decodes a payload; an empty one reads as null. Throws `DecodeError`, which keeps the text. */
export function parse(text: string): unknown {
  if (text === "") return null
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new DecodeError(`the payload is no JSON: ${(cause as Error).message}`, { text, cause })
  }
}

/** @internal Decodes a payload that may be absent; an absent one reads as undefined. */
export function decode(text: string | null | undefined): unknown {
  return text === undefined || text === null ? undefined : parse(text)
}

/** @internal The payload under a key of a job or task, or under its twin; undefined if there is none. */
export function take(job: Readonly<Record<string, unknown>>, key: string): unknown {
  if (key in job) return job[key]
  const text = job[`${key}_text`]
  return typeof text === "string" ? parse(text) : undefined
}

/** @internal A JSON string of any text; half of a surrogate pair becomes the replacement character. */
export function quoted(text: string): string {
  return JSON.stringify(text.isWellFormed() ? text : text.toWellFormed())
}
