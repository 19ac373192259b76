// What a small program takes: the loading of the package in fresh processes by both module systems, the memory of one with an
// engine that has run a workflow, and the size of what `npm install` puts down.

import { execFileSync } from "node:child_process"
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { fileURLToPath } from "node:url"

import { given, percentile, report } from "./given.mjs"
import { database } from "./subject.mjs"

const { dir, times } = given({ times: 11 })
const dist = fileURLToPath(new URL("../../dist", import.meta.url))
const folder = mkdtempSync(join(tmpdir(), "everstep-bench-"))

const REQUIRE = `const began = performance.now(); require("everstep"); console.log(performance.now() - began)`
const IMPORT = `const began = performance.now(); await import("everstep"); console.log(performance.now() - began)`
const RESIDENT = `
import { activity, Client, Worker, workflow } from "everstep"
const addOne = activity("add_one", (number) => number + 1)
const oneActivity = workflow("one_activity", async (ctx, number) => await ctx.call(addOne, number))
const client = new Client("sqlite:" + process.argv[1])
const worker = await Worker.start(client, { workflows: [oneActivity], activities: [addOne] })
const before = process.memoryUsage().rss
if ((await (await client.startWorkflow(oneActivity, 1)).result({ timeout: 60000 })) !== 2) throw new Error("not 2")
console.log(process.memoryUsage().rss / 1e6)
await worker.close()
await client.close()`
const EMPTY = `console.log(process.memoryUsage().rss / 1e6)`

function run(type, program, ...more) {
  const command = [`--input-type=${type}`, "-e", program, ...more]
  return Number(execFileSync(process.execPath, command, { cwd: folder, encoding: "utf8", timeout: 60_000 }))
}

function megabytes(path) {
  const sizes = readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => statSync(join(entry.parentPath ?? entry.path, entry.name)).size)
  return sizes.reduce((sum, size) => sum + size, 0) / 1e6
}

try {
  const packed = readdirSync(dist).filter((name) => /^everstep-.*\.tgz$/.test(name))
  const archives = packed.map((name) => join(dist, name))
  execFileSync(
    "npm",
    ["install", "--silent", "--no-save", "--no-audit", "--no-fund", "--offline", "--omit=optional", ...archives],
    { cwd: folder, timeout: 120_000 },
  )
  const median = (type, program) =>
    percentile(
      Array.from({ length: times }, () => run(type, program)),
      0.5,
    )
  report({
    import_ms: Math.max(median("commonjs", REQUIRE), median("module", IMPORT)),
    rss_mb: run("module", RESIDENT, database(resolve(dir), "resident")),
    node_rss_mb: run("module", EMPTY),
    installed_mb: megabytes(join(folder, "node_modules")),
  })
} finally {
  rmSync(folder, { recursive: true })
}
