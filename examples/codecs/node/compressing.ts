// A codec that stores large payloads compressed.

import { deflateSync, inflateSync } from "node:zlib"

import { Codec } from "everstep"

const PREFIX = '"zlib:'
const PACKED = /^"zlib:([A-Za-z0-9+/]+={0,2})"$/

/**
 * Texts of at least `above` characters as zlib in base64, within a JSON string; shorter ones as they are.
 *
 * Programs with and without it may share a store in one direction: this one reads what was written without it.
 */
export class Compressing extends Codec {
  readonly #above: number
  readonly #level: number

  constructor({ above = 1024, level = 6 }: { above?: number; level?: number } = {}) {
    super()
    this.#above = above
    this.#level = level
  }

  override seal(text: string): string {
    // A clear text that looks like a packed one must not be taken for one.
    if (text.length < this.#above && !text.startsWith(PREFIX)) return text
    return `${PREFIX}${deflateSync(text, { level: this.#level }).toString("base64")}"`
  }

  override unseal(text: string): string {
    if (!text.startsWith(PREFIX)) return text
    const packed = PACKED.exec(text)?.[1]
    if (packed === undefined) throw new RangeError("it is no base64")
    return inflateSync(Buffer.from(packed, "base64")).toString()
  }
}
