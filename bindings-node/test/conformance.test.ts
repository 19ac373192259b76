// Runs the cases of `conformance/` through this package; `conformance/README.md` says what a case is.
//
// Each runs cached, replayed (`maxCached` 0) and restarted (after every step), on `memory:` and `sqlite:`. Unknown steps,
// keys and needs are errors, as are skips that `coverage.json` gives no reason for. All runs of a case must leave the same
// histories.

import assert from "node:assert/strict"
import { randomUUID } from "node:crypto"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { suite, test } from "node:test"
import { setTimeout as pause } from "node:timers/promises"

import {
  Client,
  EverstepError,
  type Failure,
  type History,
  NotFoundError,
  Worker,
  type WorkflowHandle,
  type WorkflowState,
} from "everstep"

import { ACTIVITIES, type Fixture, program } from "./programs.js"
import { type Records, recordsOf } from "./records.js"
import { CONFORMANCE, conformance, type Json, type JsonObject } from "./shared.js"

interface Case {
  name: string
  feature: string
  kind: string
  needs?: string[]
  slow?: Json
  no_restart?: string
  fixtures: string[]
  steps: JsonObject[]
}

interface Skip {
  runner?: string
  endpoint?: string
  mode?: string
  need?: string
  step?: string
  slow?: boolean
  reason: string
}

type Mode = "cached" | "replayed" | "restarted"
type Place = "memory:" | "sqlite:"

const PATIENCE = 30_000
const MODES: Mode[] = ["cached", "replayed", "restarted"]
const PLACES: Place[] = ["memory:", "sqlite:"]
const COVERAGE = conformance<{ skips: Skip[]; empty: { feature: string; cell: string }[] }>("coverage.json")
const CAPABILITIES = conformance<{ capabilities: { name: string; embedded: Json }[] }>("capabilities.json")
  .capabilities.filter((row) => row.embedded)
  .map((row) => row.name)
const FIXTURES = new Map(
  conformance<{ workflows: Fixture[] }>("fixtures.json").workflows.map((fixture) => [
    fixture.name + (fixture.variant === undefined ? "" : `@${fixture.variant}`),
    fixture,
  ]),
)
const CASES = readdirSync(join(CONFORMANCE, "cases"))
  .filter((name) => name.endsWith(".json"))
  .sort()
  .map((name) => conformance<Case>(`cases/${name}`))
const CASE_KEYS = ["name", "feature", "kind", "about", "needs", "slow", "no_restart", "fixtures", "steps"]
const ONLY = process.env["CASES"]

/** The listed reason why a case is not run here. */
function skipped(kase: Case, place: Place, mode: Mode): string | undefined {
  if (mode === "restarted" && kase.no_restart !== undefined) return kase.no_restart
  const once = kase.slow !== undefined && !(place === "memory:" && mode === "cached")
  return COVERAGE.skips.find(
    (skip) =>
      (skip.runner ?? "node") === "node" &&
      (skip.endpoint ?? place) === place &&
      (skip.mode ?? mode) === mode &&
      (skip.need === undefined || kase.needs?.includes(skip.need)) &&
      (skip.step === undefined || kase.steps.some((step) => step["do"] === skip.step)) &&
      (skip.slow !== true || once),
  )?.reason
}

const RUNS = CASES.flatMap((kase) =>
  PLACES.flatMap((place) =>
    MODES.filter((mode) => skipped(kase, place, mode) === undefined).map((mode) => ({ kase, place, mode })),
  ),
)

/** One case's store, client and workers. */
class World {
  readonly directory = mkdtempSync(join(tmpdir(), "everstep-conformance-"))
  readonly endpoint: string
  readonly names = new Map([["id", `c-${randomUUID().replaceAll("-", "").slice(0, 12)}`]])
  readonly runs = new Map<string, string | undefined>()
  readonly watches = new Map<string, AsyncGenerator<WorkflowState, void>>()
  readonly workers = new Map<string, Worker>()
  deployed = new Map<string, string[]>()
  client: Client
  closed = false

