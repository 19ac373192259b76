// What a workflow function works with.

import { countOf, millisOf, nameOf } from "./arguments.js"
import { Activity, Workflow } from "./definitions.js"
import { InvalidArgumentError } from "./errors.js"
import { all, first, map } from "./host/groups.js"
import type { WorkflowTask } from "./host/host.js"
import { ContinueAsNew, type Instance, type Job } from "./host/instance.js"
import type { DurablePromise } from "./host/promises.js"
import { WorkflowRandom, WorkflowUuids } from "./host/random.js"
import { Timestamp } from "./models.js"
import type { CallArguments } from "./options.js"
import { quoted } from "./payload.js"
import { type Retry, retryField } from "./retry.js"
import { type StandardSchema, schemaOf } from "./schemas.js"

/** What the call of an activity may be told. */
export interface ActivityOptions {
  /** How many milliseconds one attempt may take; then it fails as `WaitTimeout`. */
  timeout?: number | undefined
  /** How often and when it is tried again. Without: never. */
  retry?: Retry | undefined
  /** Another application that runs it. */
  appId?: string | undefined
}

/** What the call of a child workflow may be told. */
export interface ChildOptions {
  /** The child's instance ID; without, one that derives from its parent's. */
  instanceId?: string | undefined
  retry?: Retry | undefined
  appId?: string | undefined
}

/** What the call of an activity by its name may be told. */
export interface NamedActivityOptions<O = unknown> extends ActivityOptions {
  /** What its output must look like, and what it becomes; without, it is what the JSON says. */
  output?: StandardSchema<O> | undefined
}

/** What the call of a child workflow by its name may be told. */
export interface NamedChildOptions<O = unknown> extends ChildOptions {
  /** What its output must look like, and what it becomes; without, it is what the JSON says. */
  output?: StandardSchema<O> | undefined
  /** Which version; the latest one without. */
  version?: string | undefined
}

/** What the wait for an event may be told. */
export interface EventOptions<T = unknown> {
  /** Milliseconds until it rejects as `WaitTimeout`; without, it waits as long as it takes. */
  timeout?: number | undefined
  /** What its data must look like, and what it becomes; without, it is what the JSON says. */
  schema?: StandardSchema<T> | undefined
}

/** What the start of a workflow that goes its own way may be told. */
export interface DetachedOptions {
  instanceId?: string | undefined
  version?: string | undefined
  appId?: string | undefined
}

/** What a map may be told. */
export interface MapOptions extends ActivityOptions {
  /** How many run at a time; without, all. */
  maxConcurrency?: number | undefined
  /** Whether all items run, and failures stand in the list, in the form of `Promise.allSettled`. */
  settled?: boolean | undefined
}

/** Which of several was done first, and what it gave. */
export type First<T extends readonly unknown[]> = {
  [K in keyof T]: { readonly index: K extends `${infer N extends number}` ? N : number; readonly value: Awaited<T[K]> }
}[number]

/** What a workflow says something to: the console, or the logger of a library. */
export interface WorkflowLogger {
  debug(...said: unknown[]): void
  info(...said: unknown[]): void
  warn(...said: unknown[]): void
  error(...said: unknown[]): void
}

/** @internal Gives the logger of a workflow instance. */
export type LoggerOf = (ctx: WorkflowContext) => WorkflowLogger

/**
 * What a workflow asks for, and what it may know.
 *
 * Whatever is asked for is asked for when it is called, in the order of the calls; the promises that come back may be
 * awaited at any time, also by `Promise.all`, `race`, `any` and `allSettled`. Await nothing else in a workflow.
 */
export class WorkflowContext {
  readonly #instance: Instance
  readonly #start: Job
  readonly #patches = new Map<string, boolean>()
  #random: WorkflowRandom | undefined
  #uuids: WorkflowUuids | undefined
  readonly #loggerOf: LoggerOf
  #logger: WorkflowLogger | undefined

  /** The instance ID. */
  readonly instanceId: string
  /** The run's execution ID; it changes with `continueAsNew`. */
  readonly executionId: string

