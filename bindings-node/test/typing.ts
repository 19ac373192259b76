// Programs that must not compile: each line under a mark is an error, and a mark without one is an error as well.

import { activity, Client, RawPayload, Worker, type Workflow, type WorkflowHandle, workflow } from "everstep"
import { Environment, replay } from "everstep/testing"
import * as v from "valibot"
import { z } from "zod"

interface Order {
  item: string
}

const reserve = activity("reserve", async (order: Order) => ({ id: order.item }))
const tick = activity("tick", () => 1)
const process = workflow("process", async (ctx, order: Order) => {
  const reserved: { id: string } = await ctx.call(reserve, order, { retry: { maxAttempts: 2 }, timeout: 1000 })
  const [one, two] = await Promise.all([ctx.call(tick), ctx.call(reserve, order)])
  const first = await ctx.any([ctx.call(tick), ctx.call(reserve, order)])
  if (first.index === 0) first.value.toFixed()
  else first.value.id.trim()
  const many: number[] = await ctx.map(tick, [undefined])
  // @ts-expect-error an activity's input has a type
  ctx.call(reserve, 7)
  // @ts-expect-error and must be given
  ctx.call(reserve)
  // @ts-expect-error an activity has no instance ID
  ctx.call(tick, undefined, { instanceId: "a" })
  // @ts-expect-error a child workflow has no timeout
  ctx.call(process, order, { timeout: 1 })
  // @ts-expect-error what an activity gives has a type
  const wrong: string = await ctx.call(tick)
  // @ts-expect-error items have a type
  ctx.map(reserve, ["a"])
  // @ts-expect-error durations are numbers
  ctx.sleep("1s")
  return { reserved, one, two, many, wrong }
})

/** Whether two types are the same; `any` is the same as nothing else. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

function prove<_ extends true>(): void {}

// What a function says, or its schema, reaches whoever calls it.
const Placed = z.object({ item: z.string(), at: z.coerce.date() })
const Length = v.pipe(
  v.string(),
  v.transform((text) => text.length),
)
const place = activity("place", (placed, ctx) => `${placed.item} ${placed.at.getTime()} ${ctx.attempt}`, {
  input: Placed,
})
const measure = activity("measure", async (text: string): Promise<number> => text.length, { output: Length })
const typed = workflow(
  "typed",
  async (ctx, placed) => {
    prove<Same<typeof placed, { item: string; at: Date }>>()
    const text = await ctx.call(place, placed)
    prove<Same<typeof text, string>>()
    const length = await ctx.call(measure, text)
    prove<Same<typeof length, number>>()
    const lengths = await ctx.map(measure, [text], { maxConcurrency: 2, settled: true })
    prove<Same<typeof lengths, PromiseSettledResult<number>[]>>()
    const all = await ctx.all([ctx.call(place, placed), ctx.call(measure, text), 7 as const])
    prove<Same<typeof all, [string, number, 7]>>()
    const named = await ctx.callActivity("place", placed, { output: Length })
    prove<Same<typeof named, number>>()
    const child = await ctx.callChild("typed", placed, { output: Placed })
    prove<Same<typeof child, { item: string; at: Date }>>()
    const untyped = await ctx.callActivity("place", placed)
    prove<Same<typeof untyped, unknown>>()
    const event = await ctx.waitForEvent("placed", { schema: Placed, timeout: 1 })
    prove<Same<typeof event, { item: string; at: Date }>>()
    const said = await ctx.waitForEvent<string>("said")
    prove<Same<typeof said, string>>()
    await ctx.call(place, new RawPayload('{"item":"a","at":"2026-11-21"}'))
    // @ts-expect-error what a schema gives is what is passed, not what it reads
    ctx.call(place, { item: "a", at: "2026-11-21" })
    // @ts-expect-error a schema's type is not asked for a second time
    ctx.waitForEvent<string>("placed", { schema: Placed })
    return { length, at: event.at }
  },
  { input: Placed, output: z.object({ length: z.number(), at: z.date() }) },
)
prove<Same<typeof typed, Workflow<{ item: string; at: Date }, { length: number; at: Date }>>>()

// @ts-expect-error a function and its schema agree on the input
activity("number", (value: number) => value, { input: z.string() })
// @ts-expect-error and on the output
activity("text", (value: number) => String(value), { output: z.number() })
// @ts-expect-error a schema is one of a library, not a class
activity("class", (value: Date) => value, { input: Date })

export async function schemas(client: Client): Promise<void> {
  const started = await client.startWorkflow(typed, { item: "a", at: new Date() })
  prove<Same<typeof started, WorkflowHandle<{ length: number; at: Date }>>>()
  const known = await client.getHandle("a", typed, { executionId: "b" }).result()
  prove<Same<typeof known, { length: number; at: Date }>>()
  const unknown = await client.getHandle("a").result()
  prove<Same<typeof unknown, unknown>>()
  const state = await started.state()
  const input = state.inputAs(Placed)
  prove<Same<typeof input, { item: string; at: Date }>>()
  const again = await started.rerun(3)
  prove<Same<typeof again, typeof started>>()
  // @ts-expect-error an input is what the schema gives
  await client.startWorkflow(typed, { item: "a", at: "now" })
  await using env = await Environment.start({ workflows: [typed, process], activities: [place, measure, reserve] })
  const count: number = await replay(env.client, [typed], { statuses: ["RUNNING"] })
  // @ts-expect-error a status has a name of Dapr's
  await replay(env.client, [typed], { statuses: ["DONE"] })
  // @ts-expect-error a codec has its four methods
  new Client("memory:", { codec: { seal: (text: string) => text } })
  void count
}

export async function program(client: Client): Promise<void> {
  const handle: WorkflowHandle<{ one: number }> = await client.startWorkflow(
    process,
    { item: "a" },
    { instanceId: "a" },
  )
  const one: number = (await handle.result()).one
  // @ts-expect-error a workflow's input has a type
  await client.startWorkflow(process, 7)
  // @ts-expect-error and must be given
  await client.startWorkflow(process)
  // @ts-expect-error only workflows are started
  await client.startWorkflow(tick)
  // @ts-expect-error an output is unknown until somebody says what it is
  const output: number = await client.getHandle("a").result()
  // @ts-expect-error an option that is not there
  await client.getWorkflow("a", { timeout: 1 })
  await Worker.start(client, { workflows: [process], activities: [reserve, tick] })
  // @ts-expect-error activities are no workflows
  await Worker.start(client, { workflows: [reserve] })
  void [one, output]
}
