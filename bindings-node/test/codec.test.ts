// Codecs: what reaches which method, and what is said when one fails.

import assert from "node:assert/strict"
import { suite, test } from "node:test"

import {
  ActivityError,
  activity,
  Client,
  Codec,
  DecodeError,
  InvalidArgumentError,
  RawPayload,
  Worker,
  WorkflowFailedError,
  workflow,
} from "everstep"
import { Environment, replay } from "everstep/testing"

import { Reversing } from "./shared.js"

const SOON = { timeout: 30_000 }

class Custom {
  constructor(readonly value: number) {}
}

/** A form of its own, which is no JSON. */
class Words extends Codec {
  override encode(value: unknown): string {
    return value instanceof Custom ? `custom ${value.value}` : `json ${super.encode(value)}`
  }

  override decode(text: string): unknown {
    const [kind, rest] = [text.slice(0, text.indexOf(" ")), text.slice(text.indexOf(" ") + 1)]
    return kind === "custom" ? new Custom(Number(rest)) : super.decode(rest)
  }
}

const same = workflow("same", async (_, value: unknown) => value)
const doubled = activity("doubled", (custom: Custom) => new Custom(custom.value * 2))
const doubles = workflow("doubles", async (ctx, custom: Custom) => {
  ctx.setCustomStatus("at work")
  const more = await ctx.waitForEvent<Custom>("more")
  return ctx.call(doubled, new Custom(custom.value + more.value))
})

test("a codec may have a form of its own", SOON, async () => {
  await using client = new Client("memory:", { codec: new Words() })
  await using _ = await Worker.start(client, { workflows: [doubles], activities: [doubled], maxCached: 0 })
  const handle = await client.startWorkflow(doubles, new Custom(3))
  await handle.raiseEvent("more", new Custom(4))
  assert.equal((await handle.result(SOON)).value, 14)
  const state = await handle.state()
  assert.deepEqual(
    [state.rawInput, state.rawOutput, state.rawCustomStatus],
    ["custom 3", "custom 14", 'json "at work"'],
  )
  assert.deepEqual([state.input, state.customStatus], [new Custom(3), "at work"])
})

test("everything is sealed on its way, failures as well", SOON, async () => {
  const codec = new Reversing()
  const refuses = activity("refuses", (text: string): void => {
    throw new RangeError(`outer ${text}`, { cause: new TypeError(`inner ${text}`) })
  })
  const flow = workflow("flow", async (ctx, text: string): Promise<void> => {
    const event = await ctx.waitForEvent<string>("event")
    try {
      await ctx.call(refuses, text + event, { retry: { maxAttempts: 2, firstInterval: 1 } })
    } catch (error) {
      assert.ok(error instanceof ActivityError)
      throw new SyntaxError(`flow ${error.failure?.message}`, { cause: error })
    }
  })
  await using client = new Client("memory:", { codec })
  await using _ = await Worker.start(client, { workflows: [flow], activities: [refuses] })
  const handle = await client.startWorkflow(flow, "sec")
  await handle.raiseEvent("event", "ret")
  const messages = ["flow outer secret", "outer secret", "inner secret"]
  await assert.rejects(handle.result(SOON), (error) => {
    assert.ok(error instanceof WorkflowFailedError)
    assert.deepEqual(
      [...(error.failure?.chain() ?? [])].map((each) => each.message),
      messages,
    )
    assert.match(error.message, /flow outer secret/)
    assert.match(String(error.failure?.stackTrace), /SyntaxError: flow outer secret/)
    assert.ok(error.isCausedBy("TypeError"))
    return true
  })
  const state = await handle.state()
  assert.deepEqual(
    [...(state.failure?.chain() ?? [])].map((each) => each.message),
    messages,
  )
  assert.equal(state.rawInput, codec.seal('"sec"'))
  const history = await handle.history()
  assert.deepEqual(
    history.failures.map((each) => each.failure?.message),
    ["outer secret", "outer secret", messages[0]],
  )
  assert.equal(history.eventsOf("EventRaised")[0]?.input, "ret")
  // Types stay clear, since retry policies match on them.
  assert.deepEqual(
    history.failures.map((each) => each.failure?.errorType),
    ["RangeError", "RangeError", "SyntaxError"],
  )
})

