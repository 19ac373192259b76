// `everstep/testing`: time that skips, stored histories against changed code, contexts for activities.

import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { suite, test } from "node:test"

import {
  activity,
  Client,
  InvalidArgumentError,
  NotFoundError,
  OperationCancelledError,
  OperationTimeoutError,
  WaitTimeout,
  Worker,
  type Workflow,
  WorkflowFailedError,
  WorkflowStalledError,
  workflow,
} from "everstep"
import { activityContext, Environment, replay } from "everstep/testing"

const DAY = 86_400_000
const SOON = { timeout: 30_000 }

const patient = workflow("patient", async (ctx, days: number) => {
  const began = ctx.now().getTime()
  await ctx.sleep(days * DAY)
  return (ctx.now().getTime() - began) / DAY
})

const approval = workflow("approval", async (ctx) => {
  try {
    return await ctx.waitForEvent<string>("approval", { timeout: 3 * DAY })
  } catch (error) {
    if (error instanceof WaitTimeout) return "nobody answered"
    throw error
  }
})

suite("time skips", { timeout: 60_000 }, () => {
  for (const maxCached of [undefined, 0]) {
    test(`ten years pass at once (maxCached ${maxCached})`, async () => {
      await using env = await Environment.start({ workflows: [patient], maxCached })
      assert.ok((await (await env.client.startWorkflow(patient, 3650)).result(SOON)) >= 3650)
    })
  }

  test("time stands until somebody waits", async () => {
    await using env = await Environment.start({ workflows: [approval] })
    const answered = await env.client.startWorkflow(approval)
    const forgotten = await env.client.startWorkflow(approval)
    await answered.raiseEvent("approval", "yes")
    assert.equal(await answered.result(SOON), "yes")
    assert.equal(await forgotten.result(SOON), "nobody answered")
  })

  test("sleep lets happen what is due", async () => {
    await using env = await Environment.start({ workflows: [patient, approval] })
    const [day, week] = [await env.client.startWorkflow(patient, 1), await env.client.startWorkflow(patient, 7)]
    const waits = await env.client.startWorkflow(approval)
    const before = await env.now()
    const passed = (await env.sleep(2 * DAY)).getTime() - before.getTime()
    assert.ok(passed >= 2 * DAY && passed < 2 * DAY + 60_000, String(passed))
    assert.equal((await day.state()).runtimeStatus, "COMPLETED")
    assert.equal((await week.state()).runtimeStatus, "RUNNING")
    await waits.raiseEvent("approval", "in time")
    assert.equal(await waits.result(SOON), "in time")
    const ids = new Set<string>()
    for await (const { instanceId } of env.client.listWorkflows()) ids.add(instanceId)
    assert.deepEqual(ids, new Set([day, week, waits].map((handle) => handle.instanceId)))
  })

  test("not while an activity runs", async () => {
    let release = (): void => {}
    const gate = new Promise<void>((resolve) => (release = resolve))
    const held = activity("held", () => gate)
    const race = workflow("race", async (ctx) => {
      const { index } = await ctx.any([ctx.call(held), ctx.sleep(DAY)])
      return index === 0 ? "held" : "skipped"
    })
    await using env = await Environment.start({ workflows: [race], activities: [held] })
    const handle = await env.client.startWorkflow(race)
    const result = handle.result(SOON)
    // Time would have skipped by the time that this wait is over.
    await assert.rejects(handle.result({ timeout: 200 }), OperationTimeoutError)
    release()
    assert.equal(await result, "held")
  })

  test("a start may be delayed by engine time", async () => {
    await using env = await Environment.start({ workflows: [patient] })
    const now = await env.sleep(30 * DAY)
    assert.ok(now.getTime() > Date.now() + 29 * DAY)
    const handle = await env.client.startWorkflow(patient, 0, { startAt: new Date(now.getTime() + DAY) })
    assert.equal((await handle.state()).runtimeStatus, "PENDING")
    assert.equal(await handle.result(SOON), 0)
    assert.ok(Number((await handle.state()).startedAt) > Date.now() + 30 * DAY)
  })

  test("environments are apart", async () => {
    await using one = await Environment.start({ workflows: [patient] })
    await using other = await Environment.start({ workflows: [patient] })
    await one.client.startWorkflow(patient, 0, { instanceId: "mine" })
    await assert.rejects(other.client.getWorkflow("mine"), NotFoundError)
    await using more = new Client(one.endpoint)
    assert.equal((await more.getWorkflow("mine")).instanceId, "mine")
  })

  test("arguments are checked", async () => {
    await using env = await Environment.start()
    await assert.rejects(env.sleep(-1), InvalidArgumentError)
    await assert.rejects(Environment.start({ workflows: [patient, patient] }), InvalidArgumentError)
  })
})

