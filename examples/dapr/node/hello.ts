// The first workflow: two activities, one after the other, and an input that comes back changed.

import {
  DaprWorkflowClient,
  type TWorkflow,
  type WorkflowActivityContext,
  type WorkflowContext,
  WorkflowRuntime,
  WorkflowRuntimeStatus,
} from "everstep/dapr"

async function greet(_: WorkflowActivityContext, name: string): Promise<string> {
  return `Good morning, ${name}`
}

const countLetters = (context: WorkflowActivityContext, text: string): number => {
  console.log(`activity ${context.getWorkflowActivityId()} of ${context.getWorkflowInstanceId()} measures "${text}"`)
  return text.length
}

const hello: TWorkflow = async function* hello(ctx: WorkflowContext, name: string): any {
  const greeting: string = yield ctx.callActivity(greet, name)
  const length: number = yield ctx.callActivity("measure", greeting)
  return { greeting, length }
}

async function main(): Promise<void> {
  const runtime = new WorkflowRuntime()
  runtime.registerWorkflow(hello).registerActivity(greet).registerActivityWithName("measure", countLetters)
  await runtime.start()
  const client = new DaprWorkflowClient()

  const id = await client.scheduleNewWorkflow(hello, "Ada", "hello-1")
  const started = await client.waitForWorkflowStart(id, undefined, 30)
  console.log(`${id} has started as ${started?.name}`)
  const state = await client.waitForWorkflowCompletion(id, undefined, 30)
  console.log(WorkflowRuntimeStatus[state!.runtimeStatus], state?.serializedInput, state?.serializedOutput)
  console.log("it took time:", state!.createdAt <= state!.lastUpdatedAt, state?.createdAt instanceof Date)
  const bare = await client.waitForWorkflowCompletion(id, false, 30)
  console.log("without payloads:", bare?.instanceId, bare?.serializedInput, bare?.serializedOutput)
  console.log("nothing is known of another:", await client.getWorkflowState("hello-nobody", true))

  await client.stop()
  await runtime.stop()
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
