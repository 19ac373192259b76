// What tests share: the data of `conformance/`, and a codec.

import { readFileSync } from "node:fs"
import { join } from "node:path"

import { Codec } from "everstep"

export const CONFORMANCE = join(__dirname, "..", "..", "..", "conformance")

/** What programs of a test run under: this Node, or another runtime, such as Bun. */
export const RUNTIME = process.env["RUNTIME"] ?? process.execPath

/** A file of `conformance/`. */
export function conformance<T>(name: string): T {
  return JSON.parse(readFileSync(join(CONFORMANCE, name), "utf8")) as T
}

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
export type JsonObject = { [key: string]: Json }

/** Seals by writing backwards, and takes nothing that it has not sealed. */
export class Reversing extends Codec {
  override seal(text: string): string {
    return JSON.stringify(`sealed:${[...text].reverse().join("")}`)
  }

  override unseal(text: string): string {
    const sealed: unknown = JSON.parse(text)
    if (typeof sealed !== "string" || !sealed.startsWith("sealed:")) throw new RangeError("not sealed by this")
    return [...sealed.slice("sealed:".length)].reverse().join("")
  }
}
