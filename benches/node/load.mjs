// Five-activity workflows per second in a closed loop, what they cost in CPU, how long the event loop lets others wait meanwhile,
// and what they leave on the disk. Callers, workflows and activities share that one loop, as in a program that does all of it.

import { statSync } from "node:fs"
import { monitorEventLoopDelay } from "node:perf_hooks"

import { given, percentile, report } from "./given.mjs"
import { closedLoop } from "./loop.mjs"
import { database, fiveActivities, LoopWork, openClient, startWorker } from "./subject.mjs"

const { dir, inFlight, seconds } = given({ inFlight: 32, seconds: 3 })
const path = database(dir, "load")
const client = openClient(path)
const worker = await startWorker(client)
// Between two ticks of this timer lie its millisecond and whatever kept the loop from it.
const delay = monitorEventLoopDelay({ resolution: 1 })
const work = new LoopWork()
const figures = await closedLoop({
  call: async () => (await client.startWorkflow(fiveActivities, 1)).result({ timeout: 60_000 }),
  inFlight,
  seconds,
  warmUp: 1000,
  begin: () => {
    delay.enable()
    work.begin()
  },
  end: () => {
    delay.disable()
    work.end()
  },
})
await worker.close()
await client.close()
report({
  ...figures,
  disk_kb: statSync(path).size / figures.workflows / 1e3,
  loop_p50_ms: delay.percentile(50) / 1e6,
  loop_p99_ms: delay.percentile(99) / 1e6,
  loop_max_ms: delay.max / 1e6,
  loop_work_p99_ms: percentile(work.samples, 0.99),
})
