// What goes wrong, and how it shows: activities and workflows that throw, and what catches it.

import {
  DaprWorkflowClient,
  type TWorkflow,
  type WorkflowActivityContext,
  type WorkflowContext,
  type WorkflowFailureDetails,
  WorkflowRuntime,
} from "everstep/dapr"

class OutOfStock extends Error {}

const fine = async (_: WorkflowActivityContext) => "fine"
const reserve = async (_: WorkflowActivityContext, item: string) => {
  throw new OutOfStock(`there is no ${item}`)
}

const throws: TWorkflow = async function* (ctx: WorkflowContext, text: string): any {
  yield ctx.callActivity(fine)
  throw new TypeError(`cannot work with ${text}`)
}

const passesOn: TWorkflow = async function* (ctx: WorkflowContext, item: string): any {
  yield ctx.callActivity(fine)
  yield ctx.callActivity(reserve, item)
}

const catches: TWorkflow = async function* (ctx: WorkflowContext, item: string): any {
  try {
    yield ctx.callActivity(reserve, item)
  } catch (error: any) {
    const { details } = error
    const again: string = yield ctx.callActivity(fine)
    return [
      error.constructor.name,
      error.message,
      details.errorType,
      details.message,
      details.stackTrace !== undefined,
      again,
    ]
  }
}

const withoutWaiting: TWorkflow = async (_: WorkflowContext, text: string) => text.toUpperCase()

const asksNothing: TWorkflow = async function* (_: WorkflowContext, text: string): any {
  return text.length
}

const yieldsNonsense: TWorkflow = async function* (ctx: WorkflowContext): any {
  yield ctx.callActivity(fine)
  yield "nonsense"
}

const throwsAtOnce: TWorkflow = async function* (): any {
  throw new OutOfStock("nothing is left")
}

async function main(): Promise<void> {
  const runtime = new WorkflowRuntime()
  const workflows = { throws, passesOn, catches, withoutWaiting, asksNothing, yieldsNonsense, throwsAtOnce }
  for (const workflow of Object.values(workflows)) runtime.registerWorkflow(workflow)
  runtime.registerActivity(fine).registerActivity(reserve)
  await runtime.start()
  const client = new DaprWorkflowClient()

  for (const name of Object.keys(workflows)) {
    const id = await client.scheduleNewWorkflow(name, "mud", `failures-${name}`)
    const state = await client.waitForWorkflowCompletion(id, undefined, 30)
    const failure: WorkflowFailureDetails | undefined = state?.workflowFailureDetails
    console.log(name, state?.runtimeStatus, state?.serializedOutput || "(no output)")
    if (failure === undefined) continue
    const message =
      name === "yieldsNonsense" ? failure.getErrorMessage().includes("non-Task") : failure.getErrorMessage()
    console.log(" ", failure.getErrorType(), message, typeof failure.getStackTrace())
  }

  await runtime.stop()
  await client.stop()
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
