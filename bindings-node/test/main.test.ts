// `npx everstep`: what a bug report needs.

import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, beforeEach, test } from "node:test"

import { Client, Worker, workflow } from "everstep"

const MAIN = join(__dirname, "..", "..", "dist", "main.js")
const scratch = mkdtempSync(join(tmpdir(), "everstep-main-"))
let place = scratch

beforeEach(() => {
  place = mkdtempSync(join(scratch, "test-"))
})
after(() => rmSync(scratch, { recursive: true }))

interface Facts {
  everstep: string
  endpoint: string
  endpoint_from: string
  store: {
    instances: object
    owner: { pid: number }
    journal_mode: string
    schema: number
    known_schema: number
  } | null
  problems: { code: string }[]
}

function run(
  args: string[],
  variables: Record<string, string> = {},
): { code: number | null; out: string; err: string } {
  const kept = Object.entries(process.env).filter(([name]) => !/^(EVERSTEP|DAPR|KUBERNETES)_/.test(name))
  const env = { ...Object.fromEntries(kept), ...variables }
  const done = spawnSync(process.execPath, [MAIN, ...args], { cwd: place, env, encoding: "utf8", timeout: 60_000 })
  return { code: done.status, out: done.stdout, err: done.stderr }
}

function facts(args: string[], variables: Record<string, string> = {}): Facts {
  const { out, err } = run(["--json", ...args], variables)
  assert.equal(err, "")
  return JSON.parse(out) as Facts
}

test("the default is named and not made", () => {
  const { code, out } = run([])
  assert.equal(code, 0)
  const rows = new Map(out.split("\n").map((line) => [line.slice(0, 11).trim(), line.slice(12)]))
  assert.equal(rows.get("everstep"), facts([]).everstep)
  assert.equal(rows.get("node"), process.versions.node)
  assert.ok(rows.get("endpoint")?.endsWith("/.everstep/workflows.db (from default)"))
  assert.match(String(rows.get("store")), /^no file yet/)
  assert.deepEqual(readdirSync(place), [])
})

test("what names the endpoint is said", () => {
  assert.equal(facts(["memory:"], { EVERSTEP_ENDPOINT: "memory:b" }).endpoint_from, "argument")
  const found = facts([], { DAPR_GRPC_PORT: "50002" })
  assert.deepEqual(
    [found.endpoint, found.endpoint_from, found.store],
    ["grpc://127.0.0.1:50002", "DAPR_GRPC_PORT", null],
  )
})

test("a store is described beside its owner, without payloads", { timeout: 30_000 }, async () => {
  const endpoint = `sqlite:${join(place, "workflows.db")}`
  const echo = workflow("echo", async (_, text: string) => text)
  await using client = new Client(endpoint)
  await using _ = await Worker.start(client, { workflows: [echo] })
  await (await client.startWorkflow(echo, "secret text", { instanceId: "secret-id" })).result({ timeout: 30_000 })
  await client.startWorkflow("other", "secret text")
  const found = facts([endpoint], { DAPR_API_TOKEN: "secret token" })
  assert.deepEqual(found.store?.instances, { COMPLETED: 1, PENDING: 1 })
  assert.deepEqual([found.store?.owner.pid, found.store?.journal_mode, found.problems], [process.pid, "wal", []])
  const { code, out } = run([endpoint])
  assert.equal(code, 0)
  assert.match(out, /^instances +1 COMPLETED, 1 PENDING$/m)
  assert.ok(out.includes(`process ${process.pid} (`))
  assert.ok(!`${out}${JSON.stringify(found)}`.includes("secret"))
})

test("what is wrong is said, and is the exit code", () => {
  writeFileSync(join(place, "broken.db"), "no database ".repeat(1000), { mode: 0o600 })
  for (const [endpoint, problem] of [
    ["ftp:", "invalid_argument"],
    ["sqlite:broken.db", "store_corrupt"],
  ] as const) {
    assert.deepEqual(
      facts([endpoint]).problems.map(({ code }) => code),
      [problem],
    )
    const { code, out } = run([endpoint])
    assert.equal(code, 1)
    assert.match(out, new RegExp(`^problem     ${problem}: `, "m"))
  }
})

test("arguments", () => {
  assert.match(run(["--version"]).out, /^everstep \d+\.\d+\.\d+\n$/)
  assert.match(run(["--help"]).out, /--json/)
  assert.equal(run(["--loud"]).code, 2)
  assert.equal(run(["a", "b"]).code, 2)
})
