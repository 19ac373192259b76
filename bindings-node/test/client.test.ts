// What is particular to the client in this language: signals, iterators, types, fairness to the event loop.

import assert from "node:assert/strict"
import { test } from "node:test"
import { setImmediate as turn } from "node:timers/promises"

import {
  activity,
  Client,
  ClosedError,
  InvalidArgumentError,
  OperationCancelledError,
  OperationTimeoutError,
  RawPayload,
  Timestamp,
  Worker,
  workflow,
} from "everstep"

import { conformance } from "./shared.js"

const waiting = workflow("waiting", async (ctx) => ctx.waitForEvent<string>("go"))
const echo = activity("echo", (value: string) => value)
const echoing = workflow("echoing", async (ctx, value: string) => ctx.call(echo, value))

test("a signal gives a wait up, and says why", { timeout: 60_000 }, async () => {
  await using client = new Client("memory:")
  const handle = await client.startWorkflow(waiting)
  const controller = new AbortController()
  const wait = handle.result({ signal: controller.signal })
  const reason = new Error("enough")
  controller.abort(reason)
  await assert.rejects(wait, (error) => {
    assert.ok(error instanceof OperationCancelledError)
    assert.deepEqual([error.code, error.cause], ["cancelled", reason])
    return true
  })
  await assert.rejects(handle.state({ signal: controller.signal }), OperationCancelledError)
  assert.equal((await handle.state()).runtimeStatus, "PENDING")
})

test("a thousand waits that are given up leave nothing behind", { timeout: 60_000 }, async () => {
  await using client = new Client("memory:")
  const handle = await client.startWorkflow(waiting)
  const controller = new AbortController()
  const waits = Array.from({ length: 1000 }, () => handle.result({ signal: controller.signal }))
  controller.abort()
  const ended = await Promise.allSettled(waits)
  assert.ok(ended.every((one) => one.status === "rejected" && one.reason instanceof OperationCancelledError))
  await assert.rejects(handle.result({ timeout: 1 }), OperationTimeoutError)
})

test("closing lets those go who wait", { timeout: 60_000 }, async () => {
  const client = new Client("memory:")
  const handle = await client.startWorkflow(waiting)
  const wait = assert.rejects(handle.result(), ClosedError)
  await client.close()
  await wait
})

test("a program that asks in a loop leaves the event loop its turn", { timeout: 60_000 }, async () => {
  await using client = new Client("memory:")
  await using _ = await Worker.start(client, { workflows: [echoing], activities: [echo] })
  const handle = await client.startWorkflow(echoing, "text")
  while ((await handle.state()).runtimeStatus !== "COMPLETED");
  assert.equal(await handle.result(), "text")
})

test("listing is lazy and may be left", { timeout: 60_000 }, async () => {
  await using client = new Client("memory:")
  for (let n = 0; n < 7; n += 1) await client.startWorkflow(waiting, undefined, { instanceId: `w-${n}` })
  const seen: string[] = []
  for await (const state of client.listWorkflows({ pageSize: 2 })) {
    seen.push(state.instanceId)
    if (seen.length === 3) break
  }
  assert.deepEqual(seen, ["w-6", "w-5", "w-4"])
  assert.deepEqual(await client.countWorkflows(), { PENDING: 7 })
  const state = await client.getWorkflow("w-3")
  assert.ok(state.createdAt instanceof Timestamp && state.createdAt instanceof Date)
  const since: string[] = []
  for await (const { instanceId } of client.listWorkflows({ createdFrom: state.createdAt })) since.push(instanceId)
  assert.deepEqual(since, ["w-6", "w-5", "w-4", "w-3"])
})

test("a watch tells of every change up to the last", { timeout: 60_000 }, async () => {
  await using client = new Client("memory:")
  await using _ = await Worker.start(client, { workflows: [waiting] })
  const handle = await client.startWorkflow(waiting)
  await handle.waitForStart()
  const statuses: string[] = []
  for await (const state of handle.watch()) {
    statuses.push(state.runtimeStatus)
    if (statuses.length === 1) await handle.raiseEvent("go", "now")
  }
  assert.deepEqual([statuses[0], statuses.at(-1)], ["RUNNING", "COMPLETED"])
  const history = await handle.history()
  assert.equal(history.eventsOf("EventRaised")[0]?.input, "now")
  assert.equal(history.eventsOf("ExecutionStarted")[0]?.outcome?.status, "COMPLETED")
  assert.match(history.toMermaid(), /^sequenceDiagram/)
})

test("a start takes what was made to be started", { timeout: 60_000 }, async () => {
  await using client = new Client("memory:")
  await assert.rejects(client.startWorkflow(echo as never, "a"), InvalidArgumentError)
  await turn()
})

interface Mark {
  name: string
  stored: string
  meant: unknown
}

test("the marks of Dapr's Python SDK are no part of what it sent", { timeout: 60_000 }, async (each) => {
  const seen: unknown[] = []
  const look = workflow("look", async (ctx, value: unknown) => {
    seen.push(value)
    seen.push(await ctx.waitForEvent("more"))
  })
  await using client = new Client("memory:")
  await using _ = await Worker.start(client, { workflows: [look] })
  const { vectors } = conformance<{ vectors: Mark[] }>("vectors/marks.json")
  assert.ok(vectors.length > 10)
  for (const { name, stored, meant } of vectors) {
    await each.test(name, async () => {
      const handle = await client.startWorkflow("look", new RawPayload(stored))
      await handle.raiseEvent("more", new RawPayload(stored))
      await handle.result({ timeout: 30_000 })
      const state = await handle.state()
      assert.deepEqual([...seen.splice(0), state.input], [meant, meant, meant])
      assert.equal(state.rawInput, stored)
    })
  }
})