  /** @internal */
  constructor(instance: Instance, task: Pick<WorkflowTask, "id" | "run">, start: Job, loggerOf: LoggerOf) {
    this.#instance = instance
    this.#start = start
    this.#loggerOf = loggerOf
    this.instanceId = task.id
    this.executionId = task.run
  }

  // What the workflow asks for.

  /**
   * Runs an activity or a child workflow and gives its output. Rejects with `ActivityError`, `ChildWorkflowError` or
   * `WaitTimeout`.
   */
  call<I, O>(activity: Activity<I, O>, ...rest: CallArguments<I, ActivityOptions>): DurablePromise<O>
  call<I, O>(workflow: Workflow<I, O>, ...rest: CallArguments<I, ChildOptions>): DurablePromise<O>
  call<O>(
    definition: Activity<never, O> | Workflow<never, O>,
    input?: unknown,
    options: ActivityOptions & ChildOptions = {},
  ): DurablePromise<O> {
    if (definition instanceof Activity) {
      if (options.instanceId !== undefined) {
        throw new InvalidArgumentError("instanceId is for child workflows; an activity has none")
      }
      return this.callActivity<O>(definition.name, input, { ...options, output: definition.output })
    }
    if (!(definition instanceof Workflow)) {
      throw new InvalidArgumentError(
        "call takes what activity() or workflow() made; for a name see callActivity and callChild",
      )
    }
    if (options.timeout !== undefined) {
      throw new InvalidArgumentError("timeout is for activities; for a child workflow use ctx.any with ctx.sleep")
    }
    return this.callChild<O>(definition.name, input, {
      ...options,
      version: definition.version,
      output: definition.output,
    })
  }

  /** Runs an activity by its registered name. See `call`. */
  callActivity<O = unknown>(name: string, input?: unknown, options: NamedActivityOptions<O> = {}): DurablePromise<O> {
    this.#instance.check()
    const fields = `,"name":${quoted(nameOf(name, "name"))}${this.#instance.payload("input", input)}`
    return this.#instance.ask("activity", name, fields + activityFields(options), options.output)
  }

  /** Runs a child workflow by its registered name. See `call`. */
  callChild<O = unknown>(name: string, input?: unknown, options: NamedChildOptions<O> = {}): DurablePromise<O> {
    this.#instance.check()
    const fields = this.#childFields(name, options.version, input, options.instanceId)
    const retry = options.retry === undefined ? "" : retryField(options.retry)
    return this.#instance.ask("child", name, fields + retry + appField(options.appId), options.output)
  }

  /** Starts a workflow on its own: it outlives this one, and its result goes nowhere. */
  startChild<I>(workflow: Workflow<I, unknown>, ...rest: CallArguments<I, Omit<DetachedOptions, "version">>): void
  startChild(workflow: string, input?: unknown, options?: DetachedOptions): void
  startChild(workflow: Workflow<never, unknown> | string, input?: unknown, options: DetachedOptions = {}): void {
    this.#instance.check()
    const known = typeof workflow === "string" ? { name: workflow, version: options.version } : workflow
    if (typeof workflow !== "string" && !(workflow instanceof Workflow)) {
      throw new InvalidArgumentError("startChild takes what workflow() made, or a name")
    }
    const fields = this.#childFields(known.name, known.version, input, options.instanceId)
    this.#instance.tell("child", `${fields},"detached":true${appField(options.appId)}`, true)
  }

