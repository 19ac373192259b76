// What must not pile up, and what several threads do to one another: cancelled calls, clients and workers that nobody closed,
// engines of one file, rejections that nobody handles, and a long run.

import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, type TestOptions, test } from "node:test"
import { Worker as Thread } from "node:worker_threads"

import { Client, OperationCancelledError, RuntimeStatus, Worker, workflow } from "everstep"

const ROOT = join(__dirname, "..", "..")
const options: TestOptions = { timeout: 120_000 }
const folder = mkdtempSync(join(tmpdir(), "everstep-endurance-"))
/** How long the long run is. */
const SOAK_SECONDS = Number(process.env["SOAK_SECONDS"] ?? 20)

after(() => rmSync(folder, { recursive: true }))

/** Runs a program with the garbage collector at hand; gives what it printed. */
async function program(body: string): Promise<{ code: number | null; out: string; err: string }> {
  const head = `
    const { activity, Client, Worker, workflow } = require(${JSON.stringify(ROOT)})
    const { setTimeout: pause } = require("node:timers/promises")
    const collect = async () => { for (let n = 0; n < 3; n++) { gc(); await new Promise(setImmediate) } }
    const threads = () => require("node:fs").readdirSync("/proc/self/task").length
    const files = () => require("node:fs").readdirSync("/proc/self/fd").length`
  const child = spawn(process.execPath, ["--expose-gc", "-e", `${head}\n;(async () => {${body}})()`], {
    stdio: ["ignore", "pipe", "pipe"],
  })
  const limit = setTimeout(() => child.kill("SIGKILL"), 100_000)
  let [out, err] = ["", ""]
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text
  })
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text
  })
  const [code] = (await once(child, "close")) as [number | null]
  clearTimeout(limit)
  return { code, out, err }
}

test("calls that are given up leave nothing in the core, and the workflow goes on", options, async () => {
  await using client = new Client("memory:")
  const waits = workflow("waits", async (ctx) => ctx.waitForEvent<number>("go"))
  await using _ = await Worker.start(client, { workflows: [waits], handleSignals: false })
  const handle = await client.startWorkflow(waits)
  await handle.waitForStart({ timeout: 30_000 })
  for (let round = 0; round < 5; round += 1) {
    const given = new AbortController()
    const calls = Array.from({ length: 200 }, () => handle.result({ signal: given.signal }))
    const rejected = Promise.allSettled(calls)
    given.abort(new Error("no longer needed"))
    for (const call of await rejected) {
      assert.ok(call.status === "rejected" && call.reason instanceof OperationCancelledError)
      assert.match(String(call.reason.cause), /no longer needed/)
    }
  }
  assert.equal((await handle.state()).runtimeStatus, RuntimeStatus.RUNNING)
  await handle.raiseEvent("go", 7)
  assert.equal(await handle.result({ timeout: 30_000 }), 7)
})

test(
  "clients and workers that are closed, or that nobody holds any more, give back threads and files",
  options,
  async () => {
    const { code, out, err } = await program(`
    const w = workflow("w", async () => 1)
    const path = ${JSON.stringify(join(folder, "given-back"))}
    const once = async (n, close) => {
      const client = new Client("sqlite:" + path + n + ".db")
      const worker = close ? await Worker.start(client, { workflows: [w], handleSignals: false }) : undefined
      const handle = await client.startWorkflow(w)
      if (worker === undefined) return
      await handle.result({ timeout: 30_000 })
      await worker.close(); await client.close()
    }
    await once(0, true)
    const before = [threads(), files()]
    for (let n = 0; n < 40; n++) await once(n, n % 2 === 0)
    for (let n = 0; n < 200 && (await collect(), threads() > before[0] || files() > before[1]); n++) await pause(50)
    console.log(JSON.stringify([threads() - before[0], files() - before[1]]))`)
    assert.deepEqual([code, err], [0, ""])
    const [moreThreads, moreFiles] = JSON.parse(out) as [number, number]
    assert.ok(moreThreads <= 0 && moreFiles <= 0, `${moreThreads} threads and ${moreFiles} files more than before`)
  },
)

