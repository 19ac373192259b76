// The same five-activity workflow on Dapr's own JavaScript SDK, in the same closed loop, on the sidecar that `DAPR_GRPC_PORT`
// names. Everything is its default.

import { createRequire } from "node:module"
import { fileURLToPath } from "node:url"

import { given, report } from "./given.mjs"
import { closedLoop } from "./loop.mjs"

const { inFlight, seconds } = given({ inFlight: 32, seconds: 5 })
const sdk = createRequire(fileURLToPath(new URL("../../.cache/crossing/javascript/", import.meta.url)))
const { DaprWorkflowClient, WorkflowRuntime, WorkflowRuntimeStatus } = sdk("@dapr/dapr")

// It tells every work item to the console, which is where the figures go.
console.info = console.debug = console.warn = () => {}
const say = console.log
console.log = () => {}

const runtime = new WorkflowRuntime()
runtime.registerActivityWithName("add_one", async (_, number) => number + 1)
runtime.registerWorkflowWithName("five_activities", async function* (ctx, number) {
  for (let step = 0; step < 5; step += 1) number = yield ctx.callActivity("add_one", number)
  return number
})
await runtime.start()
const client = new DaprWorkflowClient()
const call = async () => {
  const id = await client.scheduleNewWorkflow("five_activities", 1)
  const state = await client.waitForWorkflowCompletion(id, true, 60)
  if (state.runtimeStatus !== WorkflowRuntimeStatus.COMPLETED)
    throw new Error(`a workflow ended as ${state.runtimeStatus}`)
  return JSON.parse(state.serializedOutput)
}
const figures = await closedLoop({ call, inFlight, seconds, warmUp: 3000 })
console.log = say
report(figures)
await client.stop()
await runtime.stop()
process.exit()
