// What is measured: the workflows and activities of all benches, on a worker in this process.

import { openSync, readdirSync, readFileSync, readSync, rmSync } from "node:fs"
import { join } from "node:path"

import { activity, Client, Worker, workflow } from "../../bindings-node/dist/index.mjs"

export const addOne = activity("add_one", (number) => number + 1)

export const oneActivity = workflow("one_activity", async (ctx, number) => await ctx.call(addOne, number))

export const fiveActivities = workflow("five_activities", async (ctx, number) => {
  for (let step = 0; step < 5; step += 1) number = await ctx.call(addOne, number)
  return number
})

export const eventWaiter = workflow("event_waiter", async (ctx) => await ctx.waitForEvent("go"))

/** The path of a database that does not exist yet. */
export function database(dir, name) {
  for (const suffix of ["", "-wal", "-shm", ".lock"]) rmSync(join(dir, `${name}.db${suffix}`), { force: true })
  return join(dir, `${name}.db`)
}

export function openClient(path) {
  return new Client(`sqlite:${path}`)
}

export function startWorker(client) {
  return Worker.start(client, { workflows: [oneActivity, fiveActivities, eventWaiter], activities: [addOne] })
}

/**
 * How many milliseconds of processor time the event loop's thread takes between two ticks of a timer: the part of the loop's
 * delay that is this program's, whatever else the machine does.
 */
export class LoopWork {
  samples = []
  #file = openSync(`/proc/self/task/${process.pid}/schedstat`)
  #buffer = Buffer.alloc(64)
  #timer

  begin() {
    let before = this.#spent()
    const tick = () => {
      const spent = this.#spent()
      this.samples.push(spent - before)
      before = spent
      this.#timer = setTimeout(tick, 1)
    }
    this.#timer = setTimeout(tick, 1)
  }

  end() {
    clearTimeout(this.#timer)
  }

  #spent() {
    const length = readSync(this.#file, this.#buffer, 0, this.#buffer.length, 0)
    return Number.parseInt(this.#buffer.toString("latin1", 0, length), 10) / 1e6
  }
}

/** How often each thread but the main one has given up the processor of its own will, by thread id and name. */
export function switches() {
  const counts = new Map()
  for (const task of readdirSync("/proc/self/task")) {
    if (Number(task) === process.pid) continue
    const status = readFileSync(`/proc/self/task/${task}/status`, "utf8")
    const name = /^Name:\t(.*)$/m.exec(status)?.[1]
    counts.set(`${task} ${name}`, Number(/^voluntary_ctxt_switches:\t(\d+)$/m.exec(status)?.[1]))
  }
  return counts
}
