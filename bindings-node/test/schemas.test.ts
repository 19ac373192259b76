// Schemas: what payloads become, live and replayed, and what is said of one that does not fit.

import assert from "node:assert/strict"
import { suite, test } from "node:test"

import {
  ActivityError,
  activity,
  Client,
  DecodeError,
  InvalidArgumentError,
  RawPayload,
  type StandardSchema,
  Worker,
  WorkflowFailedError,
  workflow,
} from "everstep"
import * as v from "valibot"
import { z } from "zod"

const SOON = { timeout: 30_000 }

const Order = z.object({ item: z.string(), placed: z.coerce.date(), count: z.int().default(1) })
const Receipt = v.object({
  total: v.pipe(
    v.string(),
    v.transform((text) => BigInt(text)),
  ),
  at: v.pipe(
    v.union([v.string(), v.date()]),
    v.transform((text) => new Date(text)),
  ),
})
const PLACED = new Date("2026-11-21T10:00:00Z")

const bill = activity(
  "bill",
  (order) => {
    assert.ok(order.placed instanceof Date)
    return new RawPayload(JSON.stringify({ total: String(order.count * 2), at: order.placed })) as never
  },
  { input: Order, output: Receipt },
)

const total = (receipts: readonly { total: bigint }[]): bigint => receipts.reduce((sum, { total }) => sum + total, 0n)

const Sum = z.object({ sum: z.coerce.bigint(), at: z.coerce.date() })
const order = workflow(
  "order",
  async (ctx, order) => {
    assert.ok(order.placed instanceof Date)
    const called = await ctx.call(bill, order)
    const mapped = await ctx.map(bill, [order, { ...order, count: 5 }])
    const named = await ctx.callActivity("bill", order, { output: Receipt })
    const paid = await ctx.waitForEvent("paid", { schema: z.object({ at: z.coerce.date() }) })
    assert.ok([called.at, named.at, paid.at, ...mapped.map((each) => each.at)].every((each) => each instanceof Date))
    return { sum: Number(total([called, ...mapped, named])), at: paid.at } as never
  },
  { input: Order, output: Sum },
)
const parent = workflow("parent", async (ctx, order_: z.output<typeof Order>) => {
  const sums = [await ctx.call(order, order_), await ctx.callChild("order", order_, { output: Sum })]
  return sums.map(({ sum, at }) => [typeof sum, at instanceof Date])
})

suite("payloads have the form of their schema", () => {
  for (const maxCached of [1000, 0]) {
    test(`maxCached ${maxCached}`, SOON, async () => {
      await using client = new Client("memory:")
      await using _ = await Worker.start(client, { workflows: [order, parent], activities: [bill], maxCached })
      const handle = await client.startWorkflow(order, { item: "lamp", placed: PLACED, count: 2 }, { instanceId: "a" })
      await handle.raiseEvent("paid", { at: PLACED })
      assert.deepEqual(await handle.result(SOON), { sum: 22n, at: PLACED })
      assert.deepEqual(await client.getHandle("a", order).result(SOON), { sum: 22n, at: PLACED })
      assert.deepEqual(await client.getHandle("a").result(SOON), { sum: 22, at: PLACED.toISOString() })
      const state = await handle.state()
      assert.deepEqual(state.inputAs(Order), { item: "lamp", placed: PLACED, count: 2 })
      assert.deepEqual(state.outputAs(Sum), { sum: 22n, at: PLACED })
      assert.deepEqual(state.input, { item: "lamp", placed: PLACED.toISOString(), count: 2 })

      const [first] = (await handle.history()).calls
      assert.ok(first !== undefined)
      const again = await handle.rerun(first)
      await again.raiseEvent("paid", { at: PLACED })
      assert.deepEqual(await again.result(SOON), { sum: 22n, at: PLACED })

      const both = await client.startWorkflow(parent, { item: "desk", placed: PLACED, count: 1 })
      for (let done = 0; done < 2; ) {
        for await (const child of client.listWorkflows({ parentInstanceId: both.instanceId, statuses: ["RUNNING"] })) {
          await client.raiseWorkflowEvent(child.instanceId, "paid", { at: PLACED })
          await client.waitForWorkflowCompletion(child.instanceId, SOON)
          done += 1
        }
      }
      assert.deepEqual(await both.result(SOON), [
        ["bigint", true],
        ["bigint", true],
      ])
    })
  }
})

