// What a workflow says of itself while it runs. It is text, and is shown as it was written.

import {
  DaprWorkflowClient,
  type TWorkflow,
  type WorkflowActivityContext,
  type WorkflowContext,
  WorkflowRuntime,
  type WorkflowState,
} from "everstep/dapr"

const STEPS = ["sifting", "kneading", "baking"]

const work = async (_: WorkflowActivityContext, step: string) => `${step} is done`

const bread: TWorkflow = async function* (ctx: WorkflowContext): any {
  const done: string[] = []
  for (const step of STEPS) {
    ctx.setCustomStatus(step)
    done.push(yield ctx.callActivity(work, step))
    yield ctx.waitForExternalEvent("next")
  }
  ctx.setCustomStatus(JSON.stringify({ loaves: 2 }))
  return done
}

async function until(client: DaprWorkflowClient, id: string, status: string): Promise<WorkflowState> {
  const deadline = Date.now() + 30_000
  while (Date.now() < deadline) {
    const state = await client.getWorkflowState(id, true)
    if (state?.customStatus === status) return state
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`the custom status does not become ${status}`)
}

async function main(): Promise<void> {
  const runtime = new WorkflowRuntime()
  runtime.registerWorkflow(bread).registerActivity(work)
  await runtime.start()
  const client = new DaprWorkflowClient()

  const id = await client.scheduleNewWorkflow(bread, undefined, "bread-1")
  for (const step of STEPS) {
    const state = await until(client, id, step)
    console.log(state.runtimeStatus, state.customStatus)
    await client.raiseEvent(id, "next")
  }
  const state = await client.waitForWorkflowCompletion(id, undefined, 30)
  console.log(state?.customStatus, state?.serializedOutput)

  await runtime.stop()
  await client.stop()
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