  #childFields(name: string, version: string | undefined, input: unknown, id: string | undefined): string {
    let fields = `,"name":${quoted(nameOf(name, "name"))}`
    if (version !== undefined) fields += `,"version":${quoted(nameOf(version, "version"))}`
    fields += this.#instance.payload("input", input)
    return id === undefined ? fields : `${fields},"id":${quoted(nameOf(id, "instanceId"))}`
  }

  /** Waits so many milliseconds. It costs nothing, however long. */
  sleep(ms: number): DurablePromise<void> {
    return this.createTimer(ms)
  }

  /** Waits so many milliseconds, or until a moment. */
  createTimer(due: number | Date): DurablePromise<void> {
    this.#instance.check()
    if (due instanceof Date) {
      const at = due.getTime()
      if (Number.isNaN(at)) throw new InvalidArgumentError("due is an invalid Date")
      return this.#instance.ask("timer", "timer", `,"at_ms":${at}`)
    }
    return this.#instance.ask("timer", "timer", `,"after_ms":${millisOf(due, "due")}`)
  }

  /**
   * Waits for an event of this name, compared without ASCII case, and gives its data. Events of one name are taken first in,
   * first out, also those that came before the wait. With a timeout it rejects as `WaitTimeout`.
   */
  waitForEvent<T = unknown>(name: string, options: EventOptions<T> = {}): DurablePromise<T> {
    this.#instance.check()
    let fields = `,"name":${quoted(nameOf(name, "name"))}`
    if (options.timeout !== undefined) fields += `,"timeout_ms":${millisOf(options.timeout, "timeout")}`
    return this.#instance.ask("event", name, fields, schemaOf(options.schema, "schema"))
  }

  /** Raises an event at another instance. */
  sendEvent(instanceId: string, eventName: string, eventData?: unknown): void {
    this.#instance.check()
    const fields = `,"id":${quoted(nameOf(instanceId, "instanceId"))},"name":${quoted(nameOf(eventName, "eventName"))}`
    this.#instance.tell("send", fields + this.#instance.payload("data", eventData))
  }

  /** Says something of the workflow for those who ask for its state. */
  setCustomStatus(status: unknown): void {
    this.#instance.check()
    this.#instance.tell("status", this.#instance.payload("status", status === undefined ? null : status))
  }

  /**
   * Ends this run and begins the next with a new input and an empty history. It does not return: it leaves the function by
   * an error, which a `catch` must let pass. Events that nobody took go with it, unless `keepEvents` is false.
   */
  continueAsNew(input?: unknown, options: { keepEvents?: boolean | undefined } = {}): never {
    this.#instance.check()
    const fields = this.#instance.payload("input", input)
    this.#instance.continuation = `{"kind":"continue"${fields},"keep_events":${options.keepEvents ?? true}}`
    throw new ContinueAsNew("the workflow continues as new")
  }

  // Several at once.

  /**
   * Runs an activity or a child workflow, or the activity of a name, once per item and gives the outputs in order.
   *
   * With `maxConcurrency`, as soon as one ends the next item is taken; an iterator is read only as far as is needed. The
   * first failure rejects at once: no further item begins and those that run are given up. With `settled` all items run.
   */
  map<I, O>(
    each: Activity<I, O> | Workflow<I, O>,
    items: Iterable<I>,
    options: MapOptions & { settled: true },
  ): DurablePromise<PromiseSettledResult<O>[]>
  map<I, O>(each: Activity<I, O> | Workflow<I, O>, items: Iterable<I>, options?: MapOptions): DurablePromise<O[]>
  map<O = unknown>(
    each: string,
    items: Iterable<unknown>,
    options: MapOptions & { settled: true },
  ): DurablePromise<PromiseSettledResult<O>[]>
  map<O = unknown>(each: string, items: Iterable<unknown>, options?: MapOptions): DurablePromise<O[]>
  map(
    each: Activity<never, unknown> | Workflow<never, unknown> | string,
    items: Iterable<unknown>,
    options: MapOptions = {},
  ): DurablePromise<unknown[]> {
    this.#instance.check()
    const limit = options.maxConcurrency
    const most = limit === undefined || limit === null ? Infinity : countOf(limit, "maxConcurrency", 1)
    if (typeof items !== "object" || items === null || typeof items[Symbol.iterator] !== "function") {
      throw new InvalidArgumentError("items must be an iterable")
    }
    const kind = each instanceof Workflow ? "child" : "activity"
    if (kind === "child" && options.timeout !== undefined) {
      throw new InvalidArgumentError("timeout is for activities; for child workflows use ctx.any with ctx.sleep")
    }
    const name = typeof each === "string" ? nameOf(each, "name") : each.name
    let quotedName = quoted(name)
    if (each instanceof Workflow && each.version !== undefined) quotedName += `,"version":${quoted(each.version)}`
    const more = activityFields(options)
    const fields = (item: unknown): string => `,"name":${quotedName}${this.#instance.payload("input", item)}${more}`
    const schema = typeof each === "string" ? undefined : each.output
    return map(this.#instance, { kind, name, fields, schema }, items[Symbol.iterator](), most, options.settled ?? false)
  }

  /** Waits for all, as `Promise.all`; to cancel the wait gives up what it waits for. */
  all<const T extends readonly unknown[]>(promises: T): DurablePromise<{ -readonly [K in keyof T]: Awaited<T[K]> }>
  all<T>(promises: Iterable<T>): DurablePromise<Awaited<T>[]>
  all(promises: Iterable<unknown>): DurablePromise<unknown> {
    this.#instance.check()
    return all(promises)
  }

  /**
   * Waits until one is done, as `Promise.race`; gives its place and value, or its failure, and gives up the rest. With
   * `cancelRest: false` the others go on.
   */
  any<const T extends readonly unknown[]>(
    promises: T,
    options?: { cancelRest?: boolean | undefined },
  ): DurablePromise<First<T>>
  any<T>(
    promises: Iterable<T>,
    options?: { cancelRest?: boolean | undefined },
  ): DurablePromise<{ readonly index: number; readonly value: Awaited<T> }>
  any(promises: Iterable<unknown>, options: { cancelRest?: boolean | undefined } = {}): DurablePromise<unknown> {
    this.#instance.check()
    return first(promises, options.cancelRest ?? true)
  }

  // What the workflow may know.

  /** The registered name. */
  get workflowName(): string {
    return this.#start["name"] as string
  }

  /** The named version that runs, if it is one. */
  get version(): string | undefined {
    return this.#start["version"] as string | undefined
  }

  /** The instance that started this one, if one did. */
  get parentInstanceId(): string | undefined {
    return (this.#start["parent"] as { id: string } | undefined)?.id
  }

  /** The labels of the start. */
  get tags(): Readonly<Record<string, string>> {
    return { ...(this.#start["tags"] as Record<string, string> | undefined) }
  }

  /** Whether this turn is one of the past, run again to rebuild the workflow's state. */
  get isReplaying(): boolean {
    return this.#instance.replaying
  }

  /** The turn's time, the same at every replay. */
  now(): Date {
    return new Timestamp(this.#instance.now * 1000)
  }

  /** A random number in [0, 1), the same at every replay. */
  random(): number {
    this.#random ??= new WorkflowRandom(BigInt(this.#start["seed"] as string))
    return this.#random.next()
  }

  /** A UUID that is the same at every replay. */
  uuid(): string {
    this.#uuids ??= new WorkflowUuids(this.executionId)
    return this.#uuids.next()
  }

  /** The logger that the worker was given, else the console: silent while replaying. */
  get logger(): WorkflowLogger {
    if (this.#logger === undefined) {
      const [instance, logger] = [this.#instance, this.#loggerOf(this)]
      const say =
        (level: keyof WorkflowLogger) =>
        (...said: unknown[]): void => {
          if (!instance.replaying) logger[level](...said)
        }
      this.#logger = { debug: say("debug"), info: say("info"), warn: say("warn"), error: say("error") }
    }
    return this.#logger
  }

  /**
   * Whether this run takes a changed path of the code: one that passed this place before the change does not. The first
   * answer for a name holds for the whole run. Code must go on asking until the runs that took the patch have ended.
   */
  isPatched(name: string): boolean {
    this.#instance.check()
    let answer = this.#patches.get(nameOf(name, "name"))
    if (answer === undefined) {
      answer = this.#instance.patches.includes(name) || !this.#instance.replaying
      this.#patches.set(name, answer)
      if (answer) this.#instance.tell("patch", `,"name":${quoted(name)}`)
    }
    return answer
  }
}

function activityFields(options: ActivityOptions): string {
  let fields = options.retry === undefined ? "" : retryField(options.retry)
  if (options.timeout !== undefined) fields += `,"timeout_ms":${millisOf(options.timeout, "timeout")}`
  return fields + appField(options.appId)
}

function appField(appId: string | undefined): string {
  return appId === undefined ? "" : `,"app":${quoted(nameOf(appId, "appId"))}`
}
