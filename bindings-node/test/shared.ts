// What tests share: the data of `conformance/`, and waiting.

import { readFileSync } from "node:fs"
import { join } from "node:path"

export const CONFORMANCE = join(__dirname, "..", "..", "..", "conformance")

/** A file of `conformance/`. */
export function conformance<T>(name: string): T {
  return JSON.parse(readFileSync(join(CONFORMANCE, name), "utf8")) as T
}

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
export type JsonObject = { [key: string]: Json }
