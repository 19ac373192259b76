// `everstep/dapr`: its programs print what they print with the official SDK, it has all of that SDK's names, and what is
// particular to it. `make interop` says whether `expected/` and `surface.json` still are what the official SDK gives.

import assert from "node:assert/strict"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, beforeEach, describe, test } from "node:test"
import { pathToFileURL } from "node:url"

import { ActivityError, EverstepError, InvalidArgumentError, OperationNotImplementedError } from "everstep"
import * as dapr from "everstep/dapr"

const PROGRAMS = join(__dirname, "..", "..", "..", "examples", "dapr", "node")
const SECONDS = 20

interface Runner {
  readonly programs: string[]
  build(folder: string): void
  run(folder: string, program: string, place: Record<string, string>): Promise<string>
  expected(program: string): string
  officialSource(program: string): string
}
type Described = number | string | string[] | Record<string, number | string>
interface Surface {
  readonly values: Record<string, Described>
  readonly operations: Record<string, number>
  readonly types: string[]
}

const load = <T>(name: string): Promise<T> => import(pathToFileURL(join(PROGRAMS, name)).href) as Promise<T>

describe("programs", async () => {
  const folder = mkdtempSync(join(tmpdir(), "everstep-compatibility-"))
  const runner = await load<Runner>("run.mjs")
  before(() => runner.build(folder))
  after(() => rmSync(folder, { recursive: true }))

  for (const program of runner.programs) {
    test(`${program} prints what the official SDK prints`, { timeout: 2 * SECONDS * 1000 }, async () => {
      assert.equal(await runner.run(folder, program, { EVERSTEP_ENDPOINT: "memory:" }), runner.expected(program))
    })
    test(`${program} prints the same where every turn is a replay`, { timeout: 2 * SECONDS * 1000 }, async () => {
      const place = { EVERSTEP_ENDPOINT: "memory:", EVERSTEP_MAX_CACHED: "0" }
      assert.equal(await runner.run(folder, program, place), runner.expected(program))
    })
  }

  test("one import line decides", () => {
    for (const program of runner.programs) assert.match(runner.officialSource(program), /from "@dapr\/dapr"/)
  })

  test("together they use every name", () => {
    const sources = runner.programs.map((name) => readFileSync(join(PROGRAMS, `${name}.ts`), "utf8")).join("\n")
    const { values, operations, types } = official()
    const members = Object.values(values).flatMap((value) => (Array.isArray(value) ? value : Object.keys(value)))
    const names = new Set([...Object.keys(values), ...types, ...members, ...Object.keys(operations)])
    assert.deepEqual(
      [...names].filter((name) => !new RegExp(`\\b${name}\\b`).test(sources)),
      [],
    )
  })
})

function official(): Surface {
  return JSON.parse(readFileSync(join(PROGRAMS, "surface.json"), "utf8")) as Surface
}

test("everything is there and takes the same", async () => {
  const surface = await load<{ describe(value: unknown): Described }>("surface.mjs")
  const { values, operations } = official()
  const ours: Record<string, unknown> = { ...dapr }
  const has = (name: string, mine: Described, theirs: Described): void => {
    if (Array.isArray(theirs))
      return assert.deepEqual(
        theirs.filter((each) => !(mine as string[]).includes(each)),
        [],
        name,
      )
    if (typeof theirs !== "object") return assert.equal(mine, theirs, name)
    for (const [member, what] of Object.entries(theirs)) {
      // Its properties are fields here, of which a class knows nothing.
      const found = (mine as Record<string, Described>)[member] ?? (name === "DaprClient" ? "property" : undefined)
      assert.equal(found, what, `${name}.${member}`)
    }
  }
  for (const [name, theirs] of Object.entries(values)) has(name, surface.describe(ours[name]), theirs)
  has("DaprClient.workflow", surface.describe(dapr.DaprClientWorkflow), operations)
})

// What is particular, on an engine that runtime and client share.

const nowhere: dapr.LoggerService = { error() {}, warn() {}, info() {}, verbose() {}, debug() {} }
const silent: dapr.LoggerOptions = { service: nowhere }

beforeEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith("DAPR_")) delete process.env[name]
  process.env["EVERSTEP_ENDPOINT"] = `memory:compatibility-${process.hrtime.bigint()}`
})

async function outcome(
  workflow: dapr.TWorkflow,
  input?: unknown,
  activities: Record<string, dapr.TWorkflowActivity<dapr.TInput, dapr.TOutput>> = {},
  others: Record<string, dapr.TWorkflow> = {},
): Promise<unknown> {
  const runtime = new dapr.WorkflowRuntime({ logger: silent }).registerWorkflowWithName("w", workflow)
  for (const [name, activity] of Object.entries(activities)) runtime.registerActivityWithName(name, activity)
  for (const [name, other] of Object.entries(others)) runtime.registerWorkflowWithName(name, other)
  const client = new dapr.DaprWorkflowClient({ logger: silent })
  await runtime.start()
  try {
    const state = await client.waitForWorkflowCompletion(await client.scheduleNewWorkflow("w", input), true, SECONDS)
    const failure = state?.workflowFailureDetails
    if (failure !== undefined) return `${failure.getErrorType()}: ${failure.getErrorMessage()}`
    return state?.serializedOutput === undefined ? undefined : JSON.parse(state.serializedOutput)
  } finally {
    await runtime.stop()
    await client.stop()
  }
}

const echo = (_: dapr.WorkflowActivityContext, input: unknown): unknown => input

test("generators, async generators and async functions are workflows", async () => {
  const generator = function* (ctx: dapr.WorkflowContext): dapr.TOutput {
    return [yield ctx.callActivity("echo", 1), yield ctx.callActivity("echo", 2)]
  }
  assert.deepEqual(await outcome(generator, undefined, { echo }), [1, 2])
  const awaits = async (ctx: dapr.WorkflowContext): Promise<unknown> => ctx.context.callActivity("echo", 3)
  assert.equal(await outcome(awaits, undefined, { echo }), 3)
})

test("what is falsy arrives", async () => {
  const workflow = async function* (ctx: dapr.WorkflowContext, turn: number): dapr.TOutput {
    if (turn === 1) return ctx.continueAsNew(0, false)
    const given: unknown[] = []
    for (const value of [0, false, ""]) given.push(yield ctx.callActivity("echo", value))
    for (const value of [0, false, ""]) given.push(yield ctx.callChildWorkflow("same", value))
    return [turn, ...given]
  }
  const same = async (_: dapr.WorkflowContext, input: unknown): Promise<unknown> => input
  assert.deepEqual(await outcome(workflow, 1, { echo }, { same }), [0, 0, false, "", 0, false, ""])
})

test("tasks may be nested, shared, empty, and fail after the first failure", async () => {
  const workflow = async function* (ctx: dapr.WorkflowContext): dapr.TOutput {
    const shared = ctx.callActivity("echo", 1)
    const inner = ctx.whenAll([shared, ctx.callActivity("echo", 2)])
    const outer = yield ctx.whenAll<dapr.TOutput>([inner, shared, ctx.whenAll([])])
    const failing = [ctx.callActivity("fail", "a"), ctx.callActivity("fail", "b"), ctx.callActivity("echo", 3)]
    let message = ""
    try {
      yield ctx.whenAll(failing)
    } catch (error) {
      message = (error as Error).message.replace(/^.*: /, "")
    }
    for (const task of failing) yield ctx.whenAny([task])
    return [
      outer,
      message,
      failing.map((task) => task.isFailed),
      (yield ctx.whenAny([ctx.whenAny([inner])])).isComplete,
    ]
  }
  const fail = async (_: dapr.WorkflowActivityContext, text: string): Promise<void> => {
    throw new Error(text)
  }
  const got = (await outcome(workflow, undefined, { echo, fail })) as unknown[]
  assert.deepEqual([got[0], got[2], got[3]], [[[1, 2], 1, []], [true, true, false], true])
  assert.match(String(got[1]), /^[ab]$/)
})

