// Payloads as they cross to the core: in, out, and within errors. One object per codec.

import { encode, parse, quoted, RawPayload } from "./payload.js"
import { fit, type StandardSchema } from "./schemas.js"

/** A job or a task: a payload stands under its key, or as text under its twin. */
type Carrier = Readonly<Record<string, unknown>>

/** @internal Plain JSON: payloads lie in a batch's text as they are, and are parsed with it. */
export class Wire {
  /** What a worker says of its payloads when it opens. */
  readonly mode: "inline" | "text" = "inline"
  /** Seals a text of a failure, where the codec seals. */
  conceal: ((text: string) => string) | undefined
  /** Unseals one; what was not sealed stays. */
  reveal: ((text: string) => string) | undefined

  /** The payload that a value becomes; none for `undefined`. Throws `InvalidArgumentError`. */
  text(value: unknown, name: string): string | undefined {
    return value instanceof RawPayload ? value.text : encode(value, name)
  }

  /** `,"key":payload` as the bridge protocol embeds it; nothing for `undefined`. */
  member(key: string, value: unknown, name: string): string {
    if (value instanceof RawPayload) return `,"${key}_text":${quoted(value.text)}`
    const text = encode(value, name)
    return text === undefined ? "" : `,"${key}":${text}`
  }

  /** The same for what a function returned: nothing is null. */
  output(key: string, value: unknown, name: string): string {
    return this.member(key, value === undefined ? null : value, name)
  }

  /** Decodes a payload; an absent one reads as undefined, an empty one as null. Throws `DecodeError`. */
  value(text: string | null | undefined, schema?: StandardSchema): unknown {
    return fit(text === undefined || text === null ? undefined : this.parse(text), schema)
  }

  /** Decodes the payload of a job or task; undefined if there is none. Throws `DecodeError`. */
  take(job: Carrier, key: string, schema?: StandardSchema): unknown {
    if (key in job) return schema === undefined ? job[key] : fit(job[key], schema)
    return this.value(job[`${key}_text`] as string | undefined, schema)
  }

  protected parse(text: string): unknown {
    return parse(text)
  }
}

/** @internal Plain JSON, which nearly everybody uses. */
export const JSON_WIRE: Wire = new Wire()
