// Workers and sidecars of a real Dapr die in the middle of work and come back; every instance ends as if nothing had happened.
// Each test has a sidecar to itself, with its state in Redis; `cluster.py --revive` starts again what dies.

import assert from "node:assert/strict"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, type TestOptions, test } from "node:test"
import { setTimeout as pause } from "node:timers/promises"

import { Client, ClosedError, Worker, type WorkflowHandle } from "everstep"

import { expected, Ledger, PATIENCE, programs } from "./program.js"

const options: TestOptions = { timeout: 180_000 }
const PORTS = (process.env["EVERSTEP_DAPR_GRPC_PORTS"] ?? "").split(",")
const PIDS = (process.env["EVERSTEP_DAPR_PIDS"] ?? "").split(",").map(Number)
const folder = mkdtempSync(join(tmpdir(), "everstep-faults-"))
let used = 0

after(() => rmSync(folder, { recursive: true }))

interface Place {
  readonly port: string
  readonly pid: number
  readonly ledger: Ledger
}

/** A sidecar that no other test uses, and a ledger. */
function place(): Place {
  const number = used
  used += 1
  const port = PORTS[number]
  assert.ok(port !== undefined && port !== "", "too few sidecars: run this by `make test-dapr`")
  return { port, pid: PIDS[number] as number, ledger: new Ledger(join(folder, `ledger-${number}`)) }
}

/** A worker process. */
function spawned({ port, ledger }: Place, hold = -1): ChildProcess {
  const program = [join(__dirname, "program.js"), ledger.path, String(hold)]
  const env = { ...process.env, DAPR_GRPC_PORT: port, DAPR_GRPC_ENDPOINT: "" }
  return spawn(process.execPath, program, { stdio: ["pipe", "inherit", "inherit"], env })
}

async function ended(child: ChildProcess): Promise<[number | null, string | null]> {
  child.stdin?.end()
  if (child.exitCode !== null || child.signalCode !== null) return [child.exitCode, child.signalCode]
  return (await once(child, "exit", { signal: AbortSignal.timeout(PATIENCE) })) as [number | null, string | null]
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (const end = Date.now() + PATIENCE; !holds(); await pause(10)) {
    assert.ok(Date.now() < end, `${what} after ${PATIENCE} ms`)
  }
}

function gate(): { passed: Promise<void>; open: () => void } {
  let open = (): void => undefined
  const passed = new Promise<void>((resolve) => {
    open = resolve
  })
  return { passed, open }
}

/** Every step of so many instances once, but `twice` once more. */
function ranOnce(ids: string[], count: number, twice = -1): string[] {
  const steps = [...Array(count).keys()]
  return ids.flatMap((id) => steps.map((step) => `${id} ${step} × ${step === twice ? 2 : 1}`)).sort()
}

test("another worker takes over from one that was killed in an activity", options, async () => {
  const here = place()
  await using client = new Client(`grpc://127.0.0.1:${here.port}`)
  const first = spawned(here, 2)
  const ids = [0, 1, 2, 3].map((number) => `killed-${number}`)
  const handles = await Promise.all(ids.map((instanceId) => client.startWorkflow<number[]>("steps", 4, { instanceId })))
  await here.ledger.waitFor(3 * ids.length)
  first.kill("SIGKILL")
  assert.deepEqual(await ended(first), [null, "SIGKILL"])
  const second = spawned(here)
  for (const handle of handles) assert.deepEqual(await handle.result({ timeout: PATIENCE }), expected(4))
  assert.deepEqual(await ended(second), [0, null])
  assert.deepEqual(here.ledger.runs(), ranOnce(ids, 4, 2))
})

for (const signal of ["SIGKILL", "SIGTERM"] as const) {
  test(`a sidecar that ends by ${signal} and comes back loses nothing`, options, async () => {
    const here = place()
    await using client = new Client(`grpc://127.0.0.1:${here.port}`)
    await using worker = await Worker.start(client, { ...programs(here.ledger), handleSignals: false })
    await worker.waitUntilReady({ timeout: PATIENCE })
    const handles: WorkflowHandle<number[]>[] = []
    for (const name of ["steps", "pauses", "at_once", "asks"]) {
      for (let number = 0; number < 6; number += 1) {
        handles.push(await client.startWorkflow<number[]>(name, 4, { instanceId: `${name}-${number}` }))
      }
    }
    await here.ledger.waitFor(handles.length)
    process.kill(here.pid, signal)
    await until("the worker is still ready", () => !worker.isReady)
    await worker.waitUntilReady({ timeout: PATIENCE })
    assert.equal(worker.isReady, true)
    for (let number = 0; number < 6; number += 1) await client.raiseWorkflowEvent(`asks-${number}`, "answer", 0)
    for (const { instanceId, result } of handles.map((handle) => ({
      instanceId: handle.instanceId,
      result: handle.result({ timeout: PATIENCE }),
    }))) {
      assert.deepEqual(await result, expected(4), instanceId)
    }
    const steps = new Set(here.ledger.effects().map(({ id, step }) => `${id} ${step}`))
    assert.equal(steps.size, 4 * handles.length)
  })
}

test("a worker that closes finishes what it has at hand, and only then lets go", options, async () => {
  const here = place()
  await using client = new Client(`grpc://127.0.0.1:${here.port}`)
  const within = gate()
  const release = gate()
  const hold = async (step: number): Promise<void> => {
    if (step !== 1) return
    within.open()
    await release.passed
  }
  const worker = await Worker.start(client, { ...programs(here.ledger, hold), handleSignals: false })
  const handle = await client.startWorkflow<number[]>("steps", 3, { instanceId: "drained" })
  await within.passed
  let closed = false
  const closing = worker.close({ timeout: PATIENCE }).then(() => {
    closed = true
  })
  await assert.rejects(worker.waitUntilReady(), ClosedError)
  assert.deepEqual([closed, worker.isReady, worker.isClosed], [false, false, false])
  release.open()
  await closing
  assert.equal(worker.isClosed, true)
  const second = spawned(here)
  assert.deepEqual(await handle.result({ timeout: PATIENCE }), expected(3))
  await ended(second)
  assert.deepEqual(here.ledger.runs(), ranOnce(["drained"], 3))
})

test("a worker process that is told to end drains, and leaves the rest to another", options, async () => {
  const here = place()
  await using client = new Client(`grpc://127.0.0.1:${here.port}`)
  const first = spawned(here, 1)
  const handle = await client.startWorkflow<number[]>("steps", 3, { instanceId: "told" })
  await here.ledger.waitFor(2)
  first.kill("SIGTERM")
  first.kill("SIGUSR2")
  assert.deepEqual(await once(first, "exit", { signal: AbortSignal.timeout(PATIENCE) }), [null, "SIGTERM"])
  const second = spawned(here)
  assert.deepEqual(await handle.result({ timeout: PATIENCE }), expected(3))
  await ended(second)
  assert.deepEqual(here.ledger.runs(), ranOnce(["told"], 3))
})
