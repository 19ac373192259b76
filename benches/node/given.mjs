// What every bench is told, and how it answers; nothing here knows everstep, so that its peers can use it.

import { mkdirSync } from "node:fs"
import { parseArgs } from "node:util"

/** The command line of a bench: `--dir` and what `more` names, each with a number as its default. */
export function given(more) {
  const options = { dir: { type: "string" } }
  const flag = (name) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  for (const name of Object.keys(more)) options[flag(name)] = { type: "string" }
  const { values } = parseArgs({ options })
  if (values.dir === undefined) throw new Error("--dir must name a directory on the disk to be measured")
  mkdirSync(values.dir, { recursive: true })
  const numbers = Object.entries(more).map(([name, usual]) => [name, Number(values[flag(name)] ?? usual)])
  return { dir: values.dir, ...Object.fromEntries(numbers) }
}

/** Ends a bench: its figures as the one line of JSON that the driver reads. */
export function report(figures) {
  console.log(JSON.stringify(figures))
}

/** The smallest sample that at least `part` of all do not exceed. */
export function percentile(samples, part) {
  const ordered = [...samples].sort((a, b) => a - b)
  return ordered[Math.max(0, Math.ceil(part * ordered.length) - 1)]
}

/** Microseconds of CPU of all threads, also of those that have ended. */
export function cpu() {
  const { user, system } = process.cpuUsage()
  return user + system
}
