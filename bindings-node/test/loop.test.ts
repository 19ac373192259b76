// The event loop stays free for others while much is at work: it gets its turn after each batch.

import assert from "node:assert/strict"
import { join } from "node:path"
import { test } from "node:test"

import { activity, Client, Worker, workflow } from "everstep"

import type * as Native from "../native/native.js"

const MANY = 300
const MOST_TASKS = 64

/** Counts what happens between two turns of the event loop. */
class Between {
  most = 0
  #now = 0
  #watched = true

  constructor() {
    const turn = (): void => {
      this.#now = 0
      if (this.#watched) setImmediate(turn)
    }
    turn()
  }

  count(): void {
    this.#now += 1
    this.most = Math.max(this.most, this.#now)
  }

  [Symbol.dispose](): void {
    this.#watched = false
  }
}

test("no more activities run at a stretch than a batch has", { timeout: 60_000 }, async () => {
  using between = new Between()
  const counted = activity("counted", (number: number) => {
    between.count()
    return number
  })
  const fan = workflow("fan", async (ctx) => (await ctx.map(counted, Array(MANY).keys())).length)
  await using client = new Client("memory:")
  await using _worker = await Worker.start(client, { workflows: [fan], activities: [counted] })
  assert.equal(await (await client.startWorkflow(fan)).result({ timeout: 30_000 }), MANY)
  assert.ok(between.most > 1 && between.most <= MOST_TASKS, `${between.most} at a stretch`)
})

test("nor workflows, nor what waits for them", { timeout: 60_000 }, async () => {
  using turns = new Between()
  using answers = new Between()
  const one = workflow("one", async (_, number: number) => {
    turns.count()
    return number
  })
  await using client = new Client("memory:")
  const handles = await Promise.all(Array.from({ length: MANY }, (_, number) => client.startWorkflow(one, number)))
  const results = handles.map(async (handle) => {
    await handle.result({ timeout: 30_000 })
    answers.count()
  })
  await using _worker = await Worker.start(client, { workflows: [one] })
  await Promise.all(results)
  assert.ok(turns.most > 1 && turns.most <= MOST_TASKS, `${turns.most} turns at a stretch`)
  assert.ok(answers.most > 1 && answers.most <= MOST_TASKS, `${answers.most} answers at a stretch`)
})

test("answers that nobody can read are told, at once or later", { timeout: 60_000 }, async () => {
  const { native } = require(join(__dirname, "..", "..", "dist", "native.js")) as { native: typeof Native }
  await using client = new Client("memory:")
  let open!: (worker: Native.NativeWorker) => void
  const opened = new Promise<Native.NativeWorker>((resolve) => {
    open = resolve
  })
  let complain!: (error: Native.NativeError) => void
  const complaint = new Promise<Native.NativeError>((resolve) => {
    complain = resolve
  })
  const queue = new native.NativeQueue(([ended]) => open(ended?.value as Native.NativeWorker))
  queue.hold(true)
  const slots = { workflows: 1, activities: 1 }
  const request = { v: 1, host: "test", payloads: "inline", workflows: [], activities: [], max_cached: 1, slots }
  const internal = (client as unknown as { native: Native.NativeClient }).native
  const nothing = (): void => undefined
  native.openWorker(queue, internal, undefined, JSON.stringify(request), nothing, nothing, complain)
  const worker = await opened
  queue.hold(false)
  assert.equal(worker.complete("no JSON")?.code, "decode_failed")
  assert.equal(worker.complete("no JSON".repeat(1000)), null)
  assert.equal((await complaint).code, "decode_failed")
  // What was pulled ends with the worker, and lets go of the process.
  worker.pullWorkflows(1)
  worker.pullActivities(1)
  worker.shutdown(queue, 0)
})
