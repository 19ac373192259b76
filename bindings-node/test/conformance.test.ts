// Runs the cases of `conformance/` through this package; `conformance/README.md` says what a case is.
//
// Each runs cached, replayed (`maxCached` 0) and restarted (after every step), on `memory:` and `sqlite:`; with
// `PLACES=dapr_grpc,dapr_http` as far as there are such on a real Dapr, and first on `memory:`, whose histories the others are compared with.
// Unknown steps, keys and needs are errors, as are skips that `coverage.json` gives no reason for. `CASES` is how the names
// of those to run begin.

import assert from "node:assert/strict"
import { after, suite, test } from "node:test"

import { type Codec, PayloadTooLargeError } from "everstep"

import { CASES, COVERAGE, capabilities, FIXTURES, MODES, type Place, type Run, runs } from "./conformance/cases.js"
import { type Records, recordsOf } from "./conformance/records.js"
import { isOnDapr, Keeper, Lanes, leavesOtherHistory, stepsAt } from "./conformance/sidecars.js"
import { take } from "./conformance/steps.js"
import { MAIN, World } from "./conformance/world.js"
import { Reversing } from "./shared.js"

const CASE_KEYS = ["name", "feature", "kind", "about", "needs", "slow", "no_restart", "fixtures", "steps"]
/** How many runs on embedded engines are under way at a time; most of a run is waiting. */
const SIDE_BY_SIDE = 4
const EMBEDDED: Place[] = ["memory:", "sqlite:"]
const PLACES = (process.env["PLACES"]?.split(",") ?? EMBEDDED) as Place[]
const ONLY = process.env["CASES"]
const BESIDE_DAPR = PLACES.some(isOnDapr)
const LANES = new Lanes()
assert.ok(LANES.count > 0 || !BESIDE_DAPR, "no sidecar: run this by conformance/dapr/cluster.py")

/** What the first run of each case left. */
const first = new Map<string, { run: string; records: Records }>()

async function steps({ kase, place, mode }: Run, world: World): Promise<Records | undefined> {
  const taken = stepsAt(kase, place)
  for (const [index, step] of taken.entries()) {
    await take(world, step)
    if (mode === "restarted" && index + 1 < taken.length) await world.restart()
  }
  if (world.closed) return undefined
  // Random values differ from run to run by design.
  const payloads = kase.feature !== "determinism"
  try {
    return await recordsOf(world.reader, world.names.get("id") as string, payloads, BESIDE_DAPR)
  } catch (error) {
    // The history of the largest payloads is more than a message of Dapr's may be.
    if (isOnDapr(place) && error instanceof PayloadTooLargeError) return undefined
    throw error
  }
}

async function embedded(run: Run, codec?: Codec): Promise<Records | undefined> {
  const world = new World(run.place, run.mode, undefined, codec)
  try {
    await world.open(MAIN, run.kase.fixtures)
    return await steps(run, world)
  } finally {
    await world.close()
  }
}

/** The same on a sidecar that nobody else is using; afterwards nothing is left there. */
async function beside(run: Run): Promise<Records | undefined> {
  const lane = await LANES.take()
  const world = new World(run.place, run.mode, lane.sidecar)
  try {
    await world.open(MAIN, run.kase.fixtures)
    // Its stream goes over to the worker that is there now.
    await lane.keeper?.leave()
    lane.keeper = undefined
    return await steps(run, world)
  } finally {
    try {
      lane.keeper ??= await Keeper.open(lane.sidecar)
    } finally {
      await world.close()
      await LANES.giveBack(lane)
    }
  }
}

function compare({ kase, place, mode }: Run, records: Records): void {
  const before = first.get(kase.name)
  if (before === undefined) first.set(kase.name, { run: `${place} ${mode}`, records })
  else if (!leavesOtherHistory(kase.name, place)) {
    assert.deepEqual(records, before.records, `${place} ${mode} left another history than ${before.run}`)
  }
}

test("there are cases, and each has its format", () => {
  assert.ok(CASES.length >= 60)
  const needs = new Set([...capabilities("memory:"), ...COVERAGE.skips.map((skip) => skip.need)])
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
  const cells = new Set(
    runs(EMBEDDED, MODES).flatMap(({ kase, mode }) => [`${kase.feature} ${mode}`, `${kase.feature} ${kase.kind}`]),
  )
  const features = [...new Set(CASES.map((kase) => kase.feature))]
  const wanted = features.flatMap((feature) => ["happy", "error", ...MODES].map((cell) => `${feature} ${cell}`))
  const empty = COVERAGE.empty.map(({ feature, cell }) => `${feature} ${cell}`)
  assert.deepEqual(wanted.filter((cell) => !cells.has(cell)).sort(), empty.sort())
})

const here = BESIDE_DAPR ? runs(["memory:"], ["cached"], ONLY) : runs(PLACES, MODES, ONLY)
suite(`${here.length} runs of ${CASES.length} cases`, { concurrency: SIDE_BY_SIDE }, () => {
  for (const run of here) {
    test(`${run.kase.name} ${run.place} ${run.mode}`, { timeout: 120_000 }, async () => {
      const found = await embedded(run)
      if (found !== undefined) compare(run, found)
    })
  }
})

if (!BESIDE_DAPR) {
  // What is stored shows in histories, with random IDs in it, so those are not compared.
  const sealed = runs(["memory:"], ["cached", "replayed"], ONLY)
  suite(`${sealed.length} runs with a codec`, { concurrency: SIDE_BY_SIDE }, () => {
    for (const run of sealed) {
      test(`${run.kase.name} sealed ${run.mode}`, { timeout: 120_000 }, async () => {
        await embedded(run, new Reversing())
      })
    }
  })
}

if (BESIDE_DAPR) {
  const there = runs(PLACES.filter(isOnDapr), MODES, ONLY)
  suite(`${there.length} runs on Dapr`, { concurrency: LANES.count }, () => {
    after(() => LANES.close())
    for (const run of there) {
      test(`${run.kase.name} ${run.place} ${run.mode}`, { timeout: 240_000 }, async (t) => {
        const once = async (): Promise<void> => {
          const found = await beside(run)
          if (found !== undefined) compare(run, found)
        }
        await once().catch((error: unknown) => {
          // A real runtime under load has races of its own; what fails twice is a fault.
          t.diagnostic(`again, for it failed: ${String(error)}`)
          return once()
        })
      })
    }
  })
}
