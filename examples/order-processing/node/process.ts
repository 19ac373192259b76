// The worker process, and where its workflows run.

import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { closeSync, openSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { env, execPath, kill } from "node:process"
import { text } from "node:stream/consumers"
import { fileURLToPath } from "node:url"

const WORKER = fileURLToPath(new URL("worker.js", import.meta.url))

/** Where the workflows run: what the worker process is told about it, and how the demo speaks of it. */
export class Place {
  readonly environment: NodeJS.ProcessEnv = { ...env }
  readonly prefix: string = ""
  readonly name: string
  readonly again: string
  readonly #sidecar: number | undefined

  constructor(folder: string) {
    if (env.DAPR_GRPC_PORT || env.DAPR_GRPC_ENDPOINT) {
      // Dapr has the orders of earlier demos still; those of this one need IDs of their own.
      delete this.environment.EVERSTEP_ENDPOINT
      this.prefix = `demo-${Date.now()}-`
      const [pid] = (env.EVERSTEP_DAPR_PIDS ?? "").split(",")
      this.#sidecar = pid ? Number(pid) : undefined
      this.name = "workflows and activities in a Node process, the engine is Dapr"
      this.again = "connects to the same Dapr"
    } else {
      this.environment.EVERSTEP_ENDPOINT = `sqlite:${join(folder, "engine.db")}`
      this.name = "engine, workflows and activities in one Node process"
      this.again = "opens the same file"
    }
  }

  /**
   * Kills the worker's sidecar with it, as the end of a pod does; says whether there is one that comes back.
   *
   * A sidecar of Dapr 1.18 that loses its only worker in the middle of turns takes no other one until it is restarted.
   */
  killSidecar(): boolean {
    if (this.#sidecar !== undefined) kill(this.#sidecar, "SIGKILL")
    return this.#sidecar !== undefined
  }
}

/** One life of the worker process. */
export class Run {
  readonly startedMs = Date.now()
  readonly #log: string
  readonly #process: ChildProcess
  readonly #ended: Promise<unknown>
  readonly #output: Promise<string>

  constructor(folder: string, place: Place, orders: number, approvalSeconds: number) {
    const command = [WORKER, "--orders", String(orders), "--shop", join(folder, "shop.db"), "--prefix", place.prefix]
    this.#log = join(folder, "worker.log")
    const log = openSync(this.#log, "a")
    this.#process = spawn(execPath, [...command, "--approval-seconds", String(approvalSeconds)], {
      env: place.environment,
      stdio: ["ignore", "pipe", log],
    })
    closeSync(log)
    this.#ended = once(this.#process, "exit")
    this.#output = this.#process.stdout === null ? Promise.resolve("") : text(this.#process.stdout)
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  get isAlive(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null
  }

  /** Sends SIGKILL; nothing happens to a process that has ended. */
  async kill(): Promise<void> {
    this.#process.kill("SIGKILL")
    await this.#ended
  }

  /** What the workflows returned; the process printed it at its end. */
  async outcomes(): Promise<Record<string, number>> {
    await this.#ended
    const { exitCode, signalCode } = this.#process
    if (exitCode !== 0) {
      const tail = readFileSync(this.#log, "utf8").slice(-2000)
      throw new Error(`the worker process ended with ${signalCode ?? exitCode}:\n${tail}`)
    }
    return JSON.parse(await this.#output) as Record<string, number>
  }
}
