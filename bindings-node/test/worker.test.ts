// What is particular to workflows in this language: promises, generators, what is not durable, rejections.

import assert from "node:assert/strict"
import { type TestOptions, test } from "node:test"
import { setTimeout as pause } from "node:timers/promises"

import {
  ActivityError,
  activity,
  Client,
  ClosedError,
  InvalidArgumentError,
  NonRetryableError,
  OperationCancelledError,
  OperationTimeoutError,
  WaitTimeout,
  Worker,
  type WorkflowContext,
  WorkflowFailedError,
  WorkflowStalledError,
  workflow,
} from "everstep"

const options: TestOptions = { timeout: 60_000 }

class CardDeclined extends Error {}

const echo = activity("echo", async (value: unknown) => value)
const fail = activity("fail", async (message: string): Promise<string> => {
  throw new CardDeclined(message, { cause: new TypeError("inner") })
})
const slow = activity("slow", async (_: void, ctx) => {
  await pause(60_000, undefined, { signal: ctx.signal })
})

/** Runs a function as a workflow, cached and with every turn a replay; both must give the same. */
async function both<O>(
  run: (ctx: WorkflowContext) => Promise<O> | AsyncGenerator<unknown, O> | Generator<unknown, O>,
): Promise<O> {
  const outputs: O[] = []
  for (const maxCached of [1000, 0]) {
    await using client = new Client("memory:")
    await using _ = await Worker.start(client, {
      workflows: [workflow("w", run)],
      activities: [echo, fail, slow],
      maxCached,
    })
    const handle = await client.startWorkflow<O>("w")
    outputs.push(await handle.result({ timeout: 30_000 }))
  }
  assert.deepEqual(outputs[0], outputs[1])
  return outputs[0] as O
}

test("the combinators of the language are durable", options, async () => {
  const found = await both(async (ctx) => {
    const many = await Promise.all([1, 2, 3].map((n) => ctx.call(echo, n)))
    const settled = await Promise.allSettled([ctx.call(echo, 4), ctx.call(fail, "no")])
    const race = await Promise.race([ctx.sleep(60_000).then(() => "timer"), ctx.call(echo, "activity")])
    const any = await Promise.any([ctx.call(fail, "no"), ctx.call(echo, "any")])
    return { many, statuses: settled.map(({ status }) => status), race, any }
  })
  assert.deepEqual(found, { many: [1, 2, 3], statuses: ["fulfilled", "rejected"], race: "activity", any: "any" })
})

test("branches that are async functions of their own run side by side", options, async () => {
  const found = await both(async (ctx) => {
    const said: string[] = []
    const branch = async (name: string, turns: number): Promise<void> => {
      for (let n = 0; n < turns; n += 1) said.push(`${name}${String(await ctx.call(echo, n))}`)
    }
    await Promise.all([branch("a", 3), branch("b", 2)])
    return said.length
  })
  assert.equal(found, 5)
})

test("generators get back what they yield", options, async () => {
  async function* later(ctx: WorkflowContext): AsyncGenerator<unknown, unknown, never> {
    const one: number = yield ctx.call(echo, 1)
    const [two, three]: number[] = yield [ctx.call(echo, 2), ctx.call(echo, 3)]
    try {
      yield ctx.call(fail, "no")
    } catch (error) {
      assert.ok(error instanceof ActivityError)
    }
    return [one, two, three]
  }
  function* now(ctx: WorkflowContext): Generator<unknown, unknown, never> {
    const one: number = yield ctx.call(echo, 1)
    yield ctx.sleep(1)
    return one
  }
  assert.deepEqual(await both(later), [1, 2, 3])
  assert.equal(await both(now), 1)
})

test("what is asked for may be given up", options, async () => {
  const found = await both(async (ctx) => {
    const timer = ctx.sleep(60_000)
    const given = timer.cancel()
    const again = timer.cancel()
    const caught = await timer.catch((error: unknown) => error instanceof OperationCancelledError)
    const first = await ctx.any([ctx.call(slow), ctx.call(echo, "quick")])
    const timeout = await ctx
      .waitForEvent("never", { timeout: 5 })
      .catch((error: unknown) => error instanceof WaitTimeout)
    return { given, again, caught, first, timeout }
  })
  assert.deepEqual(found, {
    given: true,
    again: false,
    caught: true,
    first: { index: 1, value: "quick" },
    timeout: true,
  })
})

