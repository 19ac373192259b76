// The vectors of `conformance/bridge`, without an engine.

import assert from "node:assert/strict"
import { join } from "node:path"
import { suite, test } from "node:test"

import { program } from "./programs.js"
import { conformance, type Json, type JsonObject } from "./shared.js"

const DIST = join(__dirname, "..", "..", "dist")
const { WorkflowHost, Workflows } = require(join(DIST, "host", "host.js"))
const { JSON_WIRE } = require(join(DIST, "wire.js"))
const { WorkflowRandom, WorkflowUuids } = require(join(DIST, "host", "random.js"))

interface RandomVectors {
  runs: { run: string; seed: string; u64: string[]; f64: string[]; uuids: string[] }[]
}

interface TurnVectors {
  id: string
  run: string
  vectors: {
    name: string
    version?: string
    body: { [key: string]: Json }[]
    tasks: { more: boolean; jobs: JsonObject[]; steps?: JsonObject[][]; stall?: string }[]
  }[]
}

suite("random numbers and UUIDs are the core's", () => {
  for (const vector of conformance<RandomVectors>("bridge/random.json").runs) {
    test(vector.run.slice(0, 8), () => {
      const random = new WorkflowRandom(BigInt(vector.seed))
      assert.deepEqual(
        vector.u64.map(() => String(random.nextU64())),
        vector.u64,
      )
      const again = new WorkflowRandom(BigInt(vector.seed))
      assert.deepEqual(
        vector.f64.map(() => again.next()),
        vector.f64.map(Number),
      )
      const uuids = new WorkflowUuids(vector.run)
      const made = Array.from({ length: 12 }, () => uuids.next())
      assert.deepEqual([...made.slice(0, 3), made[11]], vector.uuids)
    })
  }
})

suite("turns are answered as the vectors say", () => {
  const { id, run, vectors } = conformance<TurnVectors>("bridge/turns.json")
  assert.ok(vectors.length > 10)
  for (const vector of vectors) {
    test(vector.name, { timeout: 60_000 }, async () => {
      const version = vector.version === undefined ? {} : { version: vector.version }
      const host = new WorkflowHost(
        new Workflows([program({ name: "program", body: vector.body, ...version })]),
        JSON_WIRE,
        () => console,
      )
      for (const [index, task] of vector.tasks.entries()) {
        const asked = { t: String(index), id, run, more: task.more, jobs: task.jobs }
        const text = await new Promise<string>((resolve) => host.answer([asked], resolve))
        const answer = JSON.parse(text).turns[0]
        if (task.stall !== undefined) assert.equal(answer.stall?.code, task.stall)
        else assert.deepEqual(answer.steps?.map(comparable), (task.steps ?? []).map(comparable))
      }
    })
  }
})

/** Without stacks and without what an absent key says as well. */
function comparable(step: JsonObject[]): JsonObject[] {
  return step.map((command) => {
    for (
      let error = command["error"];
      typeof error === "object" && error !== null;
      error = (error as JsonObject)["cause"] as Json
    ) {
      const fields = error as JsonObject
      delete fields["stack"]
      if (fields["retryable"] === true) delete fields["retryable"]
    }
    if (command["keep_events"] === true) delete command["keep_events"]
    return Object.fromEntries(Object.entries(command).filter(([key, value]) => key === "status" || value !== false))
  })
}
