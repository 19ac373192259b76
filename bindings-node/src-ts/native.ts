// Loads the native module of this platform.

import { closeSync, existsSync, openSync, readFileSync, readSync } from "node:fs"
import { join } from "node:path"

import type * as Native from "../native/native.js"

/** Whether this program was linked for musl instead of glibc: its head names the loader. `process.report` takes 100 ms. */
function isMusl(): boolean {
  const head = Buffer.alloc(4096)
  try {
    const program = openSync("/proc/self/exe", "r")
    try {
      readSync(program, head)
    } finally {
      closeSync(program)
    }
  } catch {
    return false
  }
  return head.includes("/ld-musl-")
}

/** The platform as the names of the native packages have it. */
function platform(): string {
  const { platform, arch } = process
  if (platform === "linux") return `linux-${arch}-${isMusl() ? "musl" : "gnu"}`
  return platform === "win32" ? `win32-${arch}-msvc` : `${platform}-${arch}`
}

function load(): { found: typeof Native; path: string } {
  const name = platform()
  const path = process.env["EVERSTEP_NATIVE"] ?? join(__dirname, "..", "native", `everstep.${name}.node`)
  const wanted = `@everstep/native-${name}`
  let found: typeof Native
  let at: string
  try {
    at = existsSync(path) ? path : require.resolve(wanted)
    found = require(at)
  } catch (cause) {
    const missing = (cause as { code?: string }).code === "MODULE_NOT_FOUND"
    throw new Error(
      missing
        ? `everstep needs the package ${wanted}, which is not installed. Install everstep again without --omit=optional ` +
            "and, if node_modules or the lock file came from another platform, after deleting both; for a platform that " +
            `has no such package, build the module from the sources and set EVERSTEP_NATIVE to its path`
        : `everstep's native module for ${name} cannot be loaded: ${String((cause as Error).message ?? cause)}`,
      { cause },
    )
  }
  const own = (JSON.parse(readFileSync(join(__dirname, "..", "package.json"), "utf8")) as { version: string }).version
  if (found.version() !== own) {
    throw new Error(
      `everstep ${own} found version ${found.version()} of its native module; install ${wanted}@${own}, ` +
        "best by installing everstep again",
    )
  }
  return { found, path: at }
}

const loaded = load()

/** @internal */
export const native: typeof Native = loaded.found
/** @internal Where it was found. */
export const nativePath: string = loaded.path
