// The three lists of error codes are one.

import assert from "node:assert/strict"
import { join } from "node:path"
import { test } from "node:test"

import { Client, ClosedError, EverstepError, errorClasses, InvalidArgumentError, NotFoundError } from "everstep"

import { conformance } from "./shared.js"

const { native } = require(join(__dirname, "..", "..", "dist", "native.js"))
const table = conformance<{ errors: { code: string; retryable: boolean }[] }>("errors.json").errors

test("classes, core and table have the same codes", () => {
  const codes = table.map(({ code, retryable }) => ({ code, retryable }))
  assert.deepEqual(native.errorKinds(), codes)
  assert.deepEqual(
    [...errorClasses.keys()],
    codes.map(({ code }) => code),
  )
  for (const { code, retryable } of codes) {
    const kind = errorClasses.get(code)
    assert.ok(kind !== undefined)
    const error = new kind("text")
    assert.ok(error instanceof EverstepError && error instanceof Error)
    assert.deepEqual([error.code, error.retryable, error.name], [code, retryable, kind.name])
  }
})

test("errors of both module systems are of one class", async () => {
  const esm = await import("everstep")
  assert.equal(esm.NotFoundError, NotFoundError)
  await using client = new esm.Client("memory:")
  await assert.rejects(client.getWorkflow("nobody"), (error) => {
    assert.ok(error instanceof NotFoundError)
    assert.deepEqual([error.code, error.operation, error.instanceId], ["not_found", "get_workflow", "nobody"])
    return true
  })
})

test("what is wrong with an argument is said before anything is asked", async () => {
  await using client = new Client("memory:")
  const wrong: (() => unknown)[] = [
    () => client.startWorkflow(7 as unknown as string),
    () => client.startWorkflow("w", 1n),
    () => client.startWorkflow("w", "\ud800"),
    () => client.startWorkflow("w", undefined, { instanceId: "no spaces" }),
    () => client.startWorkflow("w", undefined, { startAt: new Date(NaN) }),
    () => client.startWorkflow("w", undefined, { reuse: "always" as "never" }),
    () => client.getWorkflow("\udfff"),
    () => client.waitForWorkflowStart("a", { timeout: -1 }),
    () => client.countWorkflows({ statuses: ["DONE" as "RUNNING"] }),
    () => client.getWorkflow("a", { signal: 1 as unknown as AbortSignal }),
  ]
  for (const call of wrong) await assert.rejects(async () => call(), InvalidArgumentError)
  assert.throws(() => client.listWorkflows({ pageSize: 0 }), InvalidArgumentError)
  assert.throws(() => new Client("nowhere:"), InvalidArgumentError)
  assert.throws(() => new Client("grpcs://localhost:1", { tlsRoots: "/no/such/file.pem" }), InvalidArgumentError)
})

test("a closed client says so", async () => {
  const client = new Client("memory:")
  await client.close()
  await client.close()
  assert.ok(client.isClosed)
  await assert.rejects(client.getWorkflow("a"), ClosedError)
})