// Stored histories against changed code.

const echo = activity("echo", (value: number) => value)
const broken = activity("broken", (value: number): number => {
  throw new RangeError(String(value))
})
const child = workflow("child", async (ctx, value: number) => ctx.call(echo, value))
const flow = workflow("flow", async (ctx, wait: boolean) => {
  let total = await ctx.call(echo, 1)
  await ctx.call(broken, 2, { retry: { maxAttempts: 2, firstInterval: 1 } }).catch(() => 0)
  total += await ctx.call(child, 3)
  await ctx.sleep(1)
  if (ctx.isPatched("more")) for (const one of await ctx.map(echo, [4, 5, 6], { maxConcurrency: 2 })) total += one
  if (wait) {
    ctx.setCustomStatus("waits")
    total += await ctx.waitForEvent<number>("go", { timeout: DAY })
  }
  await ctx.call(echo, total)
  return total
})
const failing = workflow("failing", async (ctx): Promise<void> => {
  await ctx.call(echo, 1)
  throw new RangeError("no")
})
const counting = workflow("counting", async (ctx, number: number): Promise<number> => {
  await ctx.call(echo, number)
  return number === 3 ? number : ctx.continueAsNew(number + 1)
})
const ALL = [flow, child, failing, counting]

/** Waits until an instance says that it waits. */
async function waiting(client: Client, instanceId: string): Promise<void> {
  for await (const state of client.watchWorkflow(instanceId)) if (state.customStatus === "waits") return
}

/** Leaves runs of all workflows: ended in every way, waiting, paused, never begun. */
async function store(client: Client): Promise<void> {
  await (await client.startWorkflow(flow, false, { instanceId: "ended" })).result(SOON)
  for (const instanceId of ["waits", "paused", "terminated"]) {
    await client.startWorkflow(flow, true, { instanceId })
    await waiting(client, instanceId)
  }
  await client.pauseWorkflow("paused")
  await client.terminateWorkflow("terminated")
  await assert.rejects(
    (await client.startWorkflow(failing, undefined, { instanceId: "failed" })).result(SOON),
    WorkflowFailedError,
  )
  await (await client.startWorkflow(counting, 1, { instanceId: "counted" })).result(SOON)
  await client.startWorkflow(counting, 1, { instanceId: "later", startAt: DAY })
}

test("code fits what it wrote", { timeout: 60_000 }, async () => {
  await using client = new Client("memory:")
  {
    await using _ = await Worker.start(client, { workflows: ALL, activities: [echo, broken] })
    await store(client)
  }
  let count = 0
  for await (const _ of client.listWorkflows()) count += 1
  assert.ok(count >= 10)
  assert.equal(await replay(client, ALL), count)
  assert.equal(await replay(client, [counting], { statuses: ["COMPLETED"] }), 1)
  assert.equal(await replay(client, ALL, { instanceIds: ["ended"] }), 1)
  await assert.rejects(replay(client, ALL, { instanceIds: ["nobody"] }), NotFoundError)
  await assert.rejects(replay(client, ALL, { instanceIds: "ended" }), InvalidArgumentError)
  await assert.rejects(replay(client, ALL, { signal: AbortSignal.abort() }), OperationCancelledError)
  assert.deepEqual(await Promise.all([replay(client, ALL), replay(client, ALL)]), [count, count])
})

type Short = Workflow<boolean, unknown>

const go = async (ctx: Parameters<Short["run"]>[0], wait: boolean): Promise<void> => {
  if (!wait) return
  ctx.setCustomStatus("waits")
  await ctx.waitForEvent("go")
}
const short: Short = workflow("short", async (ctx, wait) => {
  await ctx.call(echo, 1)
  await go(ctx, wait)
  return ctx.call(echo, 2)
})
const BOTH = ["ended", "waits"]
const CHANGES: Record<string, [changed: Short, unfit: string[]]> = {
  "nothing changed": [short, []],
  "behind a patch": [
    workflow("short", async (ctx, wait) => (ctx.isPatched("other") ? 0 : await short.run(ctx, wait))),
    [],
  ],
  "one more behind": [
    workflow("short", async (ctx, wait) => {
      await short.run(ctx, wait)
      return ctx.call(echo, 3)
    }),
    ["ended"],
  ],
  "the last one left out": [
    workflow("short", async (ctx, wait) => {
      await ctx.call(echo, 1)
      await go(ctx, wait)
    }),
    ["ended"],
  ],
  "another activity": [workflow("short", async (ctx) => ctx.call(broken, 1)), BOTH],
  "one more before": [
    workflow("short", async (ctx, wait) => {
      await ctx.call(echo, 1)
      await short.run(ctx, wait)
    }),
    BOTH,
  ],
  "one more beside": [
    workflow("short", async (ctx, wait) => {
      await ctx.call(echo, 1)
      void ctx.call(echo, 1)
      await go(ctx, wait)
      return ctx.call(echo, 2)
    }),
    BOTH,
  ],
  "nothing left": [workflow("short", async () => 0), BOTH],
  "a version": [workflow("short", short.run, { version: "v2" }), BOTH],
  "something not durable": [
    workflow("short", async (ctx) => {
      await ctx.call(echo, 1)
      await new Promise((resolve) => setImmediate(resolve))
    }),
    BOTH,
  ],
}