  constructor(
    readonly place: Place,
    readonly mode: Mode,
  ) {
    this.endpoint = place === "memory:" ? place : `sqlite:${this.directory}/workflows.db`
    this.client = new Client(this.endpoint)
  }

  async open(name: string, fixtures: string[]): Promise<void> {
    this.deployed.set(name, fixtures)
    if (fixtures.length === 0) return
    const workflows = fixtures.map((fixture) => program(FIXTURES.get(fixture) as Fixture))
    const options = { workflows, activities: ACTIVITIES, shutdownTimeout: 200, handleSignals: false }
    const maxCached = this.mode === "replayed" ? 0 : 1000
    this.workers.set(name, await Worker.start(this.client, { ...options, maxCached }))
  }

  async closeWorker(name: string): Promise<void> {
    await this.workers.get(name)?.close()
    this.workers.delete(name)
  }

  async stop(): Promise<void> {
    for (const name of [...this.workers.keys()]) await this.closeWorker(name)
  }

  async restart(): Promise<void> {
    await this.stop()
    this.watches.clear()
    await this.client.close()
    this.client = new Client(this.endpoint)
    this.closed = false
    for (const [name, fixtures] of this.deployed) await this.open(name, fixtures)
  }

  async close(): Promise<void> {
    await this.stop()
    await this.client.close()
    rmSync(this.directory, { recursive: true })
  }
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

/** Compares decoded payloads; an absent one reads as null. */
function same(found: unknown, expected: Json): void {
  if (typeof expected === "object" && expected !== null && "$default_child_of" in expected) {
    const parent = expected["$default_child_of"] as string
    assert.ok(typeof found === "string" && found.startsWith(`${parent}:`))
    assert.match(found.slice(parent.length), /^:[0-9a-f]{12}$/)
  } else {
    assert.deepEqual(found ?? null, expected)
  }
}

function checkFailure(found: Failure | undefined, expected: JsonObject): void {
  assert.ok(found !== undefined)
  for (const [key, value] of Object.entries(expected)) {
    if (key === "type") assert.equal(found.errorType, value)
    else if (key === "message") assert.equal(found.message, value)
    else if (key === "cause") checkFailure(found.cause, value as JsonObject)
    else assert.fail(`unknown key ${key}`)
  }
}

const STATE: Record<string, (found: WorkflowState, value: Json) => void> = {
  status: (found, value) => assert.equal(found.runtimeStatus, value),
  name: (found, value) => assert.equal(found.name, value),
  version: (found, value) => assert.equal(found.version ?? null, value),
  input: (found, value) => same(found.input, value),
  input_absent: (found, value) => assert.equal(found.rawInput === undefined, value),
  output: (found, value) => same(found.output, value),
  custom_status: (found, value) => same(found.customStatus, value),
  started: (found, value) => assert.equal(found.startedAt !== undefined, value),
  completed: (found, value) => assert.equal(found.completedAt !== undefined, value),
  failure: (found, value) => checkFailure(found.failure, value as JsonObject),
  reason_names: (found, value) => {
    for (const text of value as string[]) assert.ok(found.reason?.includes(text), found.reason)
  },
  has_reason: (found, value) => assert.equal(found.reason !== undefined, value),
  parent: (found, value) => assert.equal(found.parentInstanceId ?? null, value),
  tags: (found, value) => assert.deepEqual({ ...found.tags }, value),
}

function checkState(found: WorkflowState, expected: Json | undefined): void {
  for (const [key, value] of Object.entries((expected ?? {}) as JsonObject)) {
    const check = STATE[key]
    assert.ok(check !== undefined, `unknown key ${key}`)
    check(found, value)
  }
}

function fits(found: WorkflowState, expected: Json): boolean {
  try {
    checkState(found, expected)
    return true
  } catch {
    return false
  }
}

/** The names of all workflows below this one. */
function* below(history: History): Generator<string> {
  for (const id of history.childIds) {
    const child = history.child(id)
    if (child === undefined) continue
    yield String(child.eventsOf("ExecutionStarted")[0]?.name)
    yield* below(child)
  }
}

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

const timeout = (step: Step): { timeout: number } => ({ timeout: step.timeout_ms ?? 30_000 })

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
    checkState(await world.client.waitForWorkflowStart(step.id, timeout(step)), step.expect)
  },
  async wait_for_completion(world, step) {
    only(step, "id", "timeout_ms", "expect")
    checkState(await world.client.waitForWorkflowCompletion(step.id, timeout(step)), step.expect)
  },
  async await(world, step) {
    only(step, "id", "expect")
    for (const deadline = Date.now() + PATIENCE; ; await pause(2)) {
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
    const found = await handle.result(timeout(step))
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
    for await (const state of world.client.listWorkflows(asked)) states.push(state)
    if (step.expect === undefined) return
    assert.deepEqual(
      states.map((state) => state.instanceId),
      step.expect["ids"],
    )
    for (const [index, expected] of ((step.expect["states"] ?? []) as Json[]).entries()) {
      checkState(states[index] as WorkflowState, expected)
    }
    if ("pages" in step.expect) assert.equal(Math.max(1, Math.ceil(states.length / pageSize)), step.expect["pages"])
  },
  async history(world, step) {
    only(step, "id", "expect")
    const history = await world.client.getWorkflowHistory(step.id)
    if (step.expect === undefined) return
    only(step.expect as Step, "kinds", "order", "children")
    // WorkflowStarted says only how turns were cut.
    const kinds = history.events.map((event) => event.type).filter((type) => type !== "WorkflowStarted")
    if ("children" in step.expect) {
      const tree = await world.client.getWorkflowHistory(step.id, { expand: 64 })
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

async function take(world: World, given: JsonObject): Promise<void> {
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

/** What the first run of each case left. */
const first = new Map<string, { run: string; records: Records }>()

test("there are cases, and each has its format", () => {
  assert.ok(CASES.length >= 60)
  const needs = new Set([...CAPABILITIES, ...COVERAGE.skips.map((skip) => skip.need)])
  for (const kase of CASES) {
    assert.deepEqual(
      Object.keys(kase).filter((key) => !CASE_KEYS.includes(key)),
      [],
    )
    assert.deepEqual(
      (kase.needs ?? []).filter((need) => !needs.has(need)),
      [],
    )
    assert.deepEqual(
      kase.fixtures.filter((fixture) => !FIXTURES.has(fixture)),
      [],
    )
  }
})

test("every feature runs in every mode", () => {
  const cells = new Set(RUNS.flatMap(({ kase, mode }) => [`${kase.feature} ${mode}`, `${kase.feature} ${kase.kind}`]))
  const features = [...new Set(CASES.map((kase) => kase.feature))]
  const wanted = features.flatMap((feature) => ["happy", "error", ...MODES].map((cell) => `${feature} ${cell}`))
  const empty = COVERAGE.empty.map(({ feature, cell }) => `${feature} ${cell}`)
  assert.deepEqual(wanted.filter((cell) => !cells.has(cell)).sort(), empty.sort())
})

suite(`${RUNS.length} runs of ${CASES.length} cases`, () => {
  for (const { kase, place, mode } of RUNS) {
    if (ONLY !== undefined && !kase.name.startsWith(ONLY)) continue
    test(`${kase.name} ${place} ${mode}`, { timeout: 120_000 }, async () => {
      const world = new World(place, mode)
      let found: Records | undefined
      try {
        await world.open("main", kase.fixtures)
        for (const [index, step] of kase.steps.entries()) {
          await take(world, step)
          if (mode === "restarted" && index + 1 < kase.steps.length) await world.restart()
        }
        // Random values differ from run to run by design.
        if (!world.closed)
          found = await recordsOf(world.client, world.names.get("id") as string, kase.feature !== "determinism")
      } finally {
        await world.close()
      }
      if (found === undefined) return
      const before = first.get(kase.name)
      if (before === undefined) first.set(kase.name, { run: `${place} ${mode}`, records: found })
      else assert.deepEqual(found, before.records, `${place} ${mode} left another history than ${before.run}`)
    })
  }
})
