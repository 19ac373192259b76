// Both codecs carry everything that a workflow sends, live and replayed, and leave no clear text in the file. What the
// programs of other languages have sealed is read here, and the other way round: `../vectors.json`.

import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { suite, test } from "node:test"

import {
  ActivityError,
  activity,
  ChildWorkflowError,
  Client,
  type Codec,
  DecodeError,
  type Failure,
  RawPayload,
  Worker,
  WorkflowFailedError,
  workflow,
} from "everstep"

import { Compressing } from "./compressing.js"
import { Encrypting } from "./encrypting.js"

const SOON = { timeout: 30_000 }
// Put together at run time: a stack trace shows the lines of the source.
const MARK = ["TOP", "SECRET"].join("")
const LONG = `${MARK} `.repeat(400)
const key = (first: number, length = 32): Uint8Array => Uint8Array.from({ length }, (_, index) => first + index)
const KEYS = { old: key(0), new: key(32) }
const CODECS: Record<string, () => Codec> = {
  compressing: () => new Compressing({ above: 0 }),
  encrypting: () => new Encrypting(KEYS, "new"),
  both: () => new Encrypting(KEYS, "new", { inner: new Compressing() }),
}

interface Order {
  note: string
  count: number
}

class Refused extends Error {}

const double = activity("double", ({ note, count }: Order): Order => ({ note, count: count * 2 }))
const refuses = activity("refuses", async (text: string): Promise<void> => {
  throw new Refused(`outer ${text}`, { cause: new RangeError(`inner ${text}`) })
})
const child = workflow("child", async (ctx, text: string): Promise<void> => {
  ctx.setCustomStatus(text)
  throw new Refused(`child ${text}`)
})
const listener = workflow("listener", async (ctx) => ctx.waitForEvent<Order>("order"))
const everything = workflow("everything", async (ctx, order: Order): Promise<object> => {
  if (order.count === 1) ctx.continueAsNew(await ctx.call(double, order))
  ctx.setCustomStatus({ note: order.note })
  const raised = await ctx.waitForEvent<Order>("order")
  ctx.sendEvent(`${ctx.instanceId}-listener`, "order", raised)
  const seen: unknown[] = []
  const retry = { maxAttempts: 2, firstInterval: 1 }
  for (const call of [ctx.call(refuses, order.note, { retry }), ctx.call(child, order.note)]) {
    await call.catch((error: unknown) => {
      assert.ok(error instanceof ActivityError || error instanceof ChildWorkflowError)
      assert.ok(error.message.includes(MARK))
      seen.push([error.errorType, error.failure?.message, error.isCausedBy("RangeError")])
    })
  }
  return { order: [order.note, order.count, raised.count], seen }
})
const fails = workflow("fails", async (ctx, text: string): Promise<void> => {
  await ctx.call(refuses, text).catch((cause: unknown) => {
    throw new SyntaxError(`flow ${text}`, { cause })
  })
})

const HOSTED = { workflows: [child, listener, everything, fails], activities: [double, refuses] }
const EXPECTED = {
  order: [LONG, 2, 7],
  seen: [
    ["Refused", `outer ${LONG}`, true],
    ["Refused", `child ${LONG}`, false],
  ],
}

