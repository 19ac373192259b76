// everstep/testing: an engine whose time skips, stored histories against changed code, contexts for activities.

import type { NativeRehearsal } from "../native/native.js"
import { ActivityContext } from "./activities.js"
import { listOf, millisOf, optionalText, textOf } from "./arguments.js"
import { openRequest, parseBatch } from "./batches.js"
import { answer } from "./calls.js"
import { Client } from "./client.js"
import { type Workflow, workflow } from "./definitions.js"
import { fromNative, InvalidArgumentError, WorkflowStalledError } from "./errors.js"
import { Activities } from "./host/activities.js"
import { WorkflowHost, Workflows, type WorkflowTask } from "./host/host.js"
import { type RuntimeStatus, Timestamp } from "./models.js"
import { native } from "./native.js"
import { Worker, type WorkerOptions } from "./worker.js"

/** What an environment runs. */
export type EnvironmentOptions = Pick<WorkerOptions, "workflows" | "activities" | "maxCached" | "codec" | "logger">

/** Which histories `replay` takes. */
export interface ReplayOptions {
  /** These; without, all stored instances of the workflows. */
  instanceIds?: Iterable<string> | undefined
  /** Of all stored instances, those with any of these statuses. */
  statuses?: Iterable<RuntimeStatus> | undefined
  /** Which component; the default one without. */
  component?: string | undefined
  /** Gives it up when it aborts: it rejects as `OperationCancelledError`. */
  signal?: AbortSignal | undefined
}

/** What an activity's context is to say. What is absent has a value that means nothing. */
export interface ActivityContextOptions {
  name?: string | undefined
  instanceId?: string | undefined
  executionId?: string | undefined
  taskId?: number | undefined
  taskKey?: string | undefined
  attempt?: number | undefined
  deadline?: Date | undefined
  signal?: AbortSignal | undefined
}

const sleep = workflow("everstep.testing.sleep", async (ctx, ms: number) => {
  if (ms > 0) await ctx.sleep(ms)
  return ctx.now().getTime()
})

/**
 * An engine of its own, in memory, with a client and a worker.
 *
 * While somebody waits for a workflow and nothing else can happen, time skips to the next timer: three days of sleep, or a
 * retry after an hour, end at once. While nobody waits, time goes as it always does, so a test can raise the event that a
 * workflow waits for. Time does not skip while an activity runs.
 *
 * With `maxCached: 0` every turn is a replay: a workflow that is not deterministic stalls. Close it, or write `await using`.
 */
export class Environment implements AsyncDisposable {
  private constructor(
    /** A client of the engine. */
    readonly client: Client,
    /** The worker. */
    readonly worker: Worker,
  ) {}

  /** Opens an engine and starts its worker. Rejects with `InvalidArgumentError`. */
  static async start(options: EnvironmentOptions = {}): Promise<Environment> {
    const { workflows = [], codec, ...more } = options
    listOf(workflows, "workflows")
    const client = new Client(`test:${crypto.randomUUID().replaceAll("-", "")}`, { codec })
    try {
      const given = { ...more, workflows: [...workflows, sleep], handleSignals: false }
      return new Environment(client, await Worker.start(client, given))
    } catch (error) {
      await client.close()
      throw error
    }
  }

  /** The endpoint of this engine, for more clients. */
  get endpoint(): string {
    return this.client.endpoint
  }

  /** The engine's time. Where time has skipped it is ahead of the clock on the wall. */
  now(): Promise<Date> {
    return this.sleep(0)
  }

  /**
   * Lets so many milliseconds pass, and what is due in them happen; gives the time it is then. Everything that follows from
   * earlier timers is done when it resolves. Rejects with `InvalidArgumentError`.
   */
  async sleep(ms: number): Promise<Date> {
    const instanceId = `everstep-sleep-${crypto.randomUUID()}`
    const handle = await this.client.startWorkflow(sleep, millisOf(ms, "ms"), { instanceId })
    const now = await handle.result()
    await handle.purge()
    return new Timestamp(now * 1000)
  }

  /** Closes worker and client. */
  async close(): Promise<void> {
    await this.worker.close()
    await this.client.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/**
 * Runs stored histories through these workflows, as a worker would after a restart; gives how many there were.
 *
 * So changed code is tried before it is deployed, on a copy of the file, or on the file while its owner works. Nothing is
 * written and no activity runs. What a run gives back is not compared, only what it asks for, and in which order.
 *
 * Rejects with `WorkflowStalledError` at the first history that the code does not fit, with what both say, and with
 * `NotFoundError` for an unknown instance.
 */
export async function replay(
  client: Client,
  workflows: Iterable<Workflow<never, unknown>>,
  options: ReplayOptions = {},
): Promise<number> {
  if (!(client instanceof Client)) throw new InvalidArgumentError("client must be a Client")
  const given = [...workflows]
  const known = new Workflows(given)
  const component = optionalText(options.component, "component")
  if (options.instanceIds !== undefined) listOf(options.instanceIds, "instanceIds")
  listOf(workflows, "workflows")
  const open = openRequest(known, new Activities([]), client.wire, { maxCached: 0, workflowSlots: 1, activitySlots: 1 })
  const host = new WorkflowHost(known, client.wire, () => console)
  let count = 0
  try {
    for await (const instanceId of options.instanceIds ?? stored(client, given, { ...options, component })) {
      const rehearsal = await answer(
        (queue) => native.rehearse(queue, client.native, component, textOf(instanceId, "instanceIds"), open),
        options.signal,
      )
      const misfit = await rehearsed(rehearsal, host)
      if (misfit !== null) throw new WorkflowStalledError(misfit, { operation: "replay", instanceId })
      count += 1
    }
  } finally {
    host.close()
  }
  return count
}

/** The IDs of the stored instances of the workflows. */
async function* stored(
  client: Client,
  workflows: readonly Workflow<never, unknown>[],
  options: ReplayOptions,
): AsyncGenerator<string, void> {
  const { component, statuses, signal } = options
  for (const name of [...new Set(workflows.map((each) => each.name))].sort()) {
    for await (const state of client.listWorkflows({ component, name, statuses, signal })) yield state.instanceId
  }
}

/** Why the host's workflows do not fit a history, if they do not. */
async function rehearsed(rehearsal: NativeRehearsal, host: WorkflowHost): Promise<string | null> {
  for (let text = rehearsal.poll(); text !== null; text = rehearsal.poll()) {
    const { tasks = [] } = parseBatch<WorkflowTask>(text, (batch) => rehearsal.repoll(batch))
    // Rejections that come about in the same task of the event loop as turns are the workflows', and nobody is told.
    const answers = await new Promise<string>((resolve) =>
      setImmediate(() => host.answer(tasks, (answers) => setImmediate(resolve, answers))),
    )
    const error = rehearsal.complete(answers)
    if (error !== null) throw fromNative(error)
  }
  return rehearsal.misfit()
}

/** A context to call an activity's function with: `await charge.run(input, activityContext({ attempt: 2 }))`. */
export function activityContext(options: ActivityContextOptions = {}): ActivityContext {
  const { signal, deadline } = options
  const context = new ActivityContext({
    t: "",
    name: options.name ?? "activity",
    id: options.instanceId ?? "test-instance",
    run: options.executionId ?? "test-run",
    task: options.taskId ?? 0,
    key: options.taskKey ?? "test-task",
    attempt: options.attempt ?? 1,
    ...(deadline === undefined ? {} : { deadline: deadline.getTime() }),
  })
  if (signal?.aborted) context.cancel()
  signal?.addEventListener("abort", () => context.cancel(), { once: true })
  return context
}