test("threads of one process share the engine of a file", options, async () => {
  const endpoint = `sqlite:${join(folder, "shared.db")}`
  const source = `
    const { activity, Client, Worker, workflow } = require(${JSON.stringify(ROOT)})
    const { parentPort, threadId } = require("node:worker_threads")
    const where = activity("where", () => threadId)
    const w = workflow("w", async (ctx) => ctx.call(where))
    ;(async () => {
      const client = new Client(${JSON.stringify(endpoint)})
      const worker = await Worker.start(client, { workflows: [w], activities: [where] })
      parentPort.once("message", async () => { await worker.close(); await client.close() })
      const own = await Promise.all(Array.from({ length: 20 }, async () => (await client.startWorkflow(w)).result({ timeout: 30_000 })))
      parentPort.postMessage(own.length)
    })()`
  const threads = [0, 1, 2].map(() => new Thread(source, { eval: true }))
  const done = await Promise.all(threads.map((thread) => once(thread, "message")))
  assert.deepEqual(done, [[20], [20], [20]])
  await using client = new Client(endpoint)
  const counts = await client.countWorkflows()
  assert.deepEqual(counts, { COMPLETED: 60 })
  // One thread is ended without a word, and the others go on.
  await threads[0]?.terminate()
  const later = await client.startWorkflow<number>("w")
  assert.ok((await later.result({ timeout: 30_000 })) !== threads[0]?.threadId)
  const ends = threads.slice(1).map((thread) => once(thread, "exit"))
  for (const thread of threads.slice(1)) thread.postMessage("close")
  assert.deepEqual(await Promise.all(ends), [[0], [0]])
})

test("a stray rejection of a workflow ends nobody; one of the program ends it, as ever", options, async () => {
  const body = (own: string): string => `
    const fails = activity("fails", async () => { throw new Error("of the activity") })
    const strays = workflow("strays", async (ctx) => { ctx.call(fails); await ctx.sleep(20); return "done" })
    const client = new Client("memory:")
    const worker = await Worker.start(client, { workflows: [strays], activities: [fails] })
    console.log(await (await client.startWorkflow(strays)).result({ timeout: 30_000 }))
    ${own}
    await new Promise(setImmediate)
    await worker.close(); await client.close()
    console.log("closed")`
  assert.deepEqual(await program(body("")), { code: 0, out: "done\nclosed\n", err: "" })
  const { code, out, err } = await program(body(`Promise.reject(new Error("of the program"))`))
  assert.deepEqual([code, out], [1, "done\n"])
  assert.match(err, /of the program/)
})

test(`nothing grows in ${SOAK_SECONDS} seconds of everything`, options, async () => {
  const { code, out, err } = await program(`
    const add = activity("add", async (n) => n + 1)
    const fails = activity("fails", () => { throw new Error("no") })
    const child = workflow("child", async (ctx, n) => ctx.call(add, n))
    const mixed = workflow("mixed", async (ctx, n) => {
      const [a, b] = await Promise.all([ctx.call(add, n), ctx.call(child, n)])
      await Promise.race([ctx.sleep(2), ctx.waitForEvent("never", { timeout: 3 }).catch(() => undefined)])
      await ctx.call(fails).catch(() => undefined)
      const event = await ctx.waitForEvent("go")
      ctx.setCustomStatus({ event })
      return a + b + event
    })
    const client = new Client("sqlite:" + ${JSON.stringify(join(folder, "soak.db"))}, { durability: "process" })
    const options = { workflows: [mixed, child], activities: [add, fails], maxCached: 20 }
    const worker = await Worker.start(client, options)
    const marks = []
    const until = Date.now() + ${SOAK_SECONDS * 1000}
    let next = Date.now(), ran = 0
    while (Date.now() < until) {
      await Promise.all(Array.from({ length: 64 }, async (_, lane) => {
        const handle = await client.startWorkflow(mixed, lane)
        await handle.raiseEvent("go", 1)
        if (await handle.result({ timeout: 30_000 }) !== 2 * lane + 3) throw new Error("wrong")
        ran += 1
      }))
      await client.purgeWorkflows()
      if (Date.now() >= next) {
        await collect()
        const { heapUsed, rss } = process.memoryUsage()
        marks.push({ heap: heapUsed, rss, threads: threads(), files: files() })
        next = Date.now() + ${SOAK_SECONDS * 100}
      }
    }
    await worker.close(); await client.close()
    console.log(JSON.stringify({ ran, marks }))`)
  assert.deepEqual([code, err], [0, ""])
  const { ran, marks } = JSON.parse(out) as { ran: number; marks: Record<string, number>[] }
  assert.ok(ran >= 64 && marks.length >= 4, `${ran} workflows, ${marks.length} looks`)
  // The first third is warm-up.
  const steady = marks.slice(Math.ceil(marks.length / 3))
  const grown = (key: string): number => (steady.at(-1)?.[key] ?? 0) - (steady[0]?.[key] ?? 0)
  assert.ok(grown("heap") < 2_000_000, `the heap has grown by ${grown("heap")} bytes`)
  assert.ok(grown("rss") < 24_000_000, `the process has grown by ${grown("rss")} bytes`)
  assert.ok(grown("threads") <= 0 && grown("files") <= 0, `${grown("threads")} threads, ${grown("files")} files`)
})
