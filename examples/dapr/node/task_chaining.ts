// The output of one activity is the input of the next; what stands in no list waits in a variable.

import {
  DaprWorkflowClient,
  type TWorkflow,
  type WorkflowActivityContext,
  type WorkflowContext,
  WorkflowRuntime,
} from "everstep/dapr"

const hello = async (_: WorkflowActivityContext, name: string) => {
  return `Hello ${name}!`
}

const double = (_: WorkflowActivityContext, number: number) => number * 2
const describe = (_: WorkflowActivityContext, order: { item: string; sizes: number[] }) =>
  Promise.resolve({ ...order, total: order.sizes.reduce((sum, size) => sum + size, 0), by: null })

const sequence: TWorkflow = async function* (ctx: WorkflowContext): any {
  const cities: string[] = []

  const result1 = yield ctx.callActivity(hello, "Tokyo")
  cities.push(result1)
  const result2 = yield ctx.callActivity(hello, "Seattle")
  cities.push(result2)
  const result3 = yield ctx.callActivity(hello, "London")
  cities.push(result3)

  return cities
}

const powers: TWorkflow = async function* (ctx: WorkflowContext, number: number): any {
  while (number < 1000) {
    number = yield ctx.callActivity(double, number)
  }
  return number
}

const records: TWorkflow = async function* (ctx: WorkflowContext, items: string[]): any {
  const found = []
  for (const [index, item] of items.entries()) {
    found.push(yield ctx.callActivity(describe, { item, sizes: [index + 1, 10] }))
  }
  return found
}

async function start() {
  const workflowClient = new DaprWorkflowClient()
  const workflowRuntime = new WorkflowRuntime()
  workflowRuntime
    .registerWorkflow(sequence)
    .registerWorkflow(powers)
    .registerWorkflow(records)
    .registerActivity(hello)
    .registerActivity(double)
    .registerActivity(describe)

  // Wrap the worker startup in a try-catch block to handle any errors during startup
  try {
    await workflowRuntime.start()
    console.log("Workflow runtime started successfully")
  } catch (error) {
    console.error("Error starting workflow runtime:", error)
  }

  for (const [workflow, input] of [
    [sequence, undefined],
    [powers, 3],
    [records, ["lamp", "desk"]],
  ] as const) {
    const id = await workflowClient.scheduleNewWorkflow(workflow, input)
    console.log("the instance ID is a text of", id.length, "characters")
    const state = await workflowClient.waitForWorkflowCompletion(id, undefined, 30)
    console.log(`${state?.name} completed! Result: ${state?.serializedOutput}`)
  }

  await workflowRuntime.stop()
  await workflowClient.stop()
}

start().catch((e) => {
  console.error(e)
  process.exit(1)
})
