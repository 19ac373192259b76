// The seven operations of Dapr's guide, on its general client, by their old and their newer names.

import {
  CommunicationProtocolEnum,
  DaprClient,
  type TWorkflow,
  type WorkflowActivityContext,
  type WorkflowContext,
  WorkflowRuntime,
} from "everstep/dapr"

const said: string[] = []

const say = async (_: WorkflowActivityContext, text: string) => {
  said.push(text)
}

const helloWorld: TWorkflow = async function* (ctx: WorkflowContext, input: { name: string }): any {
  yield ctx.callActivity(say, `hello ${input.name}`)
  const data: { text: string } = yield ctx.waitForExternalEvent("event1")
  yield ctx.callActivity(say, data.text)
  return yield ctx.waitForExternalEvent("event2")
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`it is not ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function main(): Promise<void> {
  const runtime = new WorkflowRuntime().registerWorkflow(helloWorld).registerActivity(say)
  await runtime.start()
  const client = new DaprClient()
  await client.start()
  const { GRPC, HTTP } = CommunicationProtocolEnum
  console.log("HTTP:", client.options.communicationProtocol === HTTP, "gRPC:", GRPC, client.getIsInitialized())
  const status = async (id: string) => String((await client.workflow.get(id)).runtimeStatus)

  const id = await client.workflow.start("helloWorld", { name: "guide" }, "guide-operations-1")
  console.log("started", id)
  await until("running", async () => said.length === 1)
  const state = await client.workflow.get(id)
  console.log(state.instanceID, state.workflowName, state.runtimeStatus)
  console.log(state.createdAt instanceof Date, state.lastUpdatedAt >= state.createdAt)
  console.log(state.properties["dapr.workflow.input"])

  await client.workflow.pause(id)
  await until("suspended", async () => (await status(id)) === "SUSPENDED")
  console.log("paused")
  await client.workflow.resume(id)
  await until("running", async () => (await status(id)) === "RUNNING")
  console.log("resumed")
  await client.workflow.raise(id, "event1", { text: "eventData" })
  await until("said", async () => said.length === 2)
  console.log(said)
  await client.workflow.terminate(id)
  await until("terminated", async () => (await status(id)) === "TERMINATED")
  console.log("terminated")
  await client.workflow.purge(id)
  console.log(
    "gone:",
    await client.workflow.get(id).then(
      () => false,
      (error) => error instanceof Error,
    ),
  )

  const other = DaprClient.create(client as never)
  const second = await other.workflow.scheduleNewWorkflow("helloWorld", { name: "again" })
  await other.workflow.raiseEvent(second, "event1", { text: "more" })
  await other.workflow.raiseEvent(second, "event2", { done: true })
  await until("completed", async () => (await status(second)) === "COMPLETED")
  const ended = await other.workflow.getWorkflowState(second)
  console.log(ended.runtimeStatus, ended.properties["dapr.workflow.output"], said.length)
  for (const refused of [
    () => client.workflow.get(""),
    () => client.workflow.start(""),
    () => client.workflow.raise(second, ""),
  ]) {
    console.log(
      await refused().then(
        () => "taken",
        (error: Error) => `refused: ${error.message.includes("is required")}`,
      ),
    )
  }

  await other.stop()
  await client.stop()
  await runtime.stop()
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