test("a worker may have a codec of its own", SOON, async () => {
  const codec = new Reversing()
  await using client = new Client("memory:")
  await using _ = await Worker.start(client, { workflows: [same], codec })
  const handle = await client.startWorkflow(same, new RawPayload(codec.seal("7")))
  assert.equal((await handle.waitForCompletion(SOON)).rawOutput, codec.seal("7"))
  assert.equal(await handle.result(SOON), "sealed:7")
})

test("the testing environment takes one, and replay uses the client's", SOON, async () => {
  await using env = await Environment.start({ workflows: [same], codec: new Reversing() })
  const handle = await env.client.startWorkflow(same, 7)
  assert.equal(await handle.result(SOON), 7)
  assert.equal((await handle.state()).rawOutput, new Reversing().seal("7"))
  assert.ok((await env.now()) instanceof Date)
  assert.equal(await replay(env.client, [same]), 1)
})

test("what cannot be unsealed fails the call and stays readable", SOON, async () => {
  const waits = workflow("waits", async (ctx) => ctx.waitForEvent<number>("number"))
  await using plain = new Client("memory:")
  await using _ = await Worker.start(plain, { workflows: [same, waits], codec: new Reversing() })
  const handle = await plain.startWorkflow(same, 7)
  const waiting = await plain.startWorkflow(waits)
  await waiting.raiseEvent("number", 3)
  for (const each of [handle, waiting]) {
    await assert.rejects(each.result(SOON), (error) => {
      assert.ok(error instanceof WorkflowFailedError)
      assert.equal(error.errorType, "DecodeError")
      return true
    })
  }
  assert.equal((await handle.state()).rawInput, "7")
})

/** A codec of which one method gives this, or throws it. */
function broken(name: keyof Codec, answer: unknown): Codec {
  class Broken extends Codec {}
  Object.defineProperty(Broken.prototype, name, {
    value: () => {
      if (answer instanceof Error) throw answer
      return answer
    },
  })
  return new Broken()
}

const UNWRITABLE: [name: keyof Codec, answer: unknown, reason: RegExp][] = [
  ["encode", new RangeError("no words"), /input cannot be encoded: RangeError: no words/],
  ["seal", new RangeError("no key"), /input cannot be encoded: RangeError: no key/],
  ["seal", 7, /input cannot be encoded: Broken gave number, not a string/],
  ["seal", Promise.resolve(""), /Broken gave a promise, not a string/],
  ["encode", null, /input cannot be encoded: Broken gave null, not a string/],
  ["seal", "\ud800", /lone surrogate/],
]

const UNREADABLE: [name: keyof Codec, answer: unknown, reason: RegExp][] = [
  ["unseal", new RangeError("no key"), /cannot be unsealed: RangeError: no key/],
  ["unseal", 7, /Broken gave number, not a string/],
  ["decode", new RangeError("no words"), /cannot be decoded: RangeError: no words/],
]

suite("a codec that fails", () => {
  for (const [name, answer, reason] of UNWRITABLE) {
    test(`${name} ${reason.source}`, SOON, async () => {
      await using client = new Client("memory:", { codec: broken(name, answer) })
      await assert.rejects(client.startWorkflow("any", 1), (error) => {
        assert.ok(error instanceof InvalidArgumentError)
        assert.match(error.message, reason)
        return true
      })
    })
  }

  for (const [name, answer, reason] of UNREADABLE) {
    test(`${name} ${reason.source}`, SOON, async () => {
      await using client = new Client("memory:", { codec: broken(name, answer) })
      const state = await (await client.startWorkflow("any", [1])).state()
      assert.throws(
        () => state.input,
        (error) => {
          assert.ok(error instanceof DecodeError)
          assert.match(error.message, reason)
          assert.equal(error.text, "[1]")
          if (answer instanceof Error) assert.equal(error.cause, answer)
          return true
        },
      )
    })
  }

  test("shows no failure that it cannot seal", SOON, async () => {
    const fails = workflow("fails", async (): Promise<void> => {
      throw new RangeError("secret")
    })
    await using client = new Client("memory:", { codec: broken("seal", new TypeError("no key")) })
    await using _ = await Worker.start(client, { workflows: [fails] })
    await assert.rejects((await client.startWorkflow(fails)).result(SOON), (error) => {
      assert.ok(error instanceof WorkflowFailedError)
      assert.equal(error.errorType, "RangeError")
      assert.equal(error.failure?.message, "(Broken could not seal this: TypeError)")
      return true
    })
  })
})

