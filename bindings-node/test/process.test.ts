// How a process ends, and what happens in threads of its own.

import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { test } from "node:test"
import { Worker as Thread } from "node:worker_threads"

import { RUNTIME } from "./shared.js"

const ROOT = join(__dirname, "..", "..")

const HEAD = `
const { activity, Client, Worker, workflow } = require(${JSON.stringify(ROOT)})
const { setTimeout: pause } = require("node:timers/promises")
const work = activity("work", async (ms) => { console.log("begun"); await pause(ms); console.log("done"); return ms })
const run = workflow("run", async (ctx, ms) => ctx.call(work, ms))
const open = async () => {
  const client = new Client("memory:")
  const worker = await Worker.start(client, { workflows: [run], activities: [work] })
  return { client, worker }
}
`

/** Runs a program to its end, with a signal as soon as it has printed \`begun\`. */
async function program(
  body: string,
  signal?: NodeJS.Signals,
): Promise<{ code: number | null; signal: string | null; out: string }> {
  const child = spawn(RUNTIME, ["--expose-gc", "-e", `${HEAD}\n;(async () => {${body}})()`], {
    stdio: ["ignore", "pipe", "inherit"],
  })
  const limit = setTimeout(() => child.kill("SIGKILL"), 60_000)
  let out = ""
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const had = out.includes("begun")
    out += text
    if (signal !== undefined && !had && out.includes("begun")) child.kill(signal)
  })
  const [code, ended] = (await once(child, "close")) as [number | null, string | null]
  clearTimeout(limit)
  return { code, signal: ended, out }
}

test("a program whose client and worker are closed ends by itself", async () => {
  const { code, out } = await program(`
    const { client, worker } = await open()
    console.log(await (await client.startWorkflow(run, 1)).result())
    await worker.close(); await client.close()`)
  assert.deepEqual([code, out], [0, "begun\ndone\n1\n"])
})

test("a client that nobody closed keeps no process alive", async () => {
  const { code } = await program(`const client = new Client("memory:"); await client.startWorkflow(run, 1)`)
  assert.equal(code, 0)
})

test("a wait keeps the process alive, and so does an open worker", async () => {
  const { code, out } = await program(`
    const { client, worker } = await open()
    const handle = await client.startWorkflow(run, 50)
    handle.result().then((ms) => { console.log("result", ms); return worker.close() })`)
  assert.deepEqual([code, out], [0, "begun\ndone\nresult 50\n"])
})

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`${signal} lets what is at work finish, then ends the process`, async () => {
    const ended = await program(`const { client } = await open(); await client.startWorkflow(run, 100)`, signal)
    assert.deepEqual(ended, { code: null, signal, out: "begun\ndone\n" })
  })
}

// Others than V8 give their heap back when they like.
const notV8 = RUNTIME === process.execPath ? false : "the heap is not V8's"

test("what has ended leaves nothing behind", { skip: notV8 }, async () => {
  const { code, out } = await program(`
    const quiet = activity("quiet", async (n) => n + 1)
    const chain = workflow("chain", async (ctx, n) => { for (let i = 0; i < 3; i++) n = await ctx.call(quiet, n); return n })
    const client = new Client("memory:")
    const worker = await Worker.start(client, { workflows: [chain], activities: [quiet] })
    const heaps = []
    for (let round = 0; round < 4; round++) {
      let begun = 0
      const lane = async () => { while (begun++ < 1000) await (await client.startWorkflow(chain, 1)).result() }
      await Promise.all(Array.from({ length: 32 }, lane))
      await client.purgeWorkflows()
      gc(); await new Promise(setImmediate); gc()
      heaps.push(process.memoryUsage().heapUsed)
    }
    await worker.close(); await client.close()
    console.log(heaps[3] - heaps[0])`)
  assert.equal(code, 0)
  assert.ok(Number(out) < 1_000_000, `the heap has grown by ${out.trim()} bytes`)
})

test("process.exit in the midst of it all is no crash", async () => {
  const { code } = await program(`
    const { client } = await open()
    for (let n = 0; n < 50; n++) { const handle = await client.startWorkflow(run, 5000); handle.result() }
    process.exit(7)`)
  assert.equal(code, 7)
})

test("a thread has a client and a worker of its own, and may be ended with both open", async () => {
  const source = `${HEAD}
    const { parentPort } = require("node:worker_threads")
    ;(async () => {
      const { client } = await open()
      parentPort.postMessage(await (await client.startWorkflow(run, 1)).result())
      client.startWorkflow(run, 60000).then((handle) => handle.result())
    })()`
  for (let n = 0; n < 3; n += 1) {
    const thread = new Thread(source, { eval: true, stdout: true })
    const [found] = (await once(thread, "message")) as [number]
    assert.equal(found, 1)
    await thread.terminate()
  }
})
