// Runs the fixture programs of `conformance/fixtures.json` as ordinary workflows; `fixtures.md` is their language.

import assert from "node:assert/strict"

import {
  type Activity,
  activity,
  EverstepError,
  type Failure,
  NonRetryableError,
  OperationCancelledError,
  type Retry,
  type Workflow,
  type WorkflowContext,
  workflow,
} from "everstep"

import type { Json, JsonObject } from "./shared.js"

export interface Fixture {
  name: string
  version?: string
  variant?: string
  activities?: string[]
  about?: string
  body: Op[]
}

type Op = { [key: string]: Json }
type Env = Map<string, unknown>

/** A body ends with an output. */
class Return extends Error {
  constructor(readonly value: unknown) {
    super("return")
  }
}

const KNOWN = new Set(["name", "body", "activities", "variant", "version", "about"])
const NOTHING = Symbol("nothing")

/** The workflow of a fixture. */
export function program(fixture: Fixture): Workflow<unknown, unknown> {
  for (const key of Object.keys(fixture)) assert.ok(KNOWN.has(key), `unknown key ${key}`)
  const run = async (ctx: WorkflowContext, input: unknown): Promise<unknown> => {
    try {
      await new Run(ctx, new Map([["input", input ?? null]])).block(fixture.body)
    } catch (end) {
      if (end instanceof Return) return end.value
      throw end
    }
    return null
  }
  return workflow(fixture.name, run, fixture.version === undefined ? {} : { version: fixture.version })
}

class Run {
  constructor(
    readonly ctx: WorkflowContext,
    readonly env: Env,
  ) {}

  async block(ops: Json): Promise<void> {
    for (const op of ops as Op[]) await this.operation(op)
  }

  async operation(op: Op): Promise<void> {
    const kind = Object.keys(op)[0] as string
    let value: unknown
    if (ASKING.has(kind)) {
      const asked = this.ask(op)
      value = op["detached"] === true ? undefined : await asked
    } else {
      const run = OPERATIONS[kind]
      assert.ok(run !== undefined, `unknown operation ${kind}`)
      value = await run(this, op, op[kind] as Json)
      if (value === NOTHING) return
    }
    if (typeof op["as"] === "string") this.env.set(op["as"], value ?? null)
  }

  task(item: Json): unknown {
    const name = typeof item === "string" ? item : (item as JsonObject)["$"]
    return typeof name === "string" ? this.env.get(name) : this.ask(item as Op)
  }

  tasks(items: Json): unknown[] {
    return (items as Json[]).map((item) => this.task(item))
  }

  ask(op: Op): unknown {
    const kind = Object.keys(op)[0] as string
    const main = this.compute(op[kind] as Json)
    const input = "input" in op ? this.compute(op["input"] as Json) : undefined
    const retry = "retry" in op ? { retry: policy(this.compute(op["retry"] as Json) as JsonObject) } : {}
    const timeout = "timeout_ms" in op ? { timeout: this.compute(op["timeout_ms"] as Json) as number } : {}
    switch (kind) {
      case "activity":
        return this.ctx.callActivity(main as string, input, { ...retry, ...timeout })
      case "child": {
        const options = {
          ...("id" in op ? { instanceId: this.compute(op["id"] as Json) as string } : {}),
          ...("version" in op ? { version: this.compute(op["version"] as Json) as string } : {}),
        }
        if (op["detached"] === true) return this.ctx.startChild(main as string, input, options)
        return this.ctx.callChild(main as string, input, { ...options, ...retry })
      }
      case "timer":
        return this.ctx.sleep(main as number)
      case "timer_at":
        return this.ctx.createTimer(new Date(main as number))
      default:
        assert.equal(kind, "event")
        return this.ctx.waitForEvent(main as string, timeout)
    }
  }

  *inputs(op: Op, asking: Op): Generator<unknown> {
    for (const item of this.compute(op["map"] as Json) as unknown[]) {
      this.env.set(op["item"] as string, item)
      yield "input" in asking ? this.compute(asking["input"] as Json) : undefined
    }
  }

