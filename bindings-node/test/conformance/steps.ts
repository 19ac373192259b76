// The steps of a case, one function each.

import assert from "node:assert/strict"
import { setTimeout as pause } from "node:timers/promises"

import { EverstepError, NotFoundError, type WorkflowHandle, type WorkflowState } from "everstep"

import type { Json, JsonObject } from "../shared.js"
import { below, checkFailure, checkState, fits, same } from "./expect.js"
import type { World } from "./world.js"

interface Step {
  id: string
  timeout_ms?: number
  expect?: JsonObject
  [key: string]: Json | undefined
}

interface Start {
  workflow: string
  input?: Json
  id?: string
  version?: string
  start_in_ms?: number
  options?: Record<string, string>
  tags?: Record<string, string>
  reuse?: "never"
  component?: string
}

const timeout = (world: World, step: Step): { timeout: number } => ({ timeout: step.timeout_ms ?? world.patience })

function keep(world: World, handle: WorkflowHandle, step: Step): void {
  if (typeof step["as"] === "string") {
    world.names.set(step["as"], handle.instanceId)
    world.runs.set(step["as"], handle.executionId)
  }
  if (step.expect !== undefined) {
    assert.match(handle.instanceId, new RegExp(`^[0-9a-f]{8}-[0-9a-f]{4}-${String(step.expect["uuid"])}`))
  }
}

async function criteria(world: World, filter: JsonObject = {}): Promise<object> {
  const { name, statuses, parent, created_from, created_to, ...rest } = filter as Record<string, string>
  assert.deepEqual(rest, {})
  // A moment is named by the instance that was created then.
  const moment = async (id: string): Promise<Date> => (await world.client.getWorkflow(id)).createdAt
  return {
    ...(name === undefined ? {} : { name }),
    ...(statuses === undefined ? {} : { statuses }),
    ...(parent === undefined ? {} : { parentInstanceId: parent }),
    ...(created_from === undefined ? {} : { createdFrom: await moment(created_from) }),
    ...(created_to === undefined ? {} : { createdTo: await moment(created_to) }),
  }
}

function only(step: Step, ...keys: string[]): void {
  const unknown = Object.keys(step).filter((key) => !keys.includes(key))
  assert.deepEqual(unknown, [], `unknown keys ${unknown.join()}`)
}