test("a branch that fails before anybody waits for it ends nobody", options, async () => {
  const heard: unknown[] = []
  const listen = (reason: unknown): void => void heard.push(reason)
  process.on("unhandledRejection", listen)
  const listeners = process.listeners("unhandledRejection")
  try {
    const found = await both(async (ctx) => {
      const failing = (async () => ctx.call(fail, "early"))()
      await ctx.sleep(5)
      await ctx.call(echo, 1)
      return failing.catch((error: unknown) => (error as ActivityError).errorType)
    })
    assert.equal(found, "CardDeclined")
    await pause(5)
    assert.deepEqual(heard, [])
    assert.deepEqual(process.listeners("unhandledRejection"), listeners)
  } finally {
    process.off("unhandledRejection", listen)
  }
})

test("a failure keeps its type, message, cause and stack", options, async () => {
  await using client = new Client("memory:")
  const failing = workflow("failing", async (ctx) => ctx.call(fail, "no money"))
  await using _ = await Worker.start(client, { workflows: [failing], activities: [fail] })
  const handle = await client.startWorkflow(failing)
  await assert.rejects(handle.result({ timeout: 30_000 }), (error) => {
    assert.ok(error instanceof WorkflowFailedError)
    assert.deepEqual([error.errorType, error.failure?.message], ["CardDeclined", "no money"])
    assert.ok(error.isCausedBy("TypeError") && error.stackTrace?.includes("worker.test"))
    assert.ok(error.cause instanceof Error && error.cause.name === "CardDeclined")
    return true
  })
})

test("what need not be tried again is not, and a subclass is called by its own name", options, async () => {
  class NoSuchCard extends NonRetryableError {}
  for (const kind of [NonRetryableError, NoSuchCard]) {
    let runs = 0
    const once = activity("once", () => {
      runs += 1
      throw new kind("never")
    })
    await using client = new Client("memory:")
    const w = workflow("w", async (ctx) => ctx.call(once, undefined, { retry: { maxAttempts: 5, firstInterval: 1 } }))
    await using _ = await Worker.start(client, { workflows: [w], activities: [once] })
    await assert.rejects((await client.startWorkflow(w)).result({ timeout: 30_000 }), (error) => {
      assert.ok(error instanceof WorkflowFailedError)
      assert.equal(error.errorType, kind.name)
      return true
    })
    assert.equal(runs, 1)
  }
})

const STALLS: Record<string, (ctx: WorkflowContext) => Promise<unknown>> = {
  "a bare timer": () => new Promise((resolve) => setTimeout(resolve, 1)),
  "a context after something that is not durable": async (ctx) => {
    const pending = ctx.sleep(20)
    await pause(1)
    await ctx.call(echo, 1).catch(() => undefined)
    return pending
  },
  "an end outside the turn": async (ctx) => {
    void ctx.sleep(20)
    await pause(1)
    return "too early"
  },
  "what cannot be encoded": async (ctx) => ctx.call(echo, 1n).catch(() => undefined),
}

for (const [name, run] of Object.entries(STALLS)) {
  test(`${name} stalls the workflow`, options, async () => {
    await using client = new Client("memory:")
    const w = workflow("w", run)
    await using _ = await Worker.start(client, { workflows: [w], activities: [echo] })
    const handle = await client.startWorkflow(w)
    await assert.rejects(handle.result({ timeout: 30_000 }), (error) => {
      assert.ok(error instanceof WorkflowStalledError, String(error))
      return true
    })
  })
}

test("an activity is told when its attempt has timed out", options, async () => {
  let tell = (_: boolean): void => {}
  const told = new Promise<boolean>((resolve) => (tell = resolve))
  const patient = activity("patient", async (_: void, ctx) => {
    await new Promise((resolve) => ctx.signal.addEventListener("abort", resolve))
    tell(ctx.signal.aborted)
  })
  await using client = new Client("memory:")
  // On a busy machine an attempt's time may be over before it begins; one of them has begun.
  const retry = { maxAttempts: 3, firstInterval: 1 }
  const w = workflow("w", async (ctx) =>
    ctx.call(patient, undefined, { timeout: 100, retry }).catch((error: unknown) => error instanceof WaitTimeout),
  )
  await using _ = await Worker.start(client, { workflows: [w], activities: [patient] })
  assert.equal(await (await client.startWorkflow(w)).result({ timeout: 30_000 }), true)
  assert.equal(await told, true)
})

