// What a step expects, and what is found.

import assert from "node:assert/strict"

import type { Failure, History, WorkflowState } from "everstep"

import type { Json, JsonObject } from "../shared.js"

/** Compares decoded payloads; an absent one reads as null. */
export function same(found: unknown, expected: Json): void {
  if (typeof expected === "object" && expected !== null && "$default_child_of" in expected) {
    const parent = expected["$default_child_of"] as string
    assert.ok(typeof found === "string" && found.startsWith(`${parent}:`))
    assert.match(found.slice(parent.length), /^:[0-9a-f]{12}$/)
  } else {
    assert.deepEqual(found ?? null, expected)
  }
}

export function checkFailure(found: Failure | undefined, expected: JsonObject): void {
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

export function checkState(found: WorkflowState, expected: Json | undefined): void {
  for (const [key, value] of Object.entries((expected ?? {}) as JsonObject)) {
    const check = STATE[key]
    assert.ok(check !== undefined, `unknown key ${key}`)
    check(found, value)
  }
}

export function fits(found: WorkflowState, expected: Json): boolean {
  try {
    checkState(found, expected)
    return true
  } catch {
    return false
  }
}

/** The names of all workflows below this one. */
export function* below(history: History): Generator<string> {
  for (const id of history.childIds) {
    const child = history.child(id)
    if (child === undefined) continue
    yield String(child.eventsOf("ExecutionStarted")[0]?.name)
    yield* below(child)
  }
}
