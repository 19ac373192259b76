#!/usr/bin/env node
// `npx everstep`: prints what a bug report needs.

import { readFileSync } from "node:fs"
import { release, type } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"

const USAGE = `usage: everstep [--json] [--version] [endpoint]

Prints what a bug report needs: versions, the endpoint that a client would use and why, and the facts of its store. It makes
no file, takes no lock and shows no payload.

endpoint   where workflows run, for example sqlite:workflows.db; without it, what a new Client() would use

Exit codes: 0 when nothing is wrong, 1 when something is, 2 for wrong arguments.
`

/** What is asked for. */
function asked(): { endpoint: string | undefined; json: boolean; version: boolean; help: boolean } {
  const flag = { type: "boolean", default: false } as const
  const options = { json: flag, version: flag, help: { ...flag, short: "h" } } as const
  const { values, positionals } = parseArgs({ options, allowPositionals: true })
  if (positionals.length > 1) throw new TypeError("only one endpoint can be looked at")
  const { json, version, help } = values
  return { endpoint: positionals[0], json, version, help }
}

function main(): number {
  let given: ReturnType<typeof asked>
  try {
    given = asked()
  } catch (error) {
    process.stderr.write(`${USAGE}\n${(error as Error).message}\n`)
    return 2
  }
  const { version } = JSON.parse(readFileSync(join(__dirname, "..", "package.json"), "utf8")) as { version: string }
  if (given.help || given.version) {
    process.stdout.write(given.help ? USAGE : `everstep ${version}\n`)
    return 0
  }
  // Loaded here: wrong arguments and --version need no native module.
  const { native, nativePath } = require("./native.js") as typeof import("./native.js")
  const own = {
    everstep: version,
    node: process.versions.node,
    platform: `${type()} ${release()} ${process.arch}`,
    module: nativePath,
  }
  const { json, rows } = native.report(given.endpoint)
  const facts = { ...own, ...(JSON.parse(json) as { problems: unknown[] }) }
  const lines = [...Object.entries(own), ...rows].map(([name, text]) => `${String(name).padEnd(11)} ${text}`)
  process.stdout.write(`${given.json ? JSON.stringify(facts, undefined, 2) : lines.join("\n")}\n`)
  return facts.problems.length > 0 ? 1 : 0
}

process.exitCode = main()
