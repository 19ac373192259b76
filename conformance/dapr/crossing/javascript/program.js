// The official JavaScript SDK's side of the crossing: `program.js worker` or `program.js client`. See ../README.md.
const readline = require("node:readline")
const { DaprWorkflowClient, WorkflowRuntime, WorkflowRuntimeStatus } = require("@dapr/dapr")

const activities = {
  plus_one: async (_, number) => number + 1,
  explode: async (_, text) => {
    throw new TypeError(text, { cause: new RangeError("deeper") })
  },
  idle: async () => undefined,
  locate: async () => ({ city: "Ghent", zip: 9000 }),
}

const workflows = {
  chain: async function* (ctx, number) {
    for (let i = 0; i < 3; i++) number = yield ctx.callActivity("plus_one", number)
    return number
  },
  fan_out: async function* (ctx, numbers) {
    const results = yield ctx.whenAll(numbers.map((number) => ctx.callActivity("plus_one", number)))
    return results.reduce((sum, result) => sum + result, 0)
  },
  timer: async function* (ctx, seconds) {
    yield ctx.createTimer(seconds)
    return "fired"
  },
  approval: async function* (ctx) {
    ctx.setCustomStatus("waiting")
    return yield ctx.waitForExternalEvent("Approval")
  },
  deploy: async function* (ctx, number) {
    number = yield ctx.callActivity("plus_one", number)
    yield ctx.waitForExternalEvent("deployed")
    number = yield ctx.callActivity("plus_one", number)
    yield ctx.waitForExternalEvent("verified")
    return number
  },
  changed: async function* (ctx, number) {
    number = yield ctx.callActivity("plus_one", number)
    yield ctx.waitForExternalEvent("deployed")
    return number
  },
  family: async function* (ctx, number) {
    return yield ctx.callChildWorkflow("chain", number)
  },
  failing: async function* (ctx, text) {
    yield ctx.callActivity("explode", text)
  },
  bad_family: async function* (ctx, text) {
    yield ctx.callChildWorkflow("failing", text)
  },
  caught: async function* (ctx, text) {
    try {
      yield ctx.callActivity("explode", text)
    } catch {
      return "caught"
    }
  },
  generations: async function* (ctx, left) {
    if (left > 0) {
      yield ctx.createTimer(0.01)
      ctx.continueAsNew(left - 1, true)
      return
    }
    return yield ctx.waitForExternalEvent("go")
  },
  nothing: async function* (ctx, given) {
    const result = yield ctx.callActivity("idle")
    if (given || result) throw new Error(`nothing became ${given} and ${result}`)
  },
  address: async function* (ctx) {
    return yield ctx.callActivity("locate")
  },
}

function shown(state) {
  if (state === undefined) return null
  const failure = state.workflowFailureDetails
  return {
    name: state.name,
    status: WorkflowRuntimeStatus[state.runtimeStatus],
    input: state.serializedInput ?? null,
    output: state.serializedOutput ?? null,
    custom_status: state.customStatus ?? null,
    failure: failure === undefined ? null : [failure.getErrorType(), failure.getErrorMessage()],
  }
}

const commands = {
  start: (client, { workflow, id, input, record }) => client.scheduleNewWorkflow(workflow, record ?? input, id),
  state: async (client, { id }) => shown(await client.getWorkflowState(id, true)),
  wait: async (client, { id, timeout }) => shown(await client.waitForWorkflowCompletion(id, true, timeout)),
  raise_event: (client, { id, event, data }) => client.raiseEvent(id, event, data),
  pause: (client, { id }) => client.suspendWorkflow(id),
  resume: (client, { id }) => client.resumeWorkflow(id),
  terminate: (client, { id, output }) => client.terminateWorkflow(id, output),
  purge: (client, { id }) => client.purgeWorkflow(id),
}

async function client() {
  const client = new DaprWorkflowClient()
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const command = JSON.parse(line)
    let answer
    try {
      answer = { answer: (await commands[command.do](client, command)) ?? null }
    } catch (error) {
      answer = { error: `${error.name}: ${error.message}` }
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`)
  }
  await client.stop()
}

async function worker() {
  const runtime = new WorkflowRuntime()
  for (const [name, activity] of Object.entries(activities)) runtime.registerActivityWithName(name, activity)
  for (const [name, workflow] of Object.entries(workflows)) runtime.registerWorkflowWithName(name, workflow)
  await runtime.start()
  process.stdout.write("ready\n")
  process.stdin.resume()
  process.stdin.on("end", () => process.exit(0))
}

// The SDK logs to the standard output, where the answers go.
for (const name of ["log", "info", "debug", "warn"]) console[name] = console.error
;({ worker, client })[process.argv[2]]()