  compute(expression: Json): unknown {
    if (Array.isArray(expression)) return expression.map((item) => this.compute(item))
    if (typeof expression !== "object" || expression === null) return expression
    const keys = Object.keys(expression)
    const key = keys[0] ?? ""
    if (keys.length !== 1 || !key.startsWith("$")) {
      return Object.fromEntries(Object.entries(expression).map(([name, item]) => [name, this.compute(item)]))
    }
    const argument = expression[key] as Json
    if (key === "$") return this.variable(argument as string)
    if (key === "$lit") return argument
    const fn = FUNCTIONS[key]
    assert.ok(fn !== undefined, `unknown expression ${key}`)
    return fn(this.compute(argument) as never, this.ctx)
  }

  variable(path: string): unknown {
    const [first, ...rest] = path.split(".") as [string, ...string[]]
    let value = this.env.get(first)
    for (const step of rest) {
      const known = typeof value === "object" && value !== null && Object.hasOwn(value, step)
      value = known ? (value as Record<string, unknown>)[step] : null
    }
    return value ?? null
  }
}

/** false, null, 0, "", [] and {} are false. */
function isTrue(value: unknown): boolean {
  return typeof value === "object" && value !== null ? Object.keys(value).length > 0 : Boolean(value)
}

const ASKING = new Set(["activity", "child", "timer", "timer_at", "event"])

const FUNCTIONS: Record<string, (argument: never, ctx: WorkflowContext) => unknown> = {
  $add: (values: (number | string)[]) =>
    values.some((value) => typeof value === "string")
      ? values.map(String).join("")
      : (values as number[]).reduce((sum, value) => sum + value, 0),
  $eq: ([a, b]: [unknown, unknown]) => JSON.stringify(a) === JSON.stringify(b),
  $lt: ([a, b]: [number, number]) => a < b,
  $not: (value: unknown) => !isTrue(value),
  $len: (value: { length: number }) => value.length,
  $push: ([list, item]: [unknown[], unknown]) => [...list, item],
  $range: (n: number) => [...Array(n).keys()],
  $now: (_: unknown, ctx) => ctx.now().getTime(),
  $random: (_: unknown, ctx) => ctx.random(),
  $uuid: (_: unknown, ctx) => ctx.uuid(),
  $version: (_: unknown, ctx) => ctx.version ?? null,
  $instance_id: (_: unknown, ctx) => ctx.instanceId,
}

const OPERATIONS: Record<string, (run: Run, op: Op, main: Json) => unknown> = {
  begin(run, op, asking) {
    const asked = run.ask(asking as Op)
    if (typeof op["as"] === "string") run.env.set(op["as"], asked)
    return NOTHING
  },
  await: (run, _op, task) => run.task(task),
  all: (run, op, items) => together(run.tasks(items), op),
  each(run, op, array) {
    const tasks = (run.compute(array) as unknown[]).map((item) => {
      run.env.set(op["item"] as string, item)
      return run.task(op["do"] as Json)
    })
    return together(tasks, op)
  },
  async map(run, op) {
    const asking = op["do"] as Op
    const kind = Object.keys(asking)[0] as string
    const name = asking[kind] as string
    const each = kind === "child" ? workflow(name, async (): Promise<unknown> => null) : name
    const limit = "max_concurrency" in op ? (run.compute(op["max_concurrency"] as Json) as number | null) : null
    const options = {
      ...(limit === null ? {} : { maxConcurrency: limit }),
      ...("retry" in asking ? { retry: policy(run.compute(asking["retry"] as Json) as JsonObject) } : {}),
    }
    const items = run.inputs(op, asking)
    if (op["return_exceptions"] === true)
      return outcomes(await run.ctx.map(each as string, items, { ...options, settled: true }))
    return run.ctx.map(each as string, items, options)
  },
  async any(run, op, items) {
    const { index, value } = await run.ctx.any(run.tasks(items), { cancelRest: op["keep"] !== true })
    return { index, value: value ?? null }
  },
  cancel(run, _op, task) {
    ;(run.task(task) as { cancel(): boolean }).cancel()
    return NOTHING
  },
  send(run, op, name) {
    const data = "data" in op ? run.compute(op["data"] as Json) : undefined
    run.ctx.sendEvent(run.compute(op["to"] as Json) as string, run.compute(name) as string, data)
    return NOTHING
  },
  status(run, _op, status) {
    run.ctx.setCustomStatus(run.compute(status))
    return NOTHING
  },
  patch: (run, _op, name) => run.ctx.isPatched(run.compute(name) as string),
  set(run, op, name) {
    run.env.set(name as string, run.compute(op["to"] as Json))
    return NOTHING
  },
  async if(run, op, condition) {
    await run.block(op[isTrue(run.compute(condition)) ? "then" : "else"] ?? [])
    return NOTHING
  },
  async while(run, op, condition) {
    while (isTrue(run.compute(condition))) await run.block(op["do"] as Json)
    return NOTHING
  },
  async for(run, op, name) {
    for (const item of run.compute(op["in"] as Json) as unknown[]) {
      run.env.set(name as string, item)
      await run.block(op["do"] as Json)
    }
    return NOTHING
  },
  async try(run, op, ops) {
    try {
      await run.block(ops)
    } catch (error) {
      if (error instanceof Return || isLeaving(error)) throw error
      if (typeof op["as"] === "string") run.env.set(op["as"], describe(error))
      await run.block(op["catch"] as Json)
    }
    return NOTHING
  },
  raise(run, op, type) {
    throw made(run.compute(type) as string, run.compute(op["message"] as Json) as string)
  },
  return(run, _op, value) {
    throw new Return(run.compute(value))
  },
  continue_as_new: (run, op, value) =>
    run.ctx.continueAsNew(run.compute(value), { keepEvents: op["keep_events"] !== false }),
  non_durable: () => new Promise((resolve) => setTimeout(() => resolve(NOTHING), 1)),
}