test("what is no codec is refused", () => {
  for (const codec of [Codec, "json", {}, 7] as never[]) {
    assert.throws(() => new Client("memory:", { codec }), InvalidArgumentError)
  }
})

test("an activity whose output cannot be encoded, or input decoded, is not run again", SOON, async () => {
  let ran = 0
  const unsendable = activity("unsendable", () => {
    ran += 1
    return { later: Promise.resolve() }
  })
  const calls = workflow("calls", async (ctx) => {
    // A second attempt would come in a minute, long after the test's patience.
    const called = ctx.call(unsendable, undefined, { retry: { maxAttempts: 5, firstInterval: 60_000 } })
    return called.catch((error: ActivityError) => [error.errorType, error.failure?.nonRetryable])
  })
  await using client = new Client("memory:")
  await using _ = await Worker.start(client, { workflows: [calls], activities: [unsendable] })
  assert.deepEqual(await (await client.startWorkflow(calls)).result(SOON), ["InvalidArgumentError", true])
  assert.equal(ran, 1)
})

const UNSENDABLE: Record<string, unknown> = {
  "price: NaN is no JSON": { price: Number.NaN },
  "encoded: -Infinity is no JSON": -Infinity,
  "[0].at: an invalid Date is no JSON": [{ at: new Date(Number.NaN) }],
  "a.b: a value of Promise is no JSON; await it": { a: { b: Promise.resolve() } },
  "encoded: a value of Map is no JSON; send Object.fromEntries": new Map(),
  "[1]: a value of Set is no JSON": [1, new Set([1])],
  "error: a value of Error is no JSON": { error: new TypeError("no") },
  "a RawPayload is a whole payload": [new RawPayload("7")],
  "a function is no JSON": () => 7,
  BigInt: 7n,
}

suite("what JSON has no word for is refused, not written as null or {}", () => {
  for (const [reason, value] of Object.entries(UNSENDABLE)) {
    test(reason, SOON, async () => {
      await using client = new Client("memory:")
      await assert.rejects(client.startWorkflow("any", value), (error) => {
        assert.ok(error instanceof InvalidArgumentError)
        assert.ok(error.message.includes(reason), error.message)
        return true
      })
    })
  }

  test("but null and {} are sent", SOON, async () => {
    await using client = new Client("memory:")
    const value = { none: null, record: {}, bare: Object.create(null), date: new Date(0), text: "null {}" }
    const state = await (await client.startWorkflow("any", value)).state()
    assert.equal(
      state.rawInput,
      '{"none":null,"record":{},"bare":{},"date":"1970-01-01T00:00:00.000Z","text":"null {}"}',
    )
  })
})

test("a raw payload is sent as it stands", SOON, async () => {
  const echo = activity("echo", (value: unknown) => value ?? null)
  const flow = workflow("flow", async (ctx) => {
    ctx.setCustomStatus(new RawPayload(" [ 1 ] "))
    return [await ctx.callActivity("echo", new RawPayload("{}")), await ctx.callActivity("echo", new RawPayload("1e2"))]
  })
  await using client = new Client("memory:")
  await using _ = await Worker.start(client, { workflows: [flow], activities: [echo], maxCached: 0 })
  const handle = await client.startWorkflow("flow", new RawPayload(" 7 "))
  assert.deepEqual(await handle.result(SOON), [{}, 100])
  const state = await handle.state()
  assert.deepEqual([state.rawInput, state.input, state.rawCustomStatus, state.customStatus], [" 7 ", 7, " [ 1 ] ", [1]])
  for (const text of [7, "\ud800"] as string[]) assert.throws(() => new RawPayload(text), InvalidArgumentError)
})
