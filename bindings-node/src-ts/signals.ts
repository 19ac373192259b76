// SIGINT and SIGTERM close the workers before they end the process.

import type * as Threads from "node:worker_threads"

import type { Worker } from "./worker.js"

const SIGNALS = ["SIGINT", "SIGTERM"] as const
const workers = new Set<Worker>()

/** @internal Has the worker drained when the process is told to end. A second signal ends it at once. */
export function drainOnSignals(worker: Worker): void {
  // Loading it takes as long as several modules of this package, and a program that only asks has no worker.
  const { isMainThread } = require("node:worker_threads") as typeof Threads
  if (!isMainThread) return
  if (workers.size === 0) for (const signal of SIGNALS) process.on(signal, drain)
  workers.add(worker)
  void worker.closed.then(() => {
    workers.delete(worker)
    if (workers.size === 0) ignore()
  })
}

function ignore(): void {
  for (const signal of SIGNALS) process.off(signal, drain)
}

function drain(signal: NodeJS.Signals): void {
  ignore()
  const closing = [...workers].map((worker) => worker.close())
  void Promise.allSettled(closing).then(() => {
    // A program that listens itself decides itself.
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal)
  })
}
