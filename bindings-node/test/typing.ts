// Programs that must not compile: each line under a mark is an error, and a mark without one is an error as well.

import { activity, type Client, Worker, type WorkflowHandle, workflow } from "everstep"

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
