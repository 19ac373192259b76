// The context of a workflow function, and what drives the function.

import type { ActivityContext } from "../activities.js"
import type { WorkflowContext as EverstepContext } from "../context.js"
import { RawPayload } from "../payload.js"
import { nameOf } from "./names.js"
import { callFailed, DurableTask, Task, WhenAllTask, WhenAnyTask } from "./task.js"

// biome-ignore-start lint/suspicious/noExplicitAny: as in Dapr's SDK; programs that are typed by these must go on compiling.
/** What a workflow or activity takes. */
export type TInput = any
/** What a workflow, an activity or a task gives. */
export type TOutput = any
// biome-ignore-end lint/suspicious/noExplicitAny: see above.
/** A workflow function: an `async function*` that yields tasks. */
export type TWorkflow = (context: WorkflowContext, input: TInput) => Generator<Task<TOutput>, TOutput, TInput> | TOutput
/** An activity function. */
export type TWorkflowActivity<TInput, TOutput> = (context: WorkflowActivityContext, input: TInput) => TOutput

/**
 * What a workflow asks for, and what it may know: the first argument of every workflow function.
 *
 * Whatever is asked for is asked for when it is called; `yield` the task for its result. `context` is the same in
 * everstep's words, with what Dapr's SDK has no word for; what that gives are promises, which a workflow may `await`.
 */
export class WorkflowContext {
  #next: { readonly input: unknown; readonly keepEvents: boolean } | undefined
  #asked = 0

  constructor(readonly context: EverstepContext) {}

  // What the workflow asks for.

  /** Runs an activity, given as its function or by its registered name. The task fails with `TaskFailedError`. */
  callActivity(activity: TWorkflowActivity<TInput, TOutput> | string, input?: TInput): Task<TOutput> {
    const promise = this.context.callActivity(nameOf(activity), input)
    return new DurableTask(promise, orNothing, callFailed(`${this.#numbered()}: Activity task #${this.#asked}`))
  }

  /** Runs a child workflow. Without an `instanceId` it gets one that derives from its parent's. */
  callChildWorkflow<TInput, TOutput>(
    orchestrator: TWorkflow | string,
    input?: TInput,
    instanceId?: string,
  ): Task<TOutput> {
    const promise = this.context.callChild(nameOf(orchestrator), input, { instanceId: instanceId || undefined })
    const failed = callFailed(`${this.#numbered()}: Sub-orchestration task #${this.#asked}`)
    return new DurableTask(promise, orNothing as (value: unknown) => TOutput, failed)
  }

  /** The same as `callChildWorkflow`. */
  callSubWorkflow<TInput, TOutput>(
    orchestrator: TWorkflow | string,
    input?: TInput,
    instanceId?: string,
  ): Task<TOutput> {
    return this.callChildWorkflow(orchestrator, input, instanceId)
  }

  /** Waits so many seconds, or until a moment. It costs nothing, however long. */
  createTimer(fireAt: Date | number): Task<TOutput> {
    this.#numbered()
    const due = fireAt instanceof Date ? fireAt : Math.max(fireAt * 1000, 0)
    return new DurableTask(this.context.createTimer(due), orNothing)
  }

  /**
   * Waits for an event of this name, compared without case; its result is the event's data. Events of one name are taken
   * first in, first out, also those that came before the wait.
   */
  waitForExternalEvent(name: string): Task<TOutput> {
    return new DurableTask(this.context.waitForEvent(name), (data) => data)
  }

  /**
   * Ends this run, when the function yields what is not there yet, or returns, and begins the next one with an empty
   * history. Events that nobody took go with it if `saveEvents` is true. Only the first call counts.
   */
  continueAsNew(newInput: unknown, saveEvents: boolean): void {
    this.#next ??= { input: newInput, keepEvents: saveEvents ?? false }
  }

  /** Says something of the workflow for those who ask for its state. The text is sent as it stands. */
  setCustomStatus(status: string): void {
    this.context.setCustomStatus(new RawPayload(status))
  }

  /** Completes when all tasks have, with their results in order, or when one has failed. */
  whenAll<T>(tasks: Task<T>[]): WhenAllTask<T> {
    return new WhenAllTask(tasks)
  }

  /** Completes with the first task that completes or fails. The others go on: a wait that lost takes the next event. */
  whenAny(tasks: Task<TOutput>[]): WhenAnyTask {
    return new WhenAnyTask(tasks)
  }

  // What the workflow may know.

  getWorkflowInstanceId(): string {
    return this.context.instanceId
  }

  /** The turn's time, the same at every replay. */
  getCurrentUtcDateTime(): Date {
    return this.context.now()
  }

  /** Whether this turn is one of the past, run again to rebuild the workflow's state. */
  isReplaying(): boolean {
    return this.context.isReplaying
  }

  /** @internal Begins the next run, if the function has asked for it. */
  leave(): void {
    if (this.#next !== undefined) this.context.continueAsNew(this.#next.input, { keepEvents: this.#next.keepEvents })
  }

  /** Counts what has a number in Dapr's SDK; the instance ID, which stands before it in messages. */
  #numbered(): string {
    this.#asked += 1
    return this.context.instanceId
  }
}

/** What an activity may know of the call that it serves. `context` is the same in everstep's words. */
export class WorkflowActivityContext {
  constructor(readonly context: ActivityContext) {}

  /** The instance that asked for it. */
  getWorkflowInstanceId(): string {
    return this.context.instanceId
  }

  /** The number of the call in its run. */
  getWorkflowActivityId(): number {
    return this.context.taskId
  }
}

/** The output of what gave nothing: as in Dapr's SDK, it reads as undefined. */
function orNothing(value: unknown): TOutput {
  return value ?? undefined
}

/** @internal Runs a workflow function; its output is as Dapr's SDK writes it. */
export async function runWorkflow(workflow: TWorkflow, context: EverstepContext, input: unknown): Promise<unknown> {
  const dapr = new WorkflowContext(context)
  const made: unknown = await workflow(dapr, input)
  const result = isGenerator(made) ? await drive(made, dapr) : made
  dapr.leave()
  return result ?? new RawPayload("")
}

type Workflow = AsyncGenerator<unknown, unknown, unknown> | Generator<unknown, unknown, unknown>

function isGenerator(value: unknown): value is Workflow {
  return typeof value === "object" && value !== null && "next" in value && "throw" in value
}

async function drive(main: Workflow, dapr: WorkflowContext): Promise<unknown> {
  let step = await main.next()
  while (step.done !== true) {
    const task = step.value
    if (!(task instanceof Task))
      throw new Error(`The workflow yielded a non-Task object, ${describe(task)}; yield what ctx gives`)
    if (!task.isComplete) {
      dapr.leave()
      await task.settled()
    }
    step = await (task.isFailed ? main.throw(task.getException()) : main.next(task.getResult()))
  }
  return step.value
}

function describe(value: unknown): string {
  return value === null ? "null" : typeof value
}
