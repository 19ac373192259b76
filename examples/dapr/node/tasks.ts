// What a task tells before and after it was waited for, and tasks that are made of tasks.

import {
  DaprWorkflowClient,
  Task,
  type TWorkflow,
  type WorkflowActivityContext,
  type WorkflowContext,
  WorkflowRuntime,
} from "everstep/dapr"

const fine = async (_: WorkflowActivityContext, text: string) => text
const broken = async (_: WorkflowActivityContext) => {
  throw new SyntaxError("broken")
}

function says(ask: () => unknown): string {
  try {
    return `${ask()}`
  } catch (error) {
    return `throws ${(error as Error).message}`
  }
}

const looking: TWorkflow = async function* (ctx: WorkflowContext): any {
  const task = ctx.callActivity(fine, "fine")
  const before = [task instanceof Task, task.isComplete, task.isFailed, says(() => task.getResult())]
  const value = yield task
  const after = [task.isComplete, task.isFailed, says(() => task.getResult()), says(() => task.getException()), value]
  return [...before, ...after]
}

const failing: TWorkflow = async function* (ctx: WorkflowContext): any {
  const task = ctx.callActivity(broken)
  const winner: Task<any> = yield ctx.whenAny([task])
  return [winner === task, task.isComplete, task.isFailed, says(() => task.getResult()), task.getException().message]
}

const racing: TWorkflow = async function* (ctx: WorkflowContext): any {
  const slow = ctx.createTimer(3600)
  const quick = ctx.callActivity(fine, "quick")
  const any = ctx.whenAny([slow, quick])
  const winner: Task<string> = yield any
  return [winner === quick, any.isComplete, slow.isComplete, winner.getResult(), any.getResult() === quick]
}

const counting: TWorkflow = async function* (ctx: WorkflowContext): any {
  const events = [ctx.waitForExternalEvent("one"), ctx.waitForExternalEvent("two")]
  const all = ctx.whenAll(events)
  const counts = [all.pendingTasks(), all.completedTasks]
  const results = yield all
  return [counts, results, all.pendingTasks(), all.completedTasks, ctx.isReplaying()]
}

async function main(): Promise<void> {
  const runtime = new WorkflowRuntime()
  const workflows = { looking, failing, racing, counting }
  for (const workflow of Object.values(workflows)) runtime.registerWorkflow(workflow)
  runtime.registerActivity(fine).registerActivity(broken)
  await runtime.start()
  const client = new DaprWorkflowClient()
  for (const [name, workflow] of Object.entries(workflows)) {
    const id = await client.scheduleNewWorkflow(workflow, undefined, `tasks-${name}`)
    if (name === "counting") {
      await client.waitForWorkflowStart(id, undefined, 30)
      await client.raiseEvent(id, "two", 2)
      await client.raiseEvent(id, "one", "1")
    }
    const state = await client.waitForWorkflowCompletion(id, undefined, 30)
    console.log(name, state?.serializedOutput)
  }
  await runtime.stop()
  await client.stop()
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
