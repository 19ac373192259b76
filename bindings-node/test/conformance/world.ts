// One case's store, clients and workers.

import { randomUUID } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { Client, type Codec, Worker, type WorkflowState } from "everstep"

import { ACTIVITIES, type Fixture, program } from "../programs.js"
import { FIXTURES, type Mode, type Place } from "./cases.js"
import { isOnDapr, type Sidecar } from "./sidecars.js"

/** The worker that a case begins with. */
export const MAIN = "main"

export class World {
  readonly directory = mkdtempSync(join(tmpdir(), "everstep-conformance-"))
  readonly names = new Map([["id", `c-${randomUUID().replaceAll("-", "").slice(0, 12)}`]])
  readonly runs = new Map<string, string | undefined>()
  readonly watches = new Map<string, AsyncGenerator<WorkflowState, void>>()
  readonly workers = new Map<string, Worker>()
  readonly deployed = new Map<string, string[]>()
  /** How long a step waits; Dapr takes its time to try a stalled instance again. */
  readonly patience: number
  client: Client
  /** That of the workers, which need gRPC; it sees lists and histories, which Dapr's HTTP API does not have. */
  reader: Client
  closed = false

  constructor(
    readonly place: Place,
    readonly mode: Mode,
    readonly sidecar: Sidecar | undefined,
    readonly codec?: Codec,
  ) {
    this.patience = isOnDapr(place) ? 60_000 : 30_000
    this.client = this.reader = undefined as never
    this.#connect()
  }

  async open(name: string, fixtures: string[]): Promise<void> {
    this.deployed.set(name, fixtures)
    if (fixtures.length === 0) return
    const workflows = fixtures.map((fixture) => program(FIXTURES.get(fixture) as Fixture))
    const options = { workflows, activities: ACTIVITIES, shutdownTimeout: 200, handleSignals: false }
    const worker = await Worker.start(this.reader, { ...options, maxCached: this.mode === "replayed" ? 0 : 1000 })
    this.workers.set(name, worker)
    await worker.waitUntilReady({ timeout: this.patience })
  }

  async closeWorker(name: string): Promise<void> {
    await this.workers.get(name)?.close()
    this.workers.delete(name)
  }

  async stop(): Promise<void> {
    for (const name of [...this.workers.keys()]) await this.closeWorker(name)
  }

  async restart(): Promise<void> {
    await this.stop()
    this.watches.clear()
    await this.#disconnect()
    this.#connect()
    this.closed = false
    for (const [name, fixtures] of this.deployed) await this.open(name, fixtures)
  }

  async close(): Promise<void> {
    await this.stop()
    await this.#disconnect()
    rmSync(this.directory, { recursive: true })
  }

  #connect(): void {
    const { place, sidecar, directory } = this
    const endpoints: Record<Place, string> = {
      "memory:": "memory:",
      "sqlite:": `sqlite:${directory}/workflows.db`,
      dapr_grpc: `grpc://${sidecar?.grpc ?? ""}`,
      dapr_http: `http://${sidecar?.http ?? ""}`,
    }
    this.client = new Client(endpoints[place], { codec: this.codec })
    this.reader = place === "dapr_http" ? new Client(endpoints.dapr_grpc) : this.client
  }

  async #disconnect(): Promise<void> {
    await this.client.close()
    await this.reader.close()
  }
}
