// Arguments of operations as the core takes them. What has the wrong type is refused here, by name.

import type { NativeFilter } from "../native/native.js"
import { Activity, Workflow } from "./definitions.js"
import { InvalidArgumentError } from "./errors.js"
import { RuntimeStatus, Timestamp } from "./models.js"

/** Which instances a listing, a count or an operation on many means: those that meet all that are given. */
export interface Criteria {
  /** Which component; the default one without. */
  component?: string | undefined
  /** Only this workflow. */
  name?: string | undefined
  /** Any of these. Without any: all, or those that the operation concerns. */
  statuses?: Iterable<RuntimeStatus> | undefined
  /** Created at this moment or later. */
  createdFrom?: Date | undefined
  /** Created before this moment. */
  createdTo?: Date | undefined
  /** Children that an instance with this ID started, whichever run of it did. */
  parentInstanceId?: string | undefined
}

/** @internal A text that has an encoding. */
export function textOf(value: unknown, name: string): string {
  if (typeof value !== "string") throw new InvalidArgumentError(`${name} must be a string, not ${typeName(value)}`)
  if (!value.isWellFormed()) {
    throw new InvalidArgumentError(`${name} holds a lone surrogate, which is no character`)
  }
  return value
}

/** @internal The same, or none. */
export function optionalText(value: unknown, name: string): string | undefined {
  return value === undefined || value === null ? undefined : textOf(value, name)
}

/** @internal A text that names something. */
export function nameOf(value: unknown, name: string): string {
  if (textOf(value, name) === "") throw new InvalidArgumentError(`${name} must not be empty`)
  return value as string
}

/** @internal A record of texts. */
export function textsOf(values: unknown, name: string): Record<string, string> | undefined {
  if (values === undefined || values === null) return undefined
  if (typeof values !== "object") {
    throw new InvalidArgumentError(`${name} must be an object of strings, not ${typeName(values)}`)
  }
  const texts: [string, string][] = Object.entries(values).map(([key, value]) => [
    textOf(key, `a key of ${name}`),
    textOf(value, `${name}.${key}`),
  ])
  return Object.fromEntries(texts)
}

/** @internal Whole milliseconds, rounded up so that nothing is early. */
export function millisOf(value: unknown, name: string): number {
  if (typeof value !== "number") throw new InvalidArgumentError(`${name} must be milliseconds, not ${typeName(value)}`)
  if (!(value >= 0 && value < 2 ** 53)) {
    throw new InvalidArgumentError(`${name} must be between 0 milliseconds and 285,000 years`)
  }
  return Math.ceil(value)
}

/** @internal The same, or none. */
export function optionalMillis(value: unknown, name: string): number | undefined {
  return value === undefined || value === null ? undefined : millisOf(value, name)
}

/** @internal An integer of at least `least`. */
export function countOf(value: unknown, name: string, least: number): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < least || value >= 2 ** 31) {
    throw new InvalidArgumentError(`${name} must be an integer of at least ${least}`)
  }
  return value
}

/** @internal A point in time, in microseconds since 1970. */
export function microsOf(value: unknown, name: string): number {
  if (value instanceof Timestamp) return value.micros
  if (!(value instanceof Date)) throw new InvalidArgumentError(`${name} must be a Date, not ${typeName(value)}`)
  if (Number.isNaN(value.getTime())) throw new InvalidArgumentError(`${name} is an invalid Date`)
  return value.getTime() * 1000
}

/** @internal When an instance is to start: a Date, or milliseconds from now. */
export function startTime(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === "number") return (Date.now() + millisOf(value, "startAt")) * 1000
  return microsOf(value, "startAt")
}

/** @internal Refuses what is no list, also a text, which is one of its characters. */
export function listOf(values: unknown, name: string): void {
  if (typeof values !== "object" || values === null || !(Symbol.iterator in values)) {
    throw new InvalidArgumentError(`${name} must be a list; write [...]`)
  }
}

/** @internal Which instances are meant. */
export function filterOf(criteria: Criteria): NativeFilter {
  const { name, statuses = [], createdFrom, createdTo, parentInstanceId } = criteria
  listOf(statuses, "statuses")
  const filter: NativeFilter = { statuses: [] }
  for (const status of statuses) {
    if (typeof status !== "string" || !(status in RuntimeStatus)) {
      throw new InvalidArgumentError(`statuses: ${JSON.stringify(status)} is unknown`)
    }
    filter.statuses.push(status)
  }
  if (name !== undefined) filter.name = textOf(name, "name")
  if (createdFrom !== undefined) filter.createdFrom = microsOf(createdFrom, "createdFrom")
  if (createdTo !== undefined) filter.createdTo = microsOf(createdTo, "createdTo")
  if (parentInstanceId !== undefined) filter.parent = textOf(parentInstanceId, "parentInstanceId")
  return filter
}

/** @internal Name and version of what is to be started. */
export function startable(
  workflow: Workflow<never, unknown> | string,
  version: string | undefined,
): { name: string; version: string | undefined } {
  if (typeof workflow === "string")
    return { name: textOf(workflow, "workflow"), version: optionalText(version, "version") }
  if (!(workflow instanceof Workflow)) {
    const what = (workflow as unknown) instanceof Activity ? "an activity" : typeof workflow
    throw new InvalidArgumentError(`only workflows are started: give what workflow() made, or a name; this is ${what}`)
  }
  if (version !== undefined && version !== workflow.version) {
    throw new InvalidArgumentError(
      `the workflow given for ${workflow.name} is not its version ${JSON.stringify(version)}; give that version's, or ` +
        "the workflow's name and version",
    )
  }
  return { name: workflow.name, version: workflow.version }
}

/** What is there of a `T`. */
type Defined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>
}

/** @internal The same without what is undefined. */
export function defined<T extends object>(values: T): Defined<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>
}

/** @internal What a value is, for messages. */
export function typeName(value: unknown): string {
  return value === null ? "null" : typeof value
}
