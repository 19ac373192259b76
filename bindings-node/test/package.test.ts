// The packed package, installed in an empty project: both module systems, types, the README's program, and what is said
// when the native package is missing.

import assert from "node:assert/strict"
import { execFileSync, spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, test } from "node:test"

import { RUNTIME } from "./shared.js"

const ROOT = join(__dirname, "..", "..")
const TSC = join(ROOT, "node_modules", "typescript", "bin", "tsc")
const MOST_BYTES = 12 * 1024 * 1024

const folder = mkdtempSync(join(tmpdir(), "everstep-package-"))
const project = join(folder, "project")
const installed = join(project, "node_modules")

before(() => {
  const packed = join(folder, "packed")
  execFileSync(process.execPath, [join(ROOT, "scripts", "pack.mjs"), packed], { stdio: "pipe" })
  const archives = readdirSync(packed).map((name) => join(packed, name))
  mkdirSync(project)
  writeFileSync(join(project, "package.json"), '{"private":true}')
  // The other platforms' packages are on no registry yet; npm goes on without what is optional.
  execFileSync("npm", ["install", "--offline", "--no-audit", "--no-fund", ...archives], { cwd: project, stdio: "pipe" })
})

after(() => rmSync(folder, { recursive: true }))

function run(name: string, text: string): string {
  writeFileSync(join(project, name), text)
  return execFileSync(RUNTIME, [name], { cwd: project, encoding: "utf8", timeout: 30_000 })
}

const PROGRAM = `
const add = activity("add", async (n) => n + 1)
const count = workflow("count", async (ctx, n) => ctx.call(add, await ctx.call(add, n)))
const main = async () => {
  const client = new Client("memory:")
  const worker = await Worker.start(client, { workflows: [count], activities: [add] })
  console.log(await (await client.startWorkflow(count, 1)).result({ timeout: 30_000 }))
  await worker.close()
  await client.close()
}
main()
`

test("both module systems run it", () => {
  assert.equal(run("cjs.cjs", `const { activity, Client, Worker, workflow } = require("everstep")${PROGRAM}`), "3\n")
  assert.equal(run("esm.mjs", `import { activity, Client, Worker, workflow } from "everstep"${PROGRAM}`), "3\n")
})

const TEST = `
const wait = workflow("wait", async (ctx) => { await ctx.sleep(1e10); return "years" })
const main = async () => {
  const env = await Environment.start({ workflows: [wait] })
  console.log(env.client instanceof Client, await (await env.client.startWorkflow(wait)).result({ timeout: 30_000 }))
  await env.close()
}
main()
`

test("its command is there", () => {
  const command = join(installed, ".bin", "everstep")
  assert.match(execFileSync(command, ["--version"], { cwd: project, encoding: "utf8" }), /^everstep \d/)
  assert.match(execFileSync(command, ["memory:"], { cwd: project, encoding: "utf8" }), /^module .*native-/m)
})

test("so they do its aids for tests", () => {
  const names = "{ Client, workflow }"
  const cjs = `const ${names} = require("everstep"); const { Environment } = require("everstep/testing")`
  const esm = `import ${names} from "everstep"; import { Environment } from "everstep/testing"`
  assert.equal(run("testing.cjs", cjs + TEST), "true years\n")
  assert.equal(run("testing.mjs", esm + TEST), "true years\n")
})

const DAPR = `
const hello = async function* hello(ctx, name) { return yield ctx.callActivity(greet, name) }
const greet = async function greet(_, name) { return "hello " + name }
const main = async () => {
  const runtime = new WorkflowRuntime().registerWorkflow(hello).registerActivity(greet)
  await runtime.start()
  const client = new DaprWorkflowClient()
  const state = await client.waitForWorkflowCompletion(await client.scheduleNewWorkflow(hello, "Ada"), true, 10)
  console.log(WorkflowRuntimeStatus[state.runtimeStatus], state.serializedOutput)
  await runtime.stop()
  await client.stop()
}
main()
`

test("and the names of Dapr's SDK", () => {
  const names = "{ DaprWorkflowClient, WorkflowRuntime, WorkflowRuntimeStatus }"
  const cjs = `process.env.EVERSTEP_ENDPOINT = "memory:"; const ${names} = require("everstep/dapr")`
  const esm = `import ${names} from "everstep/dapr"; process.env.EVERSTEP_ENDPOINT = "memory:"`
  assert.equal(run("dapr.cjs", cjs + DAPR), 'COMPLETED "hello Ada"\n')
  assert.equal(run("dapr.mjs", esm + DAPR), 'COMPLETED "hello Ada"\n')
})

test("it brings no dependency, and fits", () => {
  const manifest = JSON.parse(readFileSync(join(installed, "everstep", "package.json"), "utf8"))
  assert.equal(manifest.dependencies, undefined)
  assert.equal(Object.keys(manifest.optionalDependencies).length, 7)
  assert.deepEqual(
    readdirSync(installed)
      .filter((name) => !name.startsWith("."))
      .sort(),
    ["@everstep", "everstep"],
  )
  const sizes = readdirSync(installed, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => statSync(join(entry.parentPath, entry.name)).size)
  const bytes = sizes.reduce((sum, size) => sum + size, 0)
  assert.ok(bytes <= MOST_BYTES, `${bytes} bytes are installed`)
})

test("the program of the README has types and runs", () => {
  const block = /^```ts\n(.*?)^```$/ms.exec(readFileSync(join(ROOT, "README.md"), "utf8"))?.[1]
  assert.ok(block !== undefined)
  writeFileSync(join(project, "readme.mts"), block)
  const options = ["--strict", "--target", "es2022", "--lib", "es2023,esnext.disposable", "--module", "nodenext"]
  const types = ["--typeRoots", join(ROOT, "node_modules", "@types"), "--types", "node"]
  const done = spawnSync(process.execPath, [TSC, ...options, ...types, "readme.mts"], {
    cwd: project,
    encoding: "utf8",
  })
  assert.equal(done.stdout, "")
  const out = execFileSync(process.execPath, ["readme.mjs"], { cwd: project, encoding: "utf8", timeout: 30_000 })
  assert.equal(out, "[ 'reserved lamp', 'shipped lamp' ]\n")
})

test("a missing native package is named, with the cure", () => {
  rmSync(join(installed, "@everstep"), { recursive: true })
  const done = spawnSync(process.execPath, ["-e", 'require("everstep")'], { cwd: project, encoding: "utf8" })
  assert.notEqual(done.status, 0)
  assert.match(done.stderr, /everstep needs the package @everstep\/native-\S+, which is not installed/)
  assert.match(done.stderr, /--omit=optional/)
})