async function together(tasks: unknown[], op: Op): Promise<unknown> {
  return op["return_exceptions"] === true ? outcomes(await Promise.allSettled(tasks)) : Promise.all(tasks)
}

function outcomes(settled: PromiseSettledResult<unknown>[]): unknown[] {
  return settled.map((one) => (one.status === "fulfilled" ? one.value : describe(one.reason)))
}

/** What leaves a workflow on behalf of `continueAsNew` passes every `catch`. */
function isLeaving(error: unknown): boolean {
  return error instanceof Error && error.constructor.name === "ContinueAsNew"
}

/** An error with the name of a type. */
function made(name: string, message: string, Base: new (message: string) => Error = Error): Error {
  const error = new Base(message)
  error.name = name
  return error
}

/** An error as a program sees it. */
function describe(error: unknown): JsonObject {
  if (error instanceof OperationCancelledError) return { code: "cancelled", type: "Cancelled", message: "" }
  if (error instanceof EverstepError) {
    const { failure } = error
    if (failure === undefined) return { code: error.code, type: error.name, message: error.message }
    return { ...described(failure), code: error.code }
  }
  const { name, message } = error as Error
  return { code: "workflow_failed", type: name, message }
}

function described(failure: Failure): JsonObject {
  return {
    code: failure.code ?? "workflow_failed",
    type: failure.errorType,
    message: failure.message,
    ...(failure.cause === undefined ? {} : { cause: described(failure.cause) }),
  }
}

const RETRY: Record<string, string> = {
  max_attempts: "maxAttempts",
  first_interval_ms: "firstInterval",
  backoff: "backoff",
  max_interval_ms: "maxInterval",
  total_timeout_ms: "totalTimeout",
  non_retryable: "nonRetryable",
}

function policy(retry: JsonObject): Retry {
  return Object.fromEntries(Object.entries(retry).map(([key, value]) => [RETRY[key] as string, value])) as Retry
}

export const ACTIVITIES: Activity<never, unknown>[] = [
  activity("echo", (value: unknown) => value ?? null),
  activity("add", (numbers: number[]) => numbers.reduce((sum, number) => sum + number, 0)),
  activity("fail", (input: { type: string; message: string; retryable?: boolean; cause?: boolean }) => {
    const error = made(input.type, input.message, input.retryable === false ? NonRetryableError : Error)
    if (input.cause === true) error.cause = made("Inner", "inner")
    throw error
  }),
  activity("flaky", async (input: { fails: number; type?: string }, ctx) => {
    if (ctx.attempt <= input.fails) throw made(input.type ?? "Flaky", `attempt ${ctx.attempt}`)
    return { attempt: ctx.attempt }
  }),
  activity("task_info", (_: void, ctx) => ({
    key: ctx.taskKey,
    attempt: ctx.attempt,
    id: ctx.instanceId,
    task: ctx.taskId,
  })),
  activity(
    "until_cancelled",
    (_: void, ctx) =>
      new Promise<null>((resolve) => {
        if (ctx.signal.aborted) resolve(null)
        ctx.signal.addEventListener("abort", () => resolve(null))
      }),
  ),
]
