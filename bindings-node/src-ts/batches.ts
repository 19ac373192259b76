// The texts that a worker and the core exchange, apart from answers.

import type { ActivityTask } from "./activities.js"
import type { Activities } from "./host/activities.js"
import type { Workflows, WorkflowTask } from "./host/host.js"
import { parseMarked } from "./payload.js"
import type { Wire } from "./wire.js"

/** @internal How many of each kind a worker takes, and how many instances it keeps. */
export interface Room {
  readonly maxCached: number
  readonly workflowSlots: number
  readonly activitySlots: number
}

/** @internal What the core has to tell whoever runs the program. */
export interface Notice {
  readonly level: string
  readonly text: string
}

/** @internal Tasks of one kind. */
export interface Batch<T extends WorkflowTask | ActivityTask> {
  readonly tasks?: readonly T[]
  readonly cancel?: readonly string[]
  readonly notices?: readonly Notice[]
}

/** @internal What the core opens a worker by. */
export function openRequest(workflows: Workflows, activities: Activities, wire: Wire, room: Room): string {
  return JSON.stringify({
    v: 1,
    host: `node/${process.versions.node}`,
    payloads: wire.mode,
    workflows: workflows.declare(),
    activities: activities.names,
    max_cached: room.maxCached,
    slots: { workflows: room.workflowSlots, activities: room.activitySlots },
  })
}

const NUMBER = /"batch":"([^"\\]*)"/

/** @internal Reads a batch. `repoll` gives the one of a number again, with every payload as a string. */
export function parseBatch<T extends WorkflowTask | ActivityTask>(
  text: string,
  repoll: (batch: string) => string | null,
): Batch<T> {
  try {
    return parseMarked(text) as Batch<T>
  } catch (error) {
    // One payload is more than this engine takes; in text form it is met when its own task runs.
    const batch = NUMBER.exec(text.slice(0, 256))?.[1]
    const again = batch === undefined ? null : repoll(batch)
    if (again === null) throw error
    return parseMarked(again) as Batch<T>
  }
}
