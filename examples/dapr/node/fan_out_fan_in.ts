// Many at once: whenAll gives the results in the order of the tasks, whichever ends first.

import {
  DaprWorkflowClient,
  type Task,
  type TWorkflow,
  type WorkflowActivityContext,
  type WorkflowContext,
  WorkflowRuntime,
} from "everstep/dapr"

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

async function getWorkItems(_: WorkflowActivityContext, count: number): Promise<string[]> {
  return Array.from({ length: count }, (_, index) => `work item ${index}`)
}

async function processWorkItem(_: WorkflowActivityContext, item: string): Promise<number> {
  // The later ones are quicker.
  await pause(50 - 10 * Number(item.slice(-1)))
  return item.length + Number(item.slice(-1))
}

async function fail(_: WorkflowActivityContext, item: string): Promise<void> {
  throw new RangeError(`${item} is out of range`)
}

async function* fanOut(ctx: WorkflowContext, count: number): any {
  const workItems: string[] = yield ctx.callActivity(getWorkItems, count)
  const tasks: Task<number>[] = workItems.map((item) => ctx.callActivity(processWorkItem, item))
  const all = ctx.whenAll(tasks)
  const before = all.isComplete
  const results: number[] = yield all
  return { before, after: all.isComplete, results, sum: results.reduce((sum, each) => sum + each, 0) }
}

async function* nested(ctx: WorkflowContext): any {
  const items: string[] = yield ctx.callActivity("getWorkItems", 2)
  const answers = ctx.whenAll<number>(items.map((item) => ctx.callActivity("processWorkItem", item)))
  const numbers: number[] = yield answers
  const again: number[] = yield answers
  return [numbers, again]
}

async function* oneFails(ctx: WorkflowContext): any {
  try {
    yield ctx.whenAll([ctx.createTimer(3600), ctx.callActivity(fail, "the item")])
  } catch (error) {
    return (error as Error).message.split(":").pop()
  }
}

async function main(): Promise<void> {
  const runtime = new WorkflowRuntime()
  for (const workflow of [fanOut, nested, oneFails] as TWorkflow[]) runtime.registerWorkflow(workflow)
  for (const activity of [getWorkItems, processWorkItem, fail]) runtime.registerActivity(activity)
  await runtime.start()
  const client = new DaprWorkflowClient()

  for (const [workflow, input] of [
    [fanOut, 4],
    [nested, undefined],
    [oneFails, undefined],
  ] as [TWorkflow, unknown][]) {
    const id = await client.scheduleNewWorkflow(workflow, input)
    const state = await client.waitForWorkflowCompletion(id, undefined, 30)
    console.log(state?.name, state?.serializedOutput)
  }

  await runtime.stop()
  await client.stop()
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
