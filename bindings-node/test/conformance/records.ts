// The histories of a case, so that its runs in different modes can be compared.

import type { Client, EventAttributes, Failure } from "everstep"

export type Records = Record<string, string[]>

/** How turns are cut, and how often stalled code is tried again. */
const DIFFERS_BY_DESIGN = new Set(["WorkflowStarted", "ExecutionStalled"])
/** Generated ids and times. */
const MADE_ANEW = new Set([
  "executionId",
  "firstExecutionId",
  "fireAt",
  "startAt",
  "taskExecutionId",
  "traceParent",
  "spanId",
])
const PAYLOADS = new Set(["input", "result", "customStatus"])
/** What a real Dapr keeps of an event as well: it drops what is everstep's own, and adds what is its own. */
const EVERYWHERE = new Set(["name", "status", "input", "result"])

/**
 * What happened, per instance: the events without what is made anew in every run, in no order, as what runs side by side
 * may end in any. `id` is the case's own. `besideDapr` leaves out what only one of both has.
 */
export async function recordsOf(client: Client, id: string, payloads: boolean, besideDapr: boolean): Promise<Records> {
  const kept = (key: string): boolean => (besideDapr ? EVERYWHERE.has(key) : !MADE_ANEW.has(key))
  const records: Records = {}
  for await (const state of client.listWorkflows()) {
    const rest = state.instanceId.startsWith(id) ? state.instanceId.slice(id.length) : undefined
    // A generated ID differs from run to run, so its instance stands under its workflow's name.
    const name = rest !== undefined && !rest.includes(":") ? `{id}${rest}` : `some ${state.name}`
    const lines = (records[name] ??= [])
    for (const event of await client.getWorkflowHistory(state.instanceId)) {
      if (!DIFFERS_BY_DESIGN.has(event.type))
        lines.push(`${event.eventId} ${event.type} ${said(event.attributes, id, payloads, kept)}`)
    }
  }
  return Object.fromEntries(Object.entries(records).map(([name, lines]) => [name, lines.sort()]))
}

function said(attributes: EventAttributes, id: string, payloads: boolean, kept: (key: string) => boolean): string {
  const entries = Object.entries(attributes)
    // An empty payload and none both read as null, and Dapr's HTTP API makes the one of the other.
    .filter(([key, value]) => kept(key) && !(PAYLOADS.has(key) && value === ""))
    .map(([key, value]) => {
      if (PAYLOADS.has(key)) return [key, payloads ? decoded(value as string) : "some"]
      return [key, key === "failure" ? described(value as Failure) : value]
    })
  return JSON.stringify(Object.fromEntries(entries.sort()))
    .replaceAll(id, "{id}")
    .replaceAll(/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, "{made}")
    .replaceAll(/:[0-9a-f]{12}\b/g, ":{made}")
}

function decoded(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function described(failure: Failure): unknown {
  return [...failure.chain()].map(({ errorType, message, nonRetryable }) => [errorType, message, nonRetryable])
}