/** Runs with an empty folder. */
async function within(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "codecs-"))
  try {
    await run(directory)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** The files of a folder that hold the mark. */
function clear(directory: string): string[] {
  return readdirSync(directory).filter((name) => readFileSync(join(directory, name)).includes(MARK))
}

function checkFailure(failure: Failure | undefined): void {
  const chain = [...(failure?.chain() ?? [])]
  assert.deepEqual(
    chain.map((each) => each.errorType),
    ["SyntaxError", "Refused", "RangeError"],
  )
  assert.deepEqual(
    chain.map((each) => each.message),
    [`flow ${LONG}`, `outer ${LONG}`, `inner ${LONG}`],
  )
  assert.ok(chain.every((each) => each.stackTrace?.includes(MARK)))
}

for (const [name, make] of Object.entries(CODECS)) {
  for (const maxCached of [1000, 0]) {
    test(`everything goes there and back: ${name}, maxCached ${maxCached}`, SOON, () =>
      within(async (directory) => {
        {
          await using client = new Client(`sqlite:${join(directory, "workflows.db")}`, { codec: make() })
          await using _ = await Worker.start(client, { ...HOSTED, maxCached })
          const listens = await client.startWorkflow(listener, undefined, { instanceId: "all-listener" })
          const handle = await client.startWorkflow(everything, { note: LONG, count: 1 }, { instanceId: "all" })
          await handle.raiseEvent("order", { note: LONG, count: 7 })
          assert.deepEqual(await handle.result(SOON), EXPECTED)
          assert.deepEqual(await listens.result(SOON), { note: LONG, count: 7 })
          const state = await handle.state()
          assert.deepEqual(state.input, { note: LONG, count: 2 })
          assert.deepEqual(state.output, EXPECTED)
          assert.deepEqual(state.customStatus, { note: LONG })
          assert.ok(!`${state.rawInput}${state.rawOutput}${state.rawCustomStatus}`.includes(MARK))

          const failed = await client.startWorkflow(fails, LONG)
          await assert.rejects(failed.result(SOON), (error) => {
            assert.ok(error instanceof WorkflowFailedError)
            checkFailure(error.failure)
            assert.ok(error.message.includes(`flow ${LONG}`))
            return true
          })
          checkFailure((await failed.state()).failure)
          const history = await failed.history()
          assert.deepEqual(
            history.failures.map((each) => each.failure?.message),
            [`outer ${LONG}`, `flow ${LONG}`],
          )
          assert.deepEqual(
            history.calls.map((each) => each.input),
            [LONG],
          )

          const ended = await client.startWorkflow(listener)
          await ended.terminate({ output: { note: LONG } })
          assert.deepEqual((await ended.waitForCompletion(SOON)).output, { note: LONG })
          const raw = await client.startWorkflow(everything, new RawPayload(`{"note":"${LONG}","count":3}`))
          assert.deepEqual((await raw.state()).input, { note: LONG, count: 3 })
          assert.deepEqual(clear(directory), [])
        }
        assert.deepEqual(clear(directory), [])
      }),
    )
  }
}

test("without a codec the text is found", SOON, () =>
  within(async (directory) => {
    await using client = new Client(`sqlite:${join(directory, "workflows.db")}`)
    await client.startWorkflow(everything, { note: LONG, count: 1 })
    assert.notDeepEqual(clear(directory), [])
  }),
)

test("a key can be changed, and what was not encrypted is refused unless it is asked for", SOON, () =>
  within(async (directory) => {
    const open = (codec?: Codec): Client => new Client(`sqlite:${join(directory, "workflows.db")}`, { codec })
    const note = { note: MARK, count: 1 }
    {
      await using client = open(new Encrypting(KEYS, "old"))
      await client.startWorkflow(everything, note, { instanceId: "before" })
    }
    {
      await using client = open(new Encrypting(KEYS, "new"))
      assert.deepEqual((await client.getWorkflow("before")).input, note)
      const after = await client.startWorkflow(everything, note, { instanceId: "after" })
      assert.ok((await after.state()).rawInput?.startsWith('"aes-gcm:new:'))
    }
    {
      await using client = open(new Encrypting({ new: KEYS.new }, "new"))
      const state = await client.getWorkflow("before")
      assert.throws(
        () => state.input,
        (error) => error instanceof DecodeError && /no key "old"/.test(error.message) && error.text === state.rawInput,
      )
    }
    {
      await using client = open()
      await client.startWorkflow(everything, note, { instanceId: "clear" })
    }
    {
      await using client = open(new Encrypting(KEYS, "new"))
      const state = await client.getWorkflow("clear")
      assert.throws(() => state.input, /not encrypted/)
    }
    await using client = open(new Encrypting(KEYS, "new", { acceptClear: true }))
    assert.deepEqual((await client.getWorkflow("clear")).input, note)
  }),
)

interface Vectors {
  keys: Record<string, string>
  unseal: { codec: string; clear: string; python: string; node: string; java: string }[]
  refuse: { codec: string; why: string; text: string }[]
}

suite("what any language has sealed is read here", () => {
  const vectors: Vectors = JSON.parse(readFileSync(new URL("../../vectors.json", import.meta.url), "utf8"))
  const keys = Object.fromEntries(Object.entries(vectors.keys).map(([id, hex]) => [id, Buffer.from(hex, "hex")]))
  const codecs: Record<string, Codec> = {
    compressing: new Compressing(),
    encrypting: new Encrypting(keys, "new"),
    both: new Encrypting(keys, "new", { inner: new Compressing() }),
  }
  for (const { codec, clear, python, node, java } of vectors.unseal) {
    test(`${codec} ${JSON.stringify(clear).slice(0, 20)}`, () => {
      for (const sealed of [python, node, java]) assert.equal(codecs[codec]?.unseal(sealed), clear)
    })
  }
  for (const { codec, why, text } of vectors.refuse) {
    test(`${codec} refuses ${why}`, () => {
      assert.ok(codecs[codec] !== undefined)
      assert.throws(() => codecs[codec]?.unseal(text))
    })
  }
})

test("compression leaves small texts and packs large ones; encryption never gives one text twice", () => {
  const codec = new Compressing()
  assert.equal(codec.seal("[1]"), "[1]")
  assert.ok(codec.seal(`"${LONG}"`).length < LONG.length / 10)
  for (const text of ['"zlib:not packed"', '"zlib:', "", `"${LONG}"`])
    assert.equal(codec.unseal(codec.seal(text)), text)
  const encrypting = new Encrypting(KEYS, "new")
  assert.notEqual(encrypting.seal("[1]"), encrypting.seal("[1]"))
  assert.throws(() => new Encrypting(KEYS, "lost"), RangeError)
  assert.throws(() => new Encrypting({ a: key(0, 7) }, "a"), RangeError)
})

test("the demo runs", SOON, () => {
  const demo = new URL("demo.js", import.meta.url)
  const done = spawnSync(process.execPath, [demo.pathname], { encoding: "utf8", timeout: 20_000 })
  assert.equal(done.status, 0, done.stderr)
  assert.match(done.stdout, /not sent \(TypeError\): Ada Morgenstern: hay fever/)
  assert.match(done.stdout, /the name is in the file: false/)
})
