// One workflow instance: what it waits for, and what it asked for in the step at work.

import { InvalidArgumentError, NonDurableError, OperationCancelledError, WorkflowEvicted } from "../errors.js"
import type { StandardSchema } from "../schemas.js"
import type { Wire } from "../wire.js"
import { type BridgeError, errorOf, errorText, stackOf } from "./failures.js"
import { DurablePromise } from "./promises.js"

/** @internal Why a turn cannot go on until the program is changed. */
export class Stall extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly where?: string | undefined,
  ) {
    super(message)
  }
}

/** @internal Leaves a workflow on behalf of `continueAsNew`. */
export class ContinueAsNew extends Error {}

/** @internal A job as the bridge protocol has it. */
export interface Job {
  readonly kind: string
  readonly ref?: number
  readonly error?: BridgeError
  readonly [key: string]: unknown
}

interface Asked {
  readonly kind: string
  readonly name: string
  readonly done: (value: unknown) => void
  readonly failed: (error: Error) => void
  readonly schema: StandardSchema | undefined
}

type Outcome = Promise<unknown> | AsyncGenerator<unknown, unknown, unknown> | Generator<unknown, unknown, unknown>

/** @internal */
export class Instance {
  now = 0
  replaying = false
  patches: readonly string[] = []
  /** Whether its context may be used at all. */
  alive = true
  /** Whether its function has begun and not ended. */
  atWork = false
  /** Whether a step of it is at work. */
  stepping = false
  stall: Stall | undefined
  continuation: string | undefined
  #commands: string[] = []
  #open = new Map<number, Asked>()
  #refs = 0

  constructor(readonly wire: Wire) {}

  // What the host does.

  /** Runs the function to its first waits. */
  begin(run: () => unknown): void {
    this.atWork = true
    try {
      const outcome = run() as Outcome
      Promise.resolve(isGenerator(outcome) ? drive(outcome) : outcome).then(
        (value) => this.#complete(value),
        (error: unknown) => this.#fail(error),
      )
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Fails the run before its function has run. */
  refuse(error: unknown): void {
    this.#fail(error)
  }

  /** What was asked for is there. */
  done(job: Job): void {
    const asked = this.#take(job)
    if (asked === undefined) return
    let value: unknown
    try {
      value = this.wire.take(job, "value", asked.schema)
    } catch (error) {
      asked.failed(error as Error)
      return
    }
    asked.done(value)
  }

  /** What was asked for has failed, timed out or was cancelled. */
  failed(job: Job): void {
    const asked = this.#take(job)
    asked?.failed(errorOf(job.error ?? {}, asked.kind, asked.name, this.wire.reveal))
  }

  /** Ends the step: every path waits. Gives its commands. Throws `Stall`. */
  collect(): string {
    this.stepping = false
    if (this.stall !== undefined) throw this.stall
    if (this.alive && this.#open.size === 0) {
      throw new Stall(
        "non_durable",
        "the workflow waits for something that nothing durable can bring, perhaps a fetch or a bare setTimeout; do such " +
          "work in an activity, and wait for activities, timers, events or child workflows",
      )
    }
    const commands = this.#commands
    if (commands.length === 0) return "[]"
    this.#commands = []
    return `[${commands.join(",")}]`
  }

  /** Lets go of the instance: its context answers nothing any more, and what it waits for never comes. */
  close(): void {
    this.alive = this.atWork = false
    this.#open.clear()
  }

  #take(job: Job): Asked | undefined {
    const ref = job.ref as number
    const asked = this.#open.get(ref)
    this.#open.delete(ref)
    return asked
  }

  // What the context does.

  /** Refuses what is asked outside a turn. */
  check(): void {
    if (!this.alive) throw new WorkflowEvicted("the workflow instance has ended, or has left this worker")
    if (!this.stepping) {
      throw this.notDurable(
        "the workflow's context was used outside the workflow's turn, after something that is not durable",
      )
    }
  }

  /** Remembers that the turn must stall, even if the function swallows the error. */
  notDurable(message: string): NonDurableError {
    const error = new NonDurableError(message)
    this.stall ??= new Stall("non_durable", message, stackOf(error))
    return error
  }

  /** A payload member of a command. One that cannot be encoded stalls the turn. */
  payload(key: string, value: unknown): string {
    try {
      return this.wire.member(key, value, key)
    } catch (error) {
      if (error instanceof InvalidArgumentError) this.#unencodable(error)
      throw error
    }
  }

  #unencodable(error: InvalidArgumentError): void {
    this.stall ??= new Stall("encode_failed", error.message, stackOf(error))
  }