/** One function per step. */
const STEPS: Record<string, (world: World, step: Step) => Promise<void>> = {
  async start(world, step) {
    only(
      step,
      "workflow",
      "id",
      "version",
      "input",
      "start_in_ms",
      "options",
      "tags",
      "reuse",
      "component",
      "as",
      "expect",
    )
    const { workflow, input, id, version, start_in_ms, options, tags, reuse, component } = step as unknown as Start
    const more = start_in_ms === undefined ? {} : { startAt: start_in_ms }
    keep(
      world,
      await world.client.startWorkflow(workflow, input, {
        instanceId: id,
        version,
        options,
        tags,
        reuse,
        component,
        ...more,
      }),
      step,
    )
  },
  async rerun(world, step) {
    only(step, "id", "from", "new_id", "input", "as", "expect")
    const { id, from, new_id, input } = step as unknown as { id: string; from: number; new_id?: string; input?: Json }
    keep(world, await world.client.rerunWorkflow(id, from, { newInstanceId: new_id, input }), step)
  },
  async wait_for_start(world, step) {
    only(step, "id", "timeout_ms", "expect")
    checkState(await world.client.waitForWorkflowStart(step.id, timeout(world, step)), step.expect)
  },
  async wait_for_completion(world, step) {
    only(step, "id", "timeout_ms", "expect")
    checkState(await world.client.waitForWorkflowCompletion(step.id, timeout(world, step)), step.expect)
  },
  async await(world, step) {
    only(step, "id", "expect")
    for (const deadline = Date.now() + world.patience; ; await pause(2)) {
      try {
        return checkState(await world.client.getWorkflow(step.id), step.expect)
      } catch (error) {
        const early = error instanceof assert.AssertionError || error instanceof NotFoundError
        if (!early || Date.now() > deadline) throw error
      }
    }
  },
  async result(world, step) {
    only(step, "id", "run", "timeout_ms", "expect")
    const run = step["run"] as string | undefined
    const id = run === undefined ? step.id : (world.names.get(run) as string)
    const handle = world.client.getHandle(id, { executionId: run === undefined ? undefined : world.runs.get(run) })
    const found = await handle.result(timeout(world, step))
    if (step.expect !== undefined) {
      only(step.expect as Step, "output")
      same(found, step.expect["output"] as Json)
    }
  },
  async get(world, step) {
    only(step, "id", "component", "payloads", "expect")
    const { id, component, payloads } = step as unknown as { id: string; component?: string; payloads?: boolean }
    checkState(await world.client.getWorkflow(id, { component, payloads }), step.expect)
  },
  async pause(world, step) {
    only(step, "id", "reason")
    await world.client.pauseWorkflow(step.id, { reason: step["reason"] as string })
  },
  async resume(world, step) {
    only(step, "id", "reason")
    await world.client.resumeWorkflow(step.id, { reason: step["reason"] as string })
  },
  async raise_event(world, step) {
    only(step, "id", "event", "data")
    await world.client.raiseWorkflowEvent(step.id, step["event"] as string, step["data"])
  },
  async terminate(world, step) {
    only(step, "id", "output", "recursive")
    const recursive = step["recursive"] as boolean | undefined
    await world.client.terminateWorkflow(step.id, { output: step["output"], recursive })
  },
  async purge(world, step) {
    only(step, "id", "recursive", "expect")
    const count = await world.client.purgeWorkflow(step.id, { recursive: step["recursive"] as boolean | undefined })
    if (step.expect !== undefined) assert.deepEqual({ count }, step.expect)
  },
  async bulk(world, step) {
    const { action, filter, expect, ...options } = step as unknown as {
      action: string
      filter: JsonObject
      expect?: Json
    }
    const seen: number[] = []
    const asked = { ...(await criteria(world, filter)), ...options, progress: (done: number) => void seen.push(done) }
    const actions: Record<string, () => Promise<number>> = {
      purge: () => world.client.purgeWorkflows(asked),
      terminate: () => world.client.terminateWorkflows(asked),
      pause: () => world.client.pauseWorkflows(asked),
      resume: () => world.client.resumeWorkflows(asked),
    }
    const count = await (actions[action] as () => Promise<number>)()
    assert.deepEqual(
      seen,
      seen.toSorted((a, b) => a - b),
    )
    assert.equal(seen.at(-1), count)
    if (expect !== undefined) assert.deepEqual({ count }, expect)
  },
  async count(world, step) {
    only(step, "filter", "expect")
    const counts = await world.client.countWorkflows(await criteria(world, step["filter"] as JsonObject))
    if (step.expect !== undefined) assert.deepEqual(counts, step.expect)
  },
  async list(world, step) {
    only(step, "filter", "limit", "payloads", "expect")
    const pageSize = (step["limit"] ?? 100) as number
    const payloads = step["payloads"] === true
    const asked = { ...(await criteria(world, step["filter"] as JsonObject)), pageSize, payloads }
    const states: WorkflowState[] = []
    for await (const state of world.reader.listWorkflows(asked)) states.push(state)
    if (step.expect === undefined) return
    const ids = step.expect["ids"] as string[]
    if (step.expect["order"] === "any") states.sort((a, b) => ids.indexOf(a.instanceId) - ids.indexOf(b.instanceId))
    assert.deepEqual(
      states.map((state) => state.instanceId),
      ids,
    )
    for (const [index, expected] of ((step.expect["states"] ?? []) as Json[]).entries()) {
      checkState(states[index] as WorkflowState, expected)
    }
    if ("pages" in step.expect) assert.equal(Math.max(1, Math.ceil(states.length / pageSize)), step.expect["pages"])
  },
  async history(world, step) {
    only(step, "id", "expect")
    const history = await world.reader.getWorkflowHistory(step.id)
    if (step.expect === undefined) return
    only(step.expect as Step, "kinds", "order", "children")
    // WorkflowStarted says only how turns were cut.
    const kinds = history.events.map((event) => event.type).filter((type) => type !== "WorkflowStarted")
    if ("children" in step.expect) {
      const tree = await world.reader.getWorkflowHistory(step.id, { expand: 64 })
      assert.deepEqual([...below(tree)].sort(), step.expect["children"])
    }
    const expected = step.expect["kinds"] as string[]
    if (step.expect["order"] === "any") assert.deepEqual(kinds.sort(), expected.toSorted())
    else assert.deepEqual(kinds, expected)
  },
  async watch(world, step) {
    only(step, "id", "until", "as", "expect")
    const name = step["as"] as string | undefined
    const watch = (name === undefined ? undefined : world.watches.get(name)) ?? world.client.watchWorkflow(step.id)
    const states: WorkflowState[] = []
    for (;;) {
      const next = await watch.next()
      if (next.done === true) {
        assert.equal(step["until"], undefined)
        assert.ok(states.length === 0 || states.at(-1)?.isTerminal)
        break
      }
      assert.ok(!states.at(-1)?.isTerminal)
      states.push(next.value)
      if (step["until"] !== undefined && fits(next.value, step["until"] as Json)) break
    }
    if (name !== undefined) world.watches.set(name, watch)
    only((step.expect ?? {}) as Step, "last", "states")
    if (step.expect?.["last"] !== undefined) checkState(states.at(-1) as WorkflowState, step.expect["last"])
    const expected = step.expect?.["states"] as Json[] | undefined
    if (expected !== undefined) {
      assert.equal(states.length, expected.length)
      for (const [index, state] of states.entries()) checkState(state, expected[index])
    }
  },
  async deploy(world, step) {
    await world.closeWorker("main")
    await world.open("main", step["fixtures"] as string[])
  },
  open_worker: (world, step) => world.open(step["name"] as string, step["fixtures"] as string[]),
  async close_worker(world, step) {
    world.deployed.delete(step["name"] as string)
    await world.closeWorker(step["name"] as string)
  },
  restart: (world) => world.restart(),
  async close(world) {
    await world.client.close()
    world.closed = true
  },
}

function fill(value: Json, names: ReadonlyMap<string, string>): Json {
  if (typeof value === "string") {
    let text = value
    for (const [name, found] of names) text = text.replaceAll(`{${name}}`, found)
    return text
  }
  if (Array.isArray(value)) return value.map((item) => fill(item, names))
  if (typeof value !== "object" || value === null) return value
  if (typeof value["$repeat"] === "string" && Object.keys(value).length === 2) {
    return value["$repeat"].repeat(value["times"] as number)
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fill(item, names)]))
}

/** Takes a step: it succeeds, or fails as the step says. */
export async function take(world: World, given: JsonObject): Promise<void> {
  const { do: kind, error: expected, ...step } = fill(given, world.names) as JsonObject
  const run = STEPS[kind as string]
  assert.ok(run !== undefined, `unknown step ${String(kind)}`)
  if (expected === undefined) return run(world, step as Step)
  const { code, failure } = expected as { code: string; failure?: JsonObject }
  await assert.rejects(
    () => run(world, step as Step),
    (error: unknown) => {
      if (!(error instanceof EverstepError)) throw error
      assert.equal(error.code, code, error.message)
      if (failure !== undefined) checkFailure(error.failure, failure)
      return true
    },
  )
}