test("what no task can be made of fails the workflow", async () => {
  const yields = async function* (): dapr.TOutput {
    yield 7
  }
  assert.match(String(await outcome(yields)), /^Error: The workflow yielded a non-Task object, number/)
  const none = async function* (ctx: dapr.WorkflowContext): dapr.TOutput {
    yield ctx.whenAny([])
  }
  assert.match(String(await outcome(none)), /^InvalidArgumentError: whenAny needs at least one task/)
  const wrong = async function* (ctx: dapr.WorkflowContext): dapr.TOutput {
    yield ctx.whenAll([7 as never])
  }
  assert.match(String(await outcome(wrong)), /^InvalidArgumentError: whenAll and whenAny take tasks, not number/)
})

test("a failed task has the chain of causes", async () => {
  const workflow = async function* (ctx: dapr.WorkflowContext): dapr.TOutput {
    try {
      yield ctx.callActivity("fail")
    } catch (error) {
      const { cause, details } = error as dapr.TaskFailedError
      if (!(error instanceof dapr.TaskFailedError && cause instanceof ActivityError)) return "another error"
      return [details.errorType, ...[...(cause.failure?.chain() ?? [])].map((each) => each.errorType)]
    }
  }
  const fail = (): never => {
    throw new TypeError("outer", { cause: new RangeError("inner") })
  }
  assert.deepEqual(await outcome(workflow, undefined, { fail }), ["TypeError", "TypeError", "RangeError"])
})

test("registering", async () => {
  const runtime = new dapr.WorkflowRuntime({ logger: silent })
  const nameless = (
    () => async () =>
      1
  )()
  assert.throws(() => runtime.registerWorkflow(nameless), InvalidArgumentError)
  assert.throws(() => runtime.registerActivity(nameless), InvalidArgumentError)
  runtime.registerActivity(echo)
  assert.throws(() => runtime.registerActivity(echo), InvalidArgumentError)
  assert.throws(() => runtime.registerWorkflow(undefined as never), InvalidArgumentError)
  await runtime.start()
  await assert.rejects(runtime.start(), { code: "failed_precondition" })
  const late = async function* late(ctx: dapr.WorkflowContext): dapr.TOutput {
    return yield ctx.callActivity("also late", "yes")
  }
  runtime.registerWorkflow(late).registerActivityWithName("also late", echo)
  const client = new dapr.DaprWorkflowClient()
  const state = await client.waitForWorkflowCompletion(await client.scheduleNewWorkflow(late), true, SECONDS)
  assert.equal(state?.serializedOutput, '"yes"')
  await runtime.stop()
  await runtime.start()
  await runtime.stop()
  await client.stop()
  await assert.rejects(client.getWorkflowState("a", true), { code: "closed" })
})

test("nobody is told of as nobody", async () => {
  const client = new dapr.DaprWorkflowClient()
  assert.equal(await client.getWorkflowState("nobody", true), undefined)
  assert.equal(await client.waitForWorkflowStart("nobody"), undefined)
  assert.equal(await client.waitForWorkflowCompletion("nobody"), undefined)
  for (const operation of ["purgeWorkflow", "suspendWorkflow", "resumeWorkflow"] as const) {
    await assert.rejects(client[operation]("nobody"), { code: "not_found" })
  }
  await client.stop()
})

test("a stalled instance is waited for, and the log says why", async () => {
  const warnings: string[] = []
  const logger: dapr.LoggerOptions = { service: { ...nowhere, warn: (text) => warnings.push(String(text)) } }
  let broken = true
  const stalls = async function* stalls(): dapr.TOutput {
    if (broken) await new Promise(() => {})
    return "mended"
  }
  const runtime = new dapr.WorkflowRuntime({ logger: silent }).registerWorkflow(stalls)
  await runtime.start()
  const client = new dapr.DaprWorkflowClient({ logger })
  const id = await client.scheduleNewWorkflow(stalls)
  await assert.rejects(client.waitForWorkflowCompletion(id, true, 0.2), { code: "timeout" })
  assert.match(warnings.join(), /stalled/)
  assert.equal((await client.getWorkflowState(id, true))?.runtimeStatus, dapr.WorkflowRuntimeStatus.STALLED)
  const waiting = client.waitForWorkflowCompletion(id, true, SECONDS)
  broken = false
  await client.resumeWorkflow(id)
  assert.equal((await waiting)?.serializedOutput, '"mended"')
  await runtime.stop()
  await client.stop()
})

