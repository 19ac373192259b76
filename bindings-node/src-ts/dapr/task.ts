// What a workflow yields: tasks, and those that wait for several.

import { ActivityNotRegisteredError, EverstepError, InvalidArgumentError, OperationCancelledError } from "../errors.js"
import type { Failure } from "../failure.js"
import type { TOutput } from "./context.js"

/** What user code failed with. */
export class FailureDetails {
  constructor(
    readonly message: string,
    /** The name of the type that was thrown. */
    readonly errorType: string,
    readonly stackTrace?: string | undefined,
  ) {}
}

/** @internal The details that a failure has in Dapr's SDK; the chain of causes is everstep's alone. */
export function detailsOf(failure: Failure): FailureDetails {
  return new FailureDetails(failure.message, failure.errorType, failure.stackTrace)
}

/** An activity or a child workflow failed. Its `cause` is everstep's error, whose `failure` has the chain of causes. */
export class TaskFailedError extends Error {
  constructor(
    message: string,
    /** What failed. */
    readonly details: FailureDetails,
    options: ErrorOptions = {},
  ) {
    super(message, options)
  }
}

type Watcher = (task: Task<unknown>) => void

/** Something that a workflow has asked for. `yield` it for its result. */
export abstract class Task<T> {
  #complete = false
  #value: T | undefined
  #error: Error | undefined
  #watchers: Watcher[] = []

  /** Whether its result or failure is there. */
  get isComplete(): boolean {
    return this.#complete
  }

  /** Whether it has failed. */
  get isFailed(): boolean {
    return this.#error !== undefined
  }

  /** The result. Throws what the task failed with, and an error while it is not complete. */
  getResult(): T {
    if (!this.#complete) throw new Error("Task is not complete")
    if (this.#error !== undefined) throw this.#error
    return this.#value as T
  }

  /** What it failed with. Throws an error where it has not. */
  getException(): Error {
    if (this.#error === undefined) throw new Error("Task did not fail")
    return this.#error
  }

  /** @internal Has it called when this completes; at once where it is complete. */
  watch(watcher: Watcher): void {
    if (this.#complete) watcher(this)
    else this.#watchers.push(watcher)
  }

  /** @internal Resolves when this completes. */
  settled(): Promise<void> {
    return new Promise((resolve) => this.watch(() => resolve()))
  }

  protected complete(value: T): void {
    this.#value = value
    this.#end()
  }

  protected fail(error: Error): void {
    this.#error = error
    this.#end()
  }

  #end(): void {
    this.#complete = true
    const watchers = this.#watchers
    this.#watchers = []
    for (const watcher of watchers) watcher(this)
  }
}

/** @internal One activity, child workflow, timer or event. */
export class DurableTask<T> extends Task<T> {
  constructor(
    promise: Promise<unknown>,
    take: (value: unknown) => T,
    explain: (error: Error) => Error = (error) => error,
  ) {
    super()
    promise.then(
      (value) => this.complete(take(value)),
      (error: Error) => this.fail(explain(error)),
    )
  }
}

/** A task that is made of others. One task may be in several, or twice in one. */
abstract class CompositeTask<T> extends Task<T> {
  protected readonly tasks: readonly Task<unknown>[]

  constructor(tasks: readonly Task<unknown>[]) {
    super()
    this.tasks = [...tasks]
    for (const task of this.tasks) {
      if (!(task instanceof Task)) throw new InvalidArgumentError(`whenAll and whenAny take tasks, not ${typeof task}`)
    }
  }
}

/** Completes when all its tasks have, or one has failed. */
export class WhenAllTask<T> extends CompositeTask<T[]> {
  #completed = 0

  constructor(tasks: readonly Task<T>[]) {
    super(tasks)
    if (this.tasks.length === 0) this.complete([])
    for (const task of this.tasks) task.watch((ended) => this.#ended(ended))
  }

  /** How many of its tasks have completed. */
  get completedTasks(): number {
    return this.#completed
  }

  /** How many of its tasks have not completed. */
  pendingTasks(): number {
    return this.tasks.length - this.#completed
  }

  #ended(task: Task<unknown>): void {
    this.#completed += 1
    if (this.isComplete) return
    if (task.isFailed) this.fail(task.getException())
    else if (this.#completed === this.tasks.length) this.complete(this.tasks.map((each) => each.getResult() as T))
  }
}

/** Completes when the first of its tasks has; its result is that task, which may have failed. */
export class WhenAnyTask extends CompositeTask<Task<TOutput>> {
  constructor(tasks: readonly Task<TOutput>[]) {
    super(tasks)
    if (this.tasks.length === 0) throw new InvalidArgumentError("whenAny needs at least one task")
    for (const task of this.tasks) task.watch((ended) => this.isComplete || this.complete(ended))
  }
}

/** @internal How the failure of an activity or child is told. */
export function callFailed(what: string): (error: Error) => Error {
  return (error) => {
    let details: FailureDetails
    if (error instanceof EverstepError && error.failure !== undefined) {
      details = detailsOf(error.failure)
      if (error instanceof ActivityNotRegisteredError) {
        details = new FailureDetails(details.message, error.name, details.stackTrace)
      }
    } else if (error instanceof OperationCancelledError) {
      details = new FailureDetails(error.message, error.name)
    } else {
      return error
    }
    return new TaskFailedError(`${what} failed: ${details.message}`, details, { cause: error })
  }
}
