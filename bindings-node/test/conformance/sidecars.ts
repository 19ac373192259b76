// What running cases on a real Dapr takes: its ports, its differences, and a sidecar left as it was found.

import assert from "node:assert/strict"
import { once } from "node:events"
import { connect } from "node:http2"

import { Client, Worker } from "everstep"

import { ACTIVITIES, program } from "../programs.js"
import { conformance, type Json, type JsonObject } from "../shared.js"
import { type Case, FIXTURES, type Place } from "./cases.js"

interface Entry {
  case: string
  places?: Place[]
  skip?: boolean
  history?: boolean
  steps?: Record<string, Json>
}

/** Where a sidecar listens. */
export interface Sidecar {
  readonly grpc: string
  readonly http: string
}

type OnDapr = "dapr_grpc" | "dapr_http"

const TABLE = conformance<{ runtime: string; differences: { cases: Entry[] }[] }>("dapr/differences.json")
const ENTRIES = TABLE.differences.flatMap((difference) => difference.cases)
/** How often a sidecar is swept: an instance that was about to begin a child may still do it. */
const ROUNDS = 4
const SWEEP_MILLIS = 10_000
const PURGE = "/TaskHubSidecarService/PurgeInstances"

/** The version of Dapr that the differences are about. */
export const RUNTIME = TABLE.runtime

export function isOnDapr(place: Place): place is OnDapr {
  return place === "dapr_grpc" || place === "dapr_http"
}

/** The sidecars that `cluster.py` has started. */
export function sidecars(): Sidecar[] {
  const ports = (name: string): string[] => (process.env[name] ?? "").split(",").filter((port) => port !== "")
  const http = ports("EVERSTEP_DAPR_HTTP_PORTS")
  return ports("EVERSTEP_DAPR_GRPC_PORTS").map((port, index) => ({
    grpc: `127.0.0.1:${port}`,
    http: `127.0.0.1:${http[index] as string}`,
  }))
}

function entries(name: string, place: Place): Entry[] {
  return ENTRIES.filter((entry) => entry.case === name && isOnDapr(place) && (entry.places?.includes(place) ?? true))
}

/** Whether a difference of Dapr leaves nothing of a case. */
export function isSkipped(name: string, place: Place): boolean {
  return entries(name, place).some((entry) => entry.skip === true)
}

/** Whether a case leaves other histories there. */
export function leavesOtherHistory(name: string, place: Place): boolean {
  return entries(name, place).some((entry) => entry.history === true)
}

/** The steps of a case as they hold at a place. */
export function stepsAt(kase: Case, place: Place): JsonObject[] {
  const steps = kase.steps.map((step) => [step])
  for (const entry of entries(kase.name, place)) {
    for (const [index, other] of Object.entries(entry.steps ?? {})) {
      const at = Number(index)
      if (other === null) steps[at] = []
      else
        steps[at] = Array.isArray(other)
          ? (other as JsonObject[])
          : [patched(kase.steps[at] as Json, other) as JsonObject]
    }
  }
  return steps.flat()
}

/** Puts keys over those of an object, in depth; null takes a key away. */
function patched(target: Json, patch: Json): Json {
  if (!isObject(patch)) return patch
  const { ...merged } = isObject(target) ? target : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key]
    else merged[key] = patched(merged[key] ?? null, value)
  }
  return merged
}

function isObject(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

/**
 * A worker of everything that stays connected from one case to the next: connecting takes Dapr a second or two, and it ends an
 * instance only while a worker is there. What a case had need not know all that it started.
 */
export class Keeper {
  private constructor(
    readonly sidecar: Sidecar,
    readonly client: Client,
    readonly worker: Worker,
  ) {}

  static async open(sidecar: Sidecar): Promise<Keeper> {
    const client = new Client(`grpc://${sidecar.grpc}`)
    const everything = new Map(
      [...FIXTURES.values()].map((fixture) => [`${fixture.name} ${fixture.version ?? ""}`, fixture]),
    )
    const workflows = [...everything.values()].map(program)
    const options = { workflows, activities: ACTIVITIES, shutdownTimeout: 200, handleSignals: false }
    return new Keeper(sidecar, client, await Worker.start(client, options))
  }

  /** Purges all instances, in whatever state they are. */
  async sweep(): Promise<void> {
    let left: string[] = []
    for (let round = 0; round < ROUNDS; round += 1) {
      left = []
      for await (const { instanceId } of this.client.listWorkflows({ signal: AbortSignal.timeout(SWEEP_MILLIS) }))
        left.push(instanceId)
      if (left.length === 0) return
      await purge(this.sidecar, left)
    }
    assert.fail(`these cannot be taken away: ${left.join(", ")}`)
  }

  async leave(): Promise<void> {
    await this.worker.close()
    await this.client.close()
  }
}

/** A sidecar, and the worker that keeps it warm between two cases. */
export interface Lane {
  readonly sidecar: Sidecar
  keeper?: Keeper | undefined
}

/**
 * The sidecars, for one case at a time each. One that cannot be swept is not used again: Dapr may write half of an instance
 * that is purged in the moment of its turn, and no listing there can be read any more.
 */
export class Lanes {
  readonly #idle = sidecars().map((sidecar): Lane => ({ sidecar }))
  readonly #waiting: (() => void)[] = []
  #count = this.#idle.length

  /** How many there are. */
  get count(): number {
    return this.#count
  }

  /** One that nobody else is using. */
  async take(): Promise<Lane> {
    for (;;) {
      const lane = this.#idle.pop()
      if (lane !== undefined) return lane
      assert.notEqual(this.#count, 0, "no sidecar is left that can be swept")
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  /** Sweeps one, which then is there for the next run. */
  async giveBack(lane: Lane): Promise<void> {
    try {
      await lane.keeper?.sweep()
      this.#idle.push(lane)
    } catch (error) {
      this.#count -= 1
      await lane.keeper?.leave()
      throw error
    } finally {
      for (const again of this.#waiting.splice(0)) again()
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#idle.map((lane) => lane.keeper?.leave()))
  }
}

/**
 * Purges with force, which no client of ours does: Dapr 1.18 dies of it where the instance is missing. These are there, and
 * nothing else works on a stalled one.
 */
async function purge(sidecar: Sidecar, ids: string[]): Promise<void> {
  const session = connect(`http://${sidecar.grpc}`)
  try {
    for (const id of ids) {
      const headers = { ":method": "POST", ":path": PURGE, "content-type": "application/grpc", te: "trailers" }
      const call = session.request(headers, { signal: AbortSignal.timeout(SWEEP_MILLIS) })
      call.end(framed(purgeRequest(id)))
      const [answered] = (await once(call, "response")) as [Record<string, string>]
      let status = answered["grpc-status"]
      call.on("trailers", (trailers: Record<string, string>) => (status = trailers["grpc-status"]))
      call.resume()
      await once(call, "end")
      assert.equal(status, "0", `the purge of ${id} ended with status ${String(status)}`)
    }
  } finally {
    session.close()
  }
}

/** `PurgeInstancesRequest` with `instanceId` and `force`. */
function purgeRequest(id: string): Buffer {
  const text = Buffer.from(id)
  assert.ok(text.length < 128)
  return Buffer.concat([Buffer.from([0x0a, text.length]), text, Buffer.from([0x20, 1])])
}

/** A message as gRPC frames it: not compressed, and its length. */
function framed(message: Buffer): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}
