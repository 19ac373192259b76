// Workflows that call workflows: by function, by name, and with an instance ID of their own.

import {
  DaprWorkflowClient,
  type TWorkflow,
  type WorkflowActivityContext,
  type WorkflowContext,
  WorkflowRuntime,
} from "everstep/dapr"

interface Item {
  name: string
  price: number
}

const charge = async (ctx: WorkflowActivityContext, item: Item) => {
  console.log(`charging ${item.price} for ${ctx.getWorkflowInstanceId()}`)
  return item.price
}

const buyItem: TWorkflow = async function* (ctx: WorkflowContext, item: Item): any {
  if (item.price < 0) throw new Error(`${item.name} costs nothing`)
  const paid: number = yield ctx.callActivity(charge, item)
  return `${item.name} for ${paid}`
}

const identify: TWorkflow = async (ctx: WorkflowContext) => ctx.getWorkflowInstanceId().startsWith("shopping-2:")

const shopping: TWorkflow = async function* (ctx: WorkflowContext, items: Item[]): any {
  const first = yield ctx.callChildWorkflow(buyItem, items[0], "child-lamp")
  const second = yield ctx.callSubWorkflow<Item, string>("buyItem", items[1], "child-desk")
  try {
    yield ctx.callChildWorkflow("buyItem", { name: "air", price: -1 }, "child-air")
  } catch (error) {
    return [first, second, `no third one: ${(error as Error).message}`]
  }
}

const family: TWorkflow = async function* (ctx: WorkflowContext): any {
  return yield ctx.whenAll([ctx.callChildWorkflow(identify), ctx.callSubWorkflow(identify)])
}

async function main(): Promise<void> {
  const runtime = new WorkflowRuntime()
  runtime
    .registerWorkflow(shopping)
    .registerWorkflow(buyItem)
    .registerWorkflow(identify)
    .registerWorkflowWithName("relatives", family)
    .registerActivity(charge)
  await runtime.start()
  const client = new DaprWorkflowClient()

  const items = [
    { name: "lamp", price: 20 },
    { name: "desk", price: 300 },
  ]
  const id = await client.scheduleNewWorkflow(shopping, items, "shopping-1")
  const state = await client.waitForWorkflowCompletion(id, undefined, 30)
  console.log(state?.serializedOutput)
  for (const child of ["child-lamp", "child-desk", "child-air"]) {
    const found = await client.getWorkflowState(child, true)
    console.log(child, found?.name, found?.runtimeStatus, found?.serializedOutput)
  }
  const relatives = await client.scheduleNewWorkflow("relatives", undefined, "shopping-2")
  console.log((await client.waitForWorkflowCompletion(relatives))?.serializedOutput)

  await runtime.stop()
  await client.stop()
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
