// What runs while something breaks: workflows whose every effect stands in a ledger, a file outside of any engine.
//
//   node program.js LEDGER [HOLD]
//
// is a worker process of them, until its standard input ends; its activities stop in the middle of step HOLD.

import { appendFileSync, existsSync, readFileSync } from "node:fs"
import { setTimeout as pause } from "node:timers/promises"

import { type Activity, activity, Client, Worker, type Workflow, workflow } from "everstep"

/** How long anything may take until a test calls it lost. */
export const PATIENCE = 60_000

/** What one task did: where, and in which process. */
export interface Effect {
  readonly id: string
  readonly step: number
  readonly process: number
}

/** Effects in the order in which they were, also those of other processes. */
export class Ledger {
  constructor(readonly path: string) {}

  note(id: string, step: number): void {
    appendFileSync(this.path, `${JSON.stringify({ id, step, process: process.pid })}\n`)
  }

  effects(): Effect[] {
    if (!existsSync(this.path)) return []
    const lines = readFileSync(this.path, "utf8").split("\n").slice(0, -1)
    return lines.map((line) => JSON.parse(line) as Effect)
  }

  /** Every step of every instance with how often it was run, in order. */
  runs(): string[] {
    const counts = new Map<string, number>()
    for (const { id, step } of this.effects()) counts.set(`${id} ${step}`, (counts.get(`${id} ${step}`) ?? 0) + 1)
    return [...counts].map(([which, times]) => `${which} × ${times}`).sort()
  }

  /** Waits until there are so many effects. Other processes write too, so it looks. */
  async waitFor(count: number): Promise<void> {
    for (const until = Date.now() + PATIENCE; this.effects().length < count; await pause(20)) {
      if (Date.now() > until) throw new Error(`${this.effects().length} of ${count} effects after ${PATIENCE} ms`)
    }
  }
}

/** Workflows that take `count` steps, and the activity that is one. `within` runs in the middle of each step. */
export function programs(
  ledger: Ledger,
  within: (step: number) => Promise<void> = async () => undefined,
): { workflows: Workflow<number, number[]>[]; activities: Activity<number, number>[] } {
  const step = activity("step", async (number: number, ctx) => {
    ledger.note(ctx.instanceId, number)
    await within(number)
    return number * number
  })
  const steps = workflow("steps", async (ctx, count: number) => {
    const done: number[] = []
    for (let number = 0; number < count; number += 1) done.push(await ctx.call(step, number))
    return done
  })
  const pauses = workflow("pauses", async (ctx, count: number) => {
    const done: number[] = []
    for (let number = 0; number < count; number += 1) {
      done.push(await ctx.call(step, number))
      await ctx.sleep(300)
    }
    return done
  })
  const atOnce = workflow("at_once", async (ctx, count: number) =>
    Promise.all([...Array(count).keys()].map((number) => ctx.call(step, number))),
  )
  const asks = workflow("asks", async (ctx, count: number) => {
    const done = [await ctx.call(step, 0), await ctx.waitForEvent<number>("answer", { timeout: PATIENCE })]
    for (let number = 1; number < count; number += 1) done.push(await ctx.call(step, number))
    return done.slice(1)
  })
  return { workflows: [steps, pauses, atOnce, asks], activities: [step] }
}

/** What so many steps answer. */
export function expected(count: number): number[] {
  return [...Array(count).keys()].map((number) => number * number)
}

async function main(path: string, hold: number): Promise<void> {
  let release = (): void => undefined
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const within = (step: number): Promise<void> => (step === hold ? held : Promise.resolve())
  const client = new Client("dapr:")
  const worker = await Worker.start(client, programs(new Ledger(path), within))
  process.stdin.resume().once("end", () => {
    release()
    void worker.close().then(() => client.close())
  })
  process.once("SIGUSR2", release)
}

if (require.main === module) void main(process.argv[2] as string, Number(process.argv[3] ?? -1))