test("a worker refuses what it cannot run", options, async () => {
  await using client = new Client("memory:")
  const w = workflow("w", async () => 1)
  await assert.rejects(Worker.start(client, { workflows: [w, w] }), InvalidArgumentError)
  await assert.rejects(Worker.start(client, { workflows: [echo as never] }), InvalidArgumentError)
  await assert.rejects(Worker.start(client, { activities: [w as never] }), InvalidArgumentError)
  await assert.rejects(Worker.start({} as never, { workflows: [w] }), InvalidArgumentError)
})

test("a worker of the engine in the process is ready until it is closed", options, async () => {
  await using client = new Client("memory:")
  const worker = await Worker.start(client, { activities: [echo] })
  await worker.waitUntilReady({ timeout: 30_000 })
  assert.equal(worker.isReady, true)
  await assert.rejects(worker.waitUntilReady({ timeout: -1 }), InvalidArgumentError)
  await worker.close()
  assert.equal(worker.isReady, false)
  await assert.rejects(worker.waitUntilReady(), ClosedError)
})

test("a worker without its sidecar is not ready, says why, and may be given up", options, async () => {
  // Nobody listens on port 1.
  await using client = new Client("grpc://127.0.0.1:1")
  const worker = await Worker.start(client, { activities: [echo], handleSignals: false })
  assert.equal(worker.isReady, false)
  await assert.rejects(worker.waitUntilReady({ timeout: 20 }), (error) => {
    assert.ok(error instanceof OperationTimeoutError)
    assert.match(error.message, /127\.0\.0\.1:1/)
    return true
  })
  const given = new AbortController()
  const waiting = worker.waitUntilReady({ signal: given.signal })
  given.abort()
  await assert.rejects(waiting, OperationCancelledError)
  const closed = assert.rejects(worker.waitUntilReady(), ClosedError)
  await worker.close()
  await closed
})

test("a worker's logger is told once, however often a turn is replayed", options, async () => {
  const said: unknown[] = []
  const made = (where: string) => {
    const say =
      (level: string) =>
      (...words: unknown[]): void =>
        void said.push([where, level, ...words])
    return { debug: say("debug"), info: say("info"), warn: say("warn"), error: say("error") }
  }
  const talks = workflow("talks", async (ctx) => {
    ctx.logger.info("began", 1)
    await ctx.sleep(1)
    ctx.logger.error("ends")
  })
  await using client = new Client("memory:")
  for (const logger of [made("all"), (ctx: WorkflowContext) => made(`${ctx.workflowName} ${ctx.instanceId}`)]) {
    await using _ = await Worker.start(client, { workflows: [talks], maxCached: 0, logger })
    await (await client.startWorkflow(talks, undefined, { instanceId: "a" })).result({ timeout: 30_000 })
  }
  const words = [
    ["info", "began", 1],
    ["error", "ends"],
  ]
  assert.deepEqual(said, [...words.map((each) => ["all", ...each]), ...words.map((each) => ["talks a", ...each])])
  await assert.rejects(
    Worker.start(client, { workflows: [talks], logger: { info() {} } as never }),
    InvalidArgumentError,
  )
})

test("what is no list is refused by its name", options, async () => {
  await using client = new Client("memory:")
  const one = workflow("one", async () => 1)
  for (const given of [{ workflows: one }, { workflows: "one" }, { activities: activity("a", () => 1) }] as never[]) {
    await assert.rejects(Worker.start(client, given), /(workflows|activities) must be a list/)
  }
})

test("a workflow that holds the event loop is named", options, async () => {
  const { performance } = globalThis
  const clock = performance.now
  let ahead = 0
  performance.now = () => clock.call(performance) + ahead
  const warned = new Promise<Error>((resolve) => process.once("warning", resolve))
  try {
    const computes = workflow("computes", async () => {
      ahead += 2500
    })
    await using client = new Client("memory:")
    await using _ = await Worker.start(client, { workflows: [computes] })
    await (await client.startWorkflow(computes, undefined, { instanceId: "sum-7" })).result({ timeout: 30_000 })
    const { name, message } = await warned
    assert.equal(name, "EverstepWarning")
    assert.match(message, /instance "sum-7" held the event loop for 2\.\d seconds/)
  } finally {
    performance.now = clock
  }
})
