// Managing instances: suspend, resume, terminate, purge, start later, and what statuses are called.

import {
  DaprWorkflowClient,
  fromOrchestrationStatus,
  type TWorkflow,
  toOrchestrationStatus,
  type WorkflowContext,
  WorkflowRuntime,
  WorkflowRuntimeStatus,
  type WorkflowState,
} from "everstep/dapr"

const patient: TWorkflow = async function* (ctx: WorkflowContext): any {
  return yield ctx.waitForExternalEvent("go")
}

const nothing: TWorkflow = async function* (ctx: WorkflowContext): any {
  yield ctx.createTimer(0)
}

async function until(client: DaprWorkflowClient, id: string, status: WorkflowRuntimeStatus): Promise<WorkflowState> {
  const deadline = Date.now() + 30_000
  while (Date.now() < deadline) {
    const state = await client.getWorkflowState(id, false)
    if (state?.runtimeStatus === status) return state
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`${id} does not become ${WorkflowRuntimeStatus[status]}`)
}

async function main(): Promise<void> {
  const runtime = new WorkflowRuntime()
  runtime.registerWorkflow(patient).registerWorkflow(nothing)
  await runtime.start()
  const client = new DaprWorkflowClient()

  const held = await client.scheduleNewWorkflow(patient, undefined, "manage-held")
  await client.waitForWorkflowStart(held, undefined, 30)
  await client.suspendWorkflow(held)
  await until(client, held, WorkflowRuntimeStatus.SUSPENDED)
  await client.raiseEvent(held, "go", "at last")
  console.log("suspended:", (await client.getWorkflowState(held, true))?.runtimeStatus)
  await client.resumeWorkflow(held)
  let state = await client.waitForWorkflowCompletion(held, undefined, 30)
  console.log("resumed:", state?.runtimeStatus, state?.serializedOutput)

  const ended = await client.scheduleNewWorkflow(patient, undefined, "manage-ended")
  await client.waitForWorkflowStart(ended, undefined, 30)
  await client.terminateWorkflow(ended, { why: "closing time" })
  state = await client.waitForWorkflowCompletion(ended, undefined, 30)
  console.log("terminated:", state?.runtimeStatus, state?.serializedOutput, state?.workflowFailureDetails)

  const later = new Date(Date.now() + 300)
  const delayed = await client.scheduleNewWorkflow(nothing, undefined, "manage-delayed", later)
  state = await client.waitForWorkflowCompletion(delayed, undefined, 30)
  console.log(
    "delayed:",
    state?.runtimeStatus,
    state!.lastUpdatedAt >= later,
    state?.serializedInput,
    state?.serializedOutput,
  )

  const waiting = await client.scheduleNewWorkflow(patient, undefined, "manage-waiting")
  await client.waitForWorkflowStart(waiting, undefined, 30)
  const tooLong = client.waitForWorkflowCompletion(waiting, undefined, 0.2)
  console.log(
    "it takes too long:",
    await tooLong.then(
      () => "no",
      (error) => error instanceof Error,
    ),
  )
  await client.terminateWorkflow(waiting, undefined)
  state = await client.waitForWorkflowCompletion(waiting, undefined, 30)
  console.log("terminated:", state?.serializedOutput)

  for (const id of [held, ended, delayed, waiting]) {
    const purged = await client.purgeWorkflow(id)
    console.log(`${id} is purged: ${purged}, left: ${await client.getWorkflowState(id, true)}`)
  }
  for (const name of ["purgeWorkflow", "suspendWorkflow", "resumeWorkflow"] as const) {
    const refused = await client[name]("manage-nobody").then(
      () => false,
      (error) => error instanceof Error,
    )
    console.log(`${name} of nobody is refused: ${refused}`)
  }

  const { COMPLETED, CONTINUED_AS_NEW, FAILED, PENDING, RUNNING, SUSPENDED, TERMINATED } = WorkflowRuntimeStatus
  const statuses = [COMPLETED, CONTINUED_AS_NEW, FAILED, PENDING, RUNNING, SUSPENDED, TERMINATED]
  console.log(statuses.map((status) => WorkflowRuntimeStatus[status]).join(" "))
  console.log(statuses.every((status) => fromOrchestrationStatus(toOrchestrationStatus(status)) === status))

  await client.stop()
  await runtime.stop()
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