test("a payload that does not fit names the place, and fails the call alone", SOON, async () => {
  const Numbers = z.object({ list: z.array(z.object({ price: z.number() })) })
  const takes = activity("takes", (numbers) => numbers.list.length, { input: Numbers })
  const gives = activity("gives", () => ({ list: [{ price: "1" }] }) as never, { output: Numbers })
  const flow = workflow("flow", async (ctx) => {
    const retry = { maxAttempts: 5, firstInterval: 60_000 }
    const seen: unknown[] = []
    // A second attempt would come in a minute, long after the test's patience.
    await ctx.callActivity("takes", { list: [{ price: 1 }, {}] }, { retry }).catch((error: ActivityError) => {
      assert.ok(error instanceof ActivityError)
      seen.push(error.errorType, error.failure?.nonRetryable, error.failure?.message)
    })
    await ctx.call(gives).catch((error: DecodeError) => {
      assert.ok(error instanceof DecodeError)
      seen.push(error.message, error.text)
    })
    await ctx.waitForEvent("number", { schema: v.number() }).catch((error: DecodeError) => seen.push(error.text))
    return seen
  })
  const strict = workflow("strict", async (_, numbers) => numbers.list.length, {
    input: Numbers,
    output: v.string() as never,
  })
  await using client = new Client("memory:")
  await using _ = await Worker.start(client, { workflows: [flow, strict], activities: [takes, gives] })
  const handle = await client.startWorkflow(flow)
  await handle.raiseEvent("number", "twelve")
  const found = (await handle.result(SOON)) as unknown[]
  assert.deepEqual(found.slice(0, 2), ["DecodeError", true])
  assert.match(String(found[2]), /does not fit its schema: list\[1\]\.price: /)
  assert.match(String(found[3]), /list\[0\]\.price: /)
  assert.deepEqual(found.slice(4), ['{"list":[{"price":"1"}]}', '"twelve"'])

  await assert.rejects((await client.startWorkflow("strict", 7)).result(SOON), (error) => {
    assert.ok(error instanceof WorkflowFailedError)
    assert.equal(error.errorType, "DecodeError")
    return true
  })
  const ended = await client.startWorkflow(strict, { list: [] }, { instanceId: "strict" })
  await assert.rejects(ended.result(SOON), (error) => {
    assert.ok(error instanceof DecodeError)
    assert.deepEqual([error.instanceId, error.text], ["strict", "0"])
    return true
  })
  assert.equal((await ended.state()).runtimeStatus, "COMPLETED")
})

test("a schema that answers later, or throws, is an error", SOON, async () => {
  await using client = new Client("memory:")
  const state = await (await client.startWorkflow("any", 7)).state()
  const later = z.number().refine(async () => true)
  assert.throws(() => state.inputAs(later), InvalidArgumentError)
  const throwing: StandardSchema<number> = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: () => {
        throw new RangeError("no")
      },
    },
  }
  assert.throws(
    () => state.inputAs(throwing),
    (error) => error instanceof DecodeError && error.cause instanceof RangeError,
  )
  const lazy: StandardSchema<number> = {
    "~standard": { version: 1, vendor: "test", validate: async (value) => ({ value: value as number }) },
  }
  assert.throws(() => state.inputAs(lazy), /a schema of test answers later/)
  assert.throws(() => workflow("w", async () => 1, { input: {} as never }), InvalidArgumentError)
  assert.throws(() => activity("a", () => 1, { output: 7 as never }), InvalidArgumentError)
  assert.throws(() => state.outputAs("text" as never), InvalidArgumentError)
})

test("nothing is nothing, be it null or absent", SOON, async () => {
  const maybe = workflow("maybe", async (_, text) => (text === undefined ? undefined : null), {
    input: z.string().optional(),
    output: z.null().optional(),
  })
  const never = workflow("never", async (): Promise<void> => {}, { output: z.void() })
  const nullable = workflow("nullable", async (_, text) => text, {
    input: z.string().nullable(),
    output: v.string() as never,
  })
  await using client = new Client("memory:")
  await using _ = await Worker.start(client, { workflows: [maybe, never, nullable] })
  assert.equal(await (await client.startWorkflow(maybe)).result(SOON), null)
  assert.equal(await (await client.startWorkflow(maybe, "text")).result(SOON), null)
  assert.equal(await (await client.startWorkflow(never)).result(SOON), undefined)
  assert.equal(await (await client.startWorkflow("nullable")).result(SOON), null)
  const handle = await client.startWorkflow(nullable, null)
  await assert.rejects(handle.result(SOON), DecodeError)
  assert.equal((await handle.state()).inputAs(z.string().optional()), undefined)
})
