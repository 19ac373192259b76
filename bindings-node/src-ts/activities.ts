// What an activity may know.

/** @internal A task as the bridge protocol has it. */
export interface ActivityTask {
  readonly t: string
  readonly name: string
  readonly id: string
  readonly run: string
  readonly task: number
  readonly attempt: number
  readonly key: string
  readonly deadline?: number
  readonly [key: string]: unknown
}

/** What an activity may know of the call that it serves. */
export class ActivityContext {
  readonly #task: ActivityTask
  #controller: AbortController | undefined
  #cancelled = false

  /** @internal */
  constructor(task: ActivityTask) {
    this.#task = task
  }

  /** Aborts when nobody waits for the activity any more: it timed out, its workflow ended, or the worker closes. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#cancelled) this.#controller.abort()
    }
    return this.#controller.signal
  }

  /** The activity's registered name. */
  get name(): string {
    return this.#task.name
  }

  /** The instance that asked for it. */
  get instanceId(): string {
    return this.#task.id
  }

  /** The run of that instance. */
  get executionId(): string {
    return this.#task.run
  }

  /** The number of the call in its run. */
  get taskId(): number {
    return this.#task.task
  }

  /** The same for every attempt of one call and for no other call: what makes its effect unique in a ledger. */
  get taskKey(): string {
    return this.#task.key
  }

  /** Which attempt this is, from 1. */
  get attempt(): number {
    return this.#task.attempt
  }

  /** When the attempt times out, if it does. */
  get deadline(): Date | undefined {
    return this.#task.deadline === undefined ? undefined : new Date(this.#task.deadline)
  }

  /** @internal */
  cancel(): void {
    this.#cancelled = true
    this.#controller?.abort()
  }
}