suite("changed code is found out", { timeout: 60_000 }, () => {
  for (const [name, [changed, unfit]] of Object.entries(CHANGES)) {
    test(name, async () => {
      await using client = new Client("memory:")
      {
        await using _ = await Worker.start(client, { workflows: [short], activities: [echo] })
        await (await client.startWorkflow(short, false, { instanceId: "ended" })).result(SOON)
        await client.startWorkflow(short, true, { instanceId: "waits" })
        await waiting(client, "waits")
      }
      const histories = async () =>
        Promise.all(
          BOTH.map(async (id) =>
            [...(await client.getWorkflowHistory(id))].map(({ type, attributes }) => ({ type, attributes })),
          ),
        )
      const before = await histories()
      for (const instanceId of BOTH) {
        const replayed = replay(client, [changed], { instanceIds: [instanceId] })
        if (!unfit.includes(instanceId)) assert.equal(await replayed, 1)
        else {
          await assert.rejects(replayed, (error) => {
            assert.ok(error instanceof WorkflowStalledError)
            assert.deepEqual([error.instanceId, error.operation], [instanceId, "replay"])
            return true
          })
        }
      }
      assert.deepEqual(await histories(), before)
    })
  }
})

test("what nobody catches of a replay ends the program", { timeout: 60_000 }, () => {
  const program = `
    const { activity, Client, Worker, workflow } = require("everstep")
    const { replay } = require("everstep/testing")
    const echo = activity("echo", (value) => value)
    const flow = workflow("flow", async (ctx) => ctx.call(echo, 1))
    const changed = workflow("flow", async (ctx) => ctx.callActivity("other", 1))
    const main = async () => {
      const client = new Client("memory:")
      const worker = await Worker.start(client, { workflows: [flow], activities: [echo] })
      await (await client.startWorkflow(flow)).result({ timeout: 30_000 })
      await worker.close()
      void replay(client, [changed])
    }
    void main()
  `
  const done = spawnSync(process.execPath, ["-e", program], { cwd: __dirname, encoding: "utf8", timeout: 30_000 })
  assert.equal(done.status, 1)
  assert.match(done.stderr, /WorkflowStalledError: replay: .*other/)
})

test("a file is replayed while its owner works", { timeout: 60_000 }, async () => {
  const directory = mkdtempSync(join(tmpdir(), "everstep-testing-"))
  try {
    const endpoint = `sqlite:${join(directory, "work.db")}`
    await using client = new Client(endpoint)
    await using _ = await Worker.start(client, { workflows: [patient] })
    await (await client.startWorkflow(patient, 0)).result(SOON)
    const program = `
      const { Client, workflow } = require("everstep")
      const { replay } = require("everstep/testing")
      const patient = workflow("patient", async (ctx, days) => { ctx.now(); await ctx.sleep(0); return days })
      replay(new Client(process.argv[1]), [patient]).then((count) => console.log(count))
    `
    const done = spawnSync(process.execPath, ["-e", program, endpoint], {
      cwd: __dirname,
      encoding: "utf8",
      timeout: 30_000,
    })
    assert.deepEqual([done.stdout, done.status], ["1\n", 0], done.stderr)
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test("an activity is called with a context that says what the test says", async () => {
  const charge = activity(
    "charge",
    async (amount: number, ctx) => `${ctx.taskKey} ${amount} ${ctx.attempt} ${ctx.signal.aborted}`,
  )
  assert.equal(await charge.run(7, activityContext()), "test-task 7 1 false")
  const controller = new AbortController()
  const context = activityContext({
    taskKey: "k",
    attempt: 2,
    signal: controller.signal,
    deadline: new Date(5),
    name: "charge",
  })
  controller.abort()
  assert.equal(await charge.run(7, context), "k 7 2 true")
  assert.deepEqual([context.deadline, context.name, context.instanceId], [new Date(5), "charge", "test-instance"])
  assert.ok(activityContext({ signal: AbortSignal.abort() }).signal.aborted)
})