  /** Asks for something that a job will answer; gives its ref. */
  request(
    kind: string,
    name: string,
    fields: string,
    done: (value: unknown) => void,
    failed: (error: Error) => void,
    schema?: StandardSchema,
  ): number {
    this.#refs += 1
    const ref = this.#refs
    this.#commands.push(`{"kind":"${kind}","ref":${ref}${fields}}`)
    this.#open.set(ref, { kind, name, done, failed, schema })
    return ref
  }

  /** The same as a promise. */
  ask<T>(kind: string, name: string, fields: string, schema?: StandardSchema<T>): DurablePromise<T> {
    let ref = 0
    let failed!: (error: Error) => void
    return DurablePromise.make<T>(
      (resolve, reject) => {
        failed = reject
        ref = this.request(kind, name, fields, resolve as (value: unknown) => void, reject, schema)
      },
      () => {
        if (!this.abandon(ref)) return false
        failed(new OperationCancelledError(`${kind} ${name} was given up`))
        return true
      },
    )
  }

  /** Asks for something that no job answers. */
  tell(kind: string, fields: string, numbered = false): void {
    if (numbered) {
      this.#refs += 1
      fields = `,"ref":${this.#refs}${fields}`
    }
    this.#commands.push(`{"kind":"${kind}"${fields}}`)
  }

  /** Gives up what was asked for; says whether there was something to give up. */
  abandon(ref: number): boolean {
    if (!this.#open.has(ref)) return false
    this.check()
    this.#open.delete(ref)
    this.#commands.push(`{"kind":"cancel","ref":${ref}}`)
    return true
  }

  // The workflow function.

  #complete(value: unknown): void {
    if (!this.#ends("completed")) return
    if (this.continuation !== undefined) {
      this.#commands.push(this.continuation)
    } else {
      try {
        this.tell("complete", this.wire.output("output", value, "the output"))
      } catch (error) {
        this.#unencodable(error as InvalidArgumentError)
      }
    }
    this.close()
  }

  #fail(error: unknown): void {
    if (error instanceof ContinueAsNew && this.continuation !== undefined) {
      this.#complete(undefined)
      return
    }
    if (!this.#ends("failed")) return
    this.#commands.push(`{"kind":"fail","error":${errorText(error, this.wire.conceal)}}`)
    this.close()
  }

  /** Whether the function may end now: outside a turn nothing durable has ended it. */
  #ends(how: string): boolean {
    if (!this.alive) return false
    if (this.stepping) return true
    this.notDurable(`the workflow ${how} outside its turn, after something that is not durable`)
    return false
  }
}

function isGenerator(
  value: unknown,
): value is AsyncGenerator<unknown, unknown, unknown> | Generator<unknown, unknown, unknown> {
  if (typeof value !== "object" || value === null || value instanceof Promise) return false
  const { next, throw: raise } = value as { next?: unknown; throw?: unknown }
  return typeof next === "function" && typeof raise === "function"
}

/** Runs a generator: it gets back what the promise, or the list of promises, that it yielded gives. */
async function drive(
  generator: AsyncGenerator<unknown, unknown, unknown> | Generator<unknown, unknown, unknown>,
): Promise<unknown> {
  let step = await generator.next()
  while (step.done !== true) {
    let value: unknown
    try {
      value = Array.isArray(step.value) ? await Promise.all(step.value) : await step.value
    } catch (error) {
      step = await generator.throw(error)
      continue
    }
    step = await generator.next(value)
  }
  return step.value
}
