// Codecs: how values become the text of payloads, and texts become values again.

import { DecodeError, InvalidArgumentError } from "./errors.js"
import { typeOf } from "./host/failures.js"
import { encode, loneSurrogate, parse, RawPayload } from "./payload.js"
import { fit, type StandardSchema } from "./schemas.js"
import { JSON_WIRE, Wire } from "./wire.js"

/**
 * How values become payloads and payloads values. As it is, it writes JSON.
 *
 * Derive from it and give it to `Client` (and to `Worker`, which else takes its client's). There are two pairs of methods,
 * and a codec has a pair of its own or leaves it as it is:
 *
 * - `seal` and `unseal` turn the text of a payload into another and back, to compress or encrypt it. They apply to every
 *   input, output, event and custom status, and to the message and the stack of every failure.
 * - `encode` and `decode` turn a value into text and text into a value, for a form that is not JSON.
 *
 * What a codec never sees, and so is never sealed: names of workflows, activities and events, instance IDs, versions, tags,
 * the types of errors (retry policies match on them), reasons of pauses and of stalled turns.
 *
 * A sealed text best is a JSON string, as other SDKs and tools take every payload for JSON. Sealing the same text twice may
 * give two texts: stored payloads are never compared. `unseal` is given whatever is stored, also what another codec or none
 * has written: it throws, which is `DecodeError` to the reader, or lets the text pass. All methods answer at once, on the
 * event loop.
 */
export class Codec {
  /** The text of a value. What it throws becomes `InvalidArgumentError`. */
  encode(value: unknown): string {
    return encode(value, "the value") ?? "null"
  }

  /** The value of a text. What it throws becomes `DecodeError`. */
  decode(text: string): unknown {
    return parse(text)
  }

  /** What is stored of a payload's text. */
  seal(text: string): string {
    return text
  }

  /** The text that was sealed. It throws what it likes. */
  unseal(text: string): string {
    return text
  }
}

/** @internal What carries the payloads of a codec; plain JSON without one. Throws `InvalidArgumentError`. */
export function wireOf(codec: Codec | undefined): Wire {
  if (codec === undefined || codec === null) return JSON_WIRE
  const plain = Codec.prototype
  if (typeof codec !== "object" || METHODS.some((name) => typeof codec[name] !== "function")) {
    throw new InvalidArgumentError(
      `codec must be an object of a class that derives from Codec, not ${described(codec)}`,
    )
  }
  return METHODS.every((name) => codec[name] === plain[name]) ? JSON_WIRE : new CodecWire(codec)
}

const METHODS = ["encode", "decode", "seal", "unseal"] as const

/** A codec that does not leave JSON as it is: every payload crosses as a string. */
class CodecWire extends Wire {
  override readonly mode = "text"
  readonly #codec: Codec

  constructor(codec: Codec) {
    super()
    this.#codec = codec
    if (codec.seal !== Codec.prototype.seal || codec.unseal !== Codec.prototype.unseal) {
      this.conceal = (text) => this.#conceal(text)
      this.reveal = (text) => this.#reveal(text)
    }
  }

  override text(value: unknown, name: string): string | undefined {
    if (value === undefined) return undefined
    try {
      const text = value instanceof RawPayload ? value.text : this.#given(this.#encoded(value, name), name)
      return this.#given(this.#codec.seal(text), name)
    } catch (cause) {
      if (cause instanceof InvalidArgumentError) throw cause
      throw new InvalidArgumentError(`${name} cannot be encoded: ${said(cause)}`, { cause })
    }
  }

  override member(key: string, value: unknown, name: string): string {
    const text = this.text(value, name)
    return text === undefined ? "" : `,"${key}_text":${JSON.stringify(text)}`
  }

  override value(text: string | null | undefined, schema?: StandardSchema): unknown {
    if (text === undefined || text === null || text === "") return fit(text === "" ? null : undefined, schema)
    const clear = this.#tried("unsealed", text, () => this.#unsealed(text))
    return fit(
      this.#tried("decoded", clear, () => this.#codec.decode(clear)),
      schema,
    )
  }

  override take(job: Readonly<Record<string, unknown>>, key: string, schema?: StandardSchema): unknown {
    return this.value(job[`${key}_text`] as string | undefined, schema)
  }

  #encoded(value: unknown, name: string): unknown {
    return this.#codec.encode === Codec.prototype.encode ? encode(value, name) : this.#codec.encode(value)
  }

  #unsealed(text: string): string {
    const clear: unknown = this.#codec.unseal(text)
    if (typeof clear !== "string") throw new TypeError(`${this.#name} gave ${described(clear)}, not a string`)
    return clear
  }

  /** A text that the codec gave. */
  #given(text: unknown, name: string): string {
    if (typeof text !== "string") {
      throw new InvalidArgumentError(`${name} cannot be encoded: ${this.#name} gave ${described(text)}, not a string`)
    }
    if (!text.isWellFormed()) throw loneSurrogate(`${name} cannot be encoded: it`)
    return text
  }

  #tried<T>(what: string, text: string, read: () => T): T {
    try {
      return read()
    } catch (cause) {
      if (cause instanceof DecodeError && cause.text === text) throw cause
      throw new DecodeError(`the payload cannot be ${what}: ${said(cause)}`, { text, cause })
    }
  }

  #conceal(text: string): string {
    try {
      return this.#given(this.#codec.seal(text.toWellFormed()), "a failure")
    } catch (error) {
      // Better no message than one that should not have been seen.
      return `(${this.#name} could not seal this: ${typeOf(error)})`
    }
  }

  #reveal(text: string): string {
    try {
      return this.#unsealed(text)
    } catch {
      // What the engine says of timeouts and the like was never sealed.
      return text
    }
  }

  get #name(): string {
    return this.#codec.constructor?.name || "the codec"
  }
}

function said(error: unknown): string {
  return `${typeOf(error)}: ${error instanceof Error ? error.message : String(error)}`
}

function described(value: unknown): string {
  if (value instanceof Promise) return "a promise"
  if (typeof value === "function") return `the class or function ${value.name}`
  return value === null ? "null" : `${typeof value}`
}