test("statuses without a name are unknown", () => {
  assert.equal(dapr.fromOrchestrationStatus(8), dapr.WorkflowRuntimeStatus.STALLED)
  assert.equal(dapr.fromOrchestrationStatus(99), dapr.WorkflowRuntimeStatus.UNKNOWN)
  assert.equal(dapr.toOrchestrationStatus(dapr.WorkflowRuntimeStatus.CANCELED), 4)
})

test("a DaprClient sends text as it stands where the content type says so", async () => {
  const client = new dapr.DaprClient()
  const id = await client.workflow.start("nobody has it", "[1", undefined, { contentType: "text/plain" })
  const other = await client.workflow.start("nobody has it", "[1", undefined, { contentType: "application/json" })
  assert.equal((await client.workflow.get(id)).properties["dapr.workflow.input"], "[1")
  assert.equal((await client.workflow.get(other)).properties["dapr.workflow.input"], '"[1"')
  await assert.rejects(client.workflow.start("x", 1, undefined, { workflowOptions: { unheard: "of" } }), EverstepError)
  await client.stop()
})

test("addresses", () => {
  const { endpointOf } = require(join(__dirname, "..", "..", "dist", "dapr", "connection.js")) as {
    endpointOf(
      options: Partial<dapr.WorkflowClientOptions>,
      protocol: dapr.CommunicationProtocolEnum,
    ): string | undefined
  }
  const { GRPC, HTTP } = dapr.CommunicationProtocolEnum
  const cases: [string | undefined, string | undefined, dapr.CommunicationProtocolEnum, string][] = [
    ["127.0.0.1", "50002", GRPC, "grpc://127.0.0.1:50002"],
    ["localhost", undefined, GRPC, "grpc://localhost:50001"],
    [undefined, "4000", GRPC, "grpc://127.0.0.1:4000"],
    [undefined, "3501", HTTP, "http://127.0.0.1:3501"],
    ["https://dapr.example", "443", GRPC, "grpcs://dapr.example:443"],
    ["https://dapr.example:8443", undefined, HTTP, "https://dapr.example:8443"],
    ["http://dapr.example", "80", GRPC, "grpc://dapr.example:80"],
    ["dns:dapr.example", "80", GRPC, "grpc://dapr.example:80"],
    ["[::1]", "50001", GRPC, "grpc://[::1]:50001"],
  ]
  for (const [daprHost, daprPort, protocol, endpoint] of cases) {
    const options = { ...(daprHost && { daprHost }), ...(daprPort && { daprPort }) }
    assert.equal(endpointOf(options, protocol), endpoint)
  }
  assert.equal(endpointOf({}, GRPC), undefined)
  process.env["EVERSTEP_ENDPOINT"] = "memory:"
  assert.equal(endpointOf({}, GRPC), "memory:dapr")
  assert.throws(() => endpointOf({ daprHost: "ftp://dapr.example" }, GRPC), InvalidArgumentError)
  assert.throws(() => new dapr.DaprClient({ daprPort: "abc" }), InvalidArgumentError)
  const { options } = new dapr.DaprClient({ daprHost: "localhost", daprPort: "3500" })
  assert.deepEqual([options.daprHost, options.daprPort, options.communicationProtocol], ["localhost", "3500", HTTP])
})

test("options of the gRPC library", async () => {
  const refused = { grpcOptions: { interceptors: [() => {}] } }
  assert.throws(() => new dapr.DaprWorkflowClient(refused), OperationNotImplementedError)
  const small = new dapr.DaprWorkflowClient({ grpcOptions: { "grpc.max_send_message_length": 100 } })
  await assert.rejects(small.scheduleNewWorkflow("w", "x".repeat(200)), { code: "payload_too_large" })
  await small.stop()
})

test("both module systems share the classes", async () => {
  const asModule = (await import(
    pathToFileURL(join(__dirname, "..", "..", "dist", "dapr", "index.mjs")).href
  )) as typeof dapr
  assert.ok("DaprWorkflowClient" in dapr)
  for (const [name, value] of Object.entries(dapr)) assert.equal(Reflect.get(asModule, name), value, name)
})
