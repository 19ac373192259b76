// Trying again, by hand: the SDK has no retry policy, but a loop with a timer is as durable.

import {
  DaprWorkflowClient,
  type Task,
  type TWorkflow,
  type WorkflowActivityContext,
  type WorkflowContext,
  WorkflowRuntime,
} from "everstep/dapr"

let left = 2

const flaky = async (_: WorkflowActivityContext, text: string) => {
  if (left > 0) {
    left -= 1
    throw new Error(`not yet, ${left} left`)
  }
  return text.toUpperCase()
}

const hopeless = async (_: WorkflowActivityContext) => {
  throw new Error("it never works")
}

async function* attempts(ctx: WorkflowContext, most: number, call: () => Task<any>): any {
  for (let attempt = 1; ; attempt++) {
    const task = call()
    try {
      const value = yield task
      return { attempt, value }
    } catch (error) {
      if (attempt === most) return { attempt, failed: task.isFailed, error: task.getException() === error }
      yield ctx.createTimer(0.01 * 2 ** attempt)
    }
  }
}

const patient: TWorkflow = async function* (ctx: WorkflowContext, text: string): any {
  return yield* attempts(ctx, 5, () => ctx.callActivity(flaky, text))
}

const resigned: TWorkflow = async function* (ctx: WorkflowContext): any {
  return yield* attempts(ctx, 3, () => ctx.callActivity(hopeless))
}

async function main(): Promise<void> {
  const runtime = new WorkflowRuntime()
  runtime.registerWorkflow(patient).registerWorkflow(resigned).registerActivity(flaky).registerActivity(hopeless)
  await runtime.start()
  const client = new DaprWorkflowClient()
  for (const workflow of [patient, resigned]) {
    const id = await client.scheduleNewWorkflow(workflow, "done at last")
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
