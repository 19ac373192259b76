// What `node --test` prints: of tests that pass their number alone, of others everything. Names of tests that pass stay out of
// the log, since many speak of errors and failures, and who looks for a failure there is to find nothing else.

import { inspect } from "node:util"

const WORDS = {
  tests: "tests",
  pass: "passed",
  fail: "failed",
  cancelled: "cancelled",
  skipped: "skipped",
  todo: "to do",
}
/** Of what a file's tests wrote, for one that fails: the last characters. */
const KEPT = 4_000

export default async function* report(events) {
  const totals = new Map()
  const written = new Map()
  const told = new Set()
  for await (const { type, data } of events) {
    if (type === "test:stdout" || type === "test:stderr") {
      written.set(data.file, ((written.get(data.file) ?? "") + data.message).slice(-KEPT))
    } else if (type === "test:fail" && isCause(data)) {
      yield `not ok: ${data.name} (${where(data)}, after ${Math.round(data.details.duration_ms)} ms)\n`
      yield `${indented(reason(data.details.error))}\n`
      if (!told.has(data.file) && written.has(data.file)) {
        told.add(data.file)
        yield `  the file's tests have written, at the end:\n${indented(written.get(data.file))}\n`
      }
    } else if (type === "test:diagnostic") {
      const [, name, count] = /^(\w+) (\d+)$/.exec(data.message) ?? []
      if (data.nesting === 0 && name in WORDS) totals.set(name, Number(count))
      else if (data.nesting === 0 && data.message.startsWith("duration_ms"))
        totals.set("seconds", seconds(data.message))
      else if (!data.message.startsWith("suites ")) yield `note: ${data.message}\n`
    }
  }
  const counts = Object.keys(WORDS).filter((name) => name === "tests" || name === "pass" || totals.get(name) > 0)
  yield `node: ${counts.map((name) => `${totals.get(name)} ${WORDS[name]}`).join(", ")}, ${totals.get("seconds")} s\n`
}

/** Whether it failed by itself, and not because a test inside it did. */
function isCause({ details }) {
  return details.error?.failureType !== "subtestsFailed"
}

function reason(error) {
  // A file whose process ended by itself.
  if (error.exitCode ?? error.signal) return `its process ended with ${error.signal ?? error.exitCode}`
  return inspect(error.cause ?? error, { depth: 6 })
}

function where({ file, line, column }) {
  return file === undefined ? "?" : [file, line, column].filter((part) => part !== undefined).join(":")
}

function seconds(message) {
  return Math.round(Number(message.split(" ")[1]) / 1000)
}

function indented(text) {
  return text.replace(/\s+$/, "").replace(/^/gm, "    ")
}
