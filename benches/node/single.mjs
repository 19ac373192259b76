// One caller at a time: a one-activity workflow from start to result, a start alone, a state from memory and from disk.

import { given, percentile, report } from "./given.mjs"
import { database, eventWaiter, oneActivity, openClient, startWorker } from "./subject.mjs"

const { dir, count } = given({ count: 2000 })
const path = database(dir, "single")

/** The microseconds that each call took. */
async function timed(call, items) {
  const took = []
  for (const item of items) {
    const began = performance.now()
    await call(item)
    took.push((performance.now() - began) * 1e3)
  }
  return took
}

/** The microseconds of each start, the engine having nothing else to do: the first turn of the one before is over. */
async function starts(client, count) {
  const took = []
  for (let number = 0; number < count; number += 1) {
    const began = performance.now()
    const handle = await client.startWorkflow(eventWaiter)
    took.push((performance.now() - began) * 1e3)
    await handle.waitForStart({ timeout: 60_000 })
  }
  return took
}

const ids = Array.from({ length: count }, (_, number) => `one-${number}`)
const whole = (instanceId) =>
  client.startWorkflow(oneActivity, 1, { instanceId }).then((handle) => handle.result({ timeout: 60_000 }))
let client = openClient(path)
const worker = await startWorker(client)
await timed(() => whole(undefined), Array(500))
const wholes = await timed(whole, ids)
const started = await starts(client, Math.floor(count / 2))
const waiting = await client.startWorkflow(eventWaiter)
await waiting.waitForStart({ timeout: 60_000 })
const cached = await timed(() => client.getWorkflow(waiting.instanceId), Array(count))
await worker.close()
await client.close()

client = openClient(path)
// Neighbours in the file would be read together: every id is 7 steps from the one before it.
const spread = ids.map((_, number) => ids[(number * 7 + Math.floor((number * 7) / count)) % count])
await timed((id) => client.getWorkflow(id), spread.slice(0, 100))
const read = await timed((id) => client.getWorkflow(id), spread)
await client.close()
report({
  whole_p50_us: percentile(wholes, 0.5),
  whole_p99_us: percentile(wholes, 0.99),
  start_p50_us: percentile(started, 0.5),
  start_p99_us: percentile(started, 0.99),
  get_cached_p50_us: percentile(cached, 0.5),
  get_finished_p50_us: percentile(read, 0.5),
})
