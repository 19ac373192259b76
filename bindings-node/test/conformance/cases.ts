// The cases of `conformance/`, where and how they run, and why some do not.

import { readdirSync } from "node:fs"
import { join } from "node:path"

import type { Fixture } from "../programs.js"
import { CONFORMANCE, conformance, type Json, type JsonObject } from "../shared.js"
import { isOnDapr, isSkipped, RUNTIME } from "./sidecars.js"

export interface Case {
  name: string
  feature: string
  kind: string
  needs?: string[]
  slow?: Json
  no_restart?: string
  fixtures: string[]
  steps: JsonObject[]
}

interface Skip {
  runner?: string
  case?: string
  endpoint?: string
  mode?: string
  need?: string
  step?: string
  slow?: boolean
  reason: string
}

export type Mode = "cached" | "replayed" | "restarted"
export type Place = "memory:" | "sqlite:" | "dapr_grpc" | "dapr_http"

/** One run of a case. */
export interface Run {
  readonly kase: Case
  readonly place: Place
  readonly mode: Mode
}

interface Capability {
  name: string
  embedded: Json
  dapr_grpc: Json
  dapr_http: Json
}

export const MODES: Mode[] = ["cached", "replayed", "restarted"]
export const COVERAGE = conformance<{ skips: Skip[]; empty: { feature: string; cell: string }[] }>("coverage.json")
const CAPABILITIES = conformance<{ capabilities: Capability[] }>("capabilities.json").capabilities
export const FIXTURES = new Map(
  conformance<{ workflows: Fixture[] }>("fixtures.json").workflows.map((fixture) => [
    fixture.name + (fixture.variant === undefined ? "" : `@${fixture.variant}`),
    fixture,
  ]),
)
export const CASES = readdirSync(join(CONFORMANCE, "cases"))
  .filter((name) => name.endsWith(".json"))
  .sort()
  .map((name) => conformance<Case>(`cases/${name}`))

/** What a place can do: on Dapr in the version that `differences.json` is about. */
export function capabilities(place: Place): Set<string> {
  const has = (row: Capability): boolean => {
    if (!isOnDapr(place)) return Boolean(row.embedded)
    const since = row[place]
    return typeof since === "string" && since.localeCompare(RUNTIME, undefined, { numeric: true }) <= 0
  }
  return new Set(CAPABILITIES.filter(has).map((row) => row.name))
}

/** The listed reason why a case is not run here. */
function skipped({ kase, place, mode }: Run): string | undefined {
  if (mode === "restarted" && kase.no_restart !== undefined) return kase.no_restart
  const once = kase.slow !== undefined && !(mode === "cached" && (place === "memory:" || isOnDapr(place)))
  const skip = COVERAGE.skips.find(
    (skip) =>
      (skip.runner ?? "node") === "node" &&
      (skip.case ?? kase.name) === kase.name &&
      (skip.endpoint ?? place) === place &&
      (skip.mode ?? mode) === mode &&
      (skip.need === undefined || kase.needs?.includes(skip.need)) &&
      (skip.step === undefined || kase.steps.some((step) => step["do"] === skip.step)) &&
      (skip.slow !== true || once),
  )
  if (skip !== undefined || !isOnDapr(place)) return skip?.reason
  const has = capabilities(place)
  const lacking = kase.needs?.find((need) => !has.has(need))
  if (lacking !== undefined) return `Dapr has no ${lacking}`
  return isSkipped(kase.name, place) ? "a difference of Dapr" : undefined
}

/** What runs on these places in these modes: all of a place before the next one. */
export function runs(places: readonly Place[], modes: readonly Mode[], only?: string): Run[] {
  const all = places.flatMap((place) => CASES.flatMap((kase) => modes.map((mode): Run => ({ kase, place, mode }))))
  return all.filter((run) => run.kase.name.startsWith(only ?? "") && skipped(run) === undefined)
}
