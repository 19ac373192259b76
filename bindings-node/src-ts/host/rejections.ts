// A branch of a workflow may fail in one turn and be awaited in a later one, or never: that is no fault of the program,
// but Node would end the process over it. While workflows run, rejections are theirs and nobody is told of them.
//
// Node looks for unhandled rejections when a task of the event loop has run to its end. A batch of turns is one such task,
// so its rejections are those up to a mark of our own that is rejected at its end.

type Listener = (...args: unknown[]) => void

const EVENTS = ["unhandledRejection", "rejectionHandled"] as const
const MARK = new Error("the end of a batch of turns")

const events: NodeJS.EventEmitter = process
const kept = new Map<string, Listener[]>()
let depth = 0

// In any other mode Node acts before it asks anybody: what a branch throws is then the program's to handle in its turn.
const MODE = /--unhandled-rejections[= ](strict|warn|none|warn-with-error-codes)/
const isDefault = ![...process.execArgv, process.env["NODE_OPTIONS"] ?? ""].some((option) => MODE.test(option))

/** @internal A batch of turns begins. */
export function beginTurns(): void {
  if (!isDefault) return
  depth += 1
  if (depth > 1) return
  for (const event of EVENTS) {
    kept.set(event, events.rawListeners(event) as Listener[])
    events.removeAllListeners(event)
    events.on(event, heard)
  }
}

/** @internal It has ended; what is heard from now to the mark is still its own. */
export function endTurns(): void {
  if (isDefault) void Promise.reject(MARK)
}

function heard(reason: unknown): void {
  if (reason !== MARK) return
  depth -= 1
  if (depth > 0) return
  for (const event of EVENTS) {
    events.off(event, heard)
    for (const listener of kept.get(event) ?? []) events.on(event, listener)
  }
  kept.clear()
}
