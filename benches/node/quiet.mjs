// What everstep does when it has nothing to do: wake-ups of all its threads beside 1,000 waiting instances.

import { setTimeout as pause } from "node:timers/promises"

import { given, report } from "./given.mjs"
import { database, eventWaiter, openClient, startWorker, switches } from "./subject.mjs"

const { dir, waiting, seconds } = given({ waiting: 1000, seconds: 10 })
const client = openClient(database(dir, "quiet"))
const worker = await startWorker(client)
const handles = await Promise.all(Array.from({ length: waiting }, () => client.startWorkflow(eventWaiter)))
await Promise.all(handles.map((handle) => handle.waitForStart({ timeout: 60_000 })))
await pause(3000) // the work that waits for quiet, such as a checkpoint, is done by then
const before = switches()
await pause(seconds * 1000)
const after = switches()
const woken = {}
for (const [name, count] of after) {
  // V8's own threads are not ours; they collect garbage when they like.
  if (name.includes("everstep") && count !== before.get(name)) woken[name] = count - (before.get(name) ?? 0)
}
report({ wake_ups: Object.values(woken).reduce((sum, count) => sum + count, 0), woken, threads: after.size })
await worker.close()
await client.close()
