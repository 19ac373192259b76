// What a program registers: workflows and activities under their names.

import type { ActivityContext } from "./activities.js"
import type { WorkflowContext } from "./context.js"
import { InvalidArgumentError } from "./errors.js"
import { type StandardSchema, schemaOf } from "./schemas.js"

/** The function of a workflow: an async function, or a generator that yields what it waits for. */
export type WorkflowFunction<I, O> = (
  ctx: WorkflowContext,
  input: I,
) => Promise<O> | AsyncGenerator<unknown, O, unknown> | Generator<unknown, O, unknown>

/** The function of an activity. */
export type ActivityFunction<I, O> = (input: I, ctx: ActivityContext) => O | Promise<O>

/** What payloads must look like. */
export interface Schemas<I, O> {
  /** What its input must look like, and what it becomes; without, it is what the JSON says. A misfit fails the call. */
  input?: StandardSchema<I> | undefined
  /** The same for its output, where a workflow reads it. */
  output?: StandardSchema<O> | undefined
}

/** What may be said of a workflow. */
export interface WorkflowOptions<I, O> extends Schemas<I, O> {
  /** Functions of one name with different versions live side by side in one worker. */
  version?: string | undefined
  /** Whether new runs use this version; of several without, the last one that the worker is given. */
  latest?: boolean | undefined
}

/** A workflow under its name. Give it to a worker, start it with a client, call it from other workflows. */
export class Workflow<I, O> {
  readonly kind = "workflow"
  readonly version: string | undefined
  readonly latest: boolean
  /** What its input must look like. */
  readonly input: StandardSchema | undefined
  /** What its output must look like. */
  readonly output: StandardSchema<O> | undefined

  /** @internal */
  constructor(
    readonly name: string,
    /** The function itself, for tests of its own. */
    readonly run: WorkflowFunction<I, O>,
    options: WorkflowOptions<I, O>,
  ) {
    this.input = schemaOf(options.input, "input")
    this.output = schemaOf(options.output, "output")
    this.version = options.version
    this.latest = options.latest ?? false
  }
}

/** An activity under its name. Give it to a worker, call it from workflows. */
export class Activity<I, O> {
  readonly kind = "activity"
  /** What its input must look like. */
  readonly input: StandardSchema | undefined
  /** What its output must look like. */
  readonly output: StandardSchema<O> | undefined

  /** @internal */
  constructor(
    readonly name: string,
    /** The function itself, for tests of its own. */
    readonly run: ActivityFunction<I, O>,
    options: Schemas<I, O>,
  ) {
    this.input = schemaOf(options.input, "input")
    this.output = schemaOf(options.output, "output")
  }
}

/**
 * Makes a workflow of an async function, or of a generator that yields what it waits for.
 *
 * The function takes a `WorkflowContext` and at most one input, and must ask for the same things in the same order
 * whenever it runs on the same history. Throws `InvalidArgumentError`.
 */
export function workflow<I = void, O = unknown>(
  name: string,
  run: WorkflowFunction<I, O>,
  options: WorkflowOptions<I, O> = {},
): Workflow<I, O> {
  named(name, "a workflow", run)
  if (options.version !== undefined && (typeof options.version !== "string" || options.version === "")) {
    throw new InvalidArgumentError("version must be a string that is not empty")
  }
  return new Workflow(name, run, options)
}

/**
 * Makes an activity of a function that takes at most one input and, after it, an `ActivityContext`.
 *
 * It runs at least once per call, on the event loop: what computes for long belongs into a worker thread. Throws
 * `InvalidArgumentError`.
 */
export function activity<I = void, O = unknown>(
  name: string,
  run: ActivityFunction<I, O>,
  options: Schemas<I, O> = {},
): Activity<I, O> {
  named(name, "an activity", run)
  return new Activity(name, run, options)
}

function named(name: unknown, what: string, run: unknown): void {
  if (typeof name !== "string" || name === "") {
    throw new InvalidArgumentError(`the name of ${what} must be a string that is not empty`)
  }
  if (typeof run !== "function") throw new InvalidArgumentError(`${what} needs a function, not ${typeof run}`)
}
