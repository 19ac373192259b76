// A workflow that never grows: it looks, sleeps, and begins anew. Events that nobody took go along, or do not.

import {
  DaprWorkflowClient,
  type TWorkflow,
  type WorkflowActivityContext,
  type WorkflowContext,
  WorkflowRuntime,
} from "everstep/dapr"

interface Job {
  id: string
  looked: number
}

let health = 3

const checkStatus = async (_: WorkflowActivityContext, id: string) => {
  health -= 1
  return { id, healthy: health <= 0 }
}

const monitor: TWorkflow = async function* (ctx: WorkflowContext, job: Job): any {
  const status: { healthy: boolean } = yield ctx.callActivity(checkStatus, job.id)
  if (status.healthy) {
    return { ...job, status }
  }
  // Until a moment, or for some seconds.
  const soon = new Date(ctx.getCurrentUtcDateTime().getTime() + 50)
  yield ctx.createTimer(job.looked === 0 ? soon : 0.05)
  ctx.continueAsNew({ id: job.id, looked: job.looked + 1 }, true)
}

const collect: TWorkflow = async function* (ctx: WorkflowContext, given: { kept: boolean; got: string[] }): any {
  const word: string = yield ctx.waitForExternalEvent("word")
  const got = [...given.got, word]
  if (got.length === 3) return got
  ctx.continueAsNew({ ...given, got }, given.kept)
  return "never seen"
}

async function main(): Promise<void> {
  const runtime = new WorkflowRuntime()
  runtime.registerWorkflow(monitor).registerWorkflow(collect).registerActivity(checkStatus)
  await runtime.start()
  const client = new DaprWorkflowClient()

  const watched = await client.scheduleNewWorkflow(monitor, { id: "job-1", looked: 0 }, "monitor-1")
  console.log((await client.waitForWorkflowCompletion(watched, undefined, 30))?.serializedOutput)

  const collected = await client.scheduleNewWorkflow(collect, { kept: true, got: [] }, "collect-1")
  await client.waitForWorkflowStart(collected, undefined, 30)
  for (const word of ["all", "of", "them"]) await client.raiseEvent(collected, "word", word)
  console.log((await client.waitForWorkflowCompletion(collected, undefined, 30))?.serializedOutput)

  await runtime.stop()
  await client.stop()
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
