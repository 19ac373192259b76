// Schemas: what a payload must look like, and what it becomes, as zod, valibot, arktype and others write it.

import { DecodeError, InvalidArgumentError } from "./errors.js"

/**
 * A schema of any library that keeps to Standard Schema (https://standardschema.dev): zod, valibot, arktype and others.
 *
 * Payloads are stored as JSON of the values that a program works with, and a schema brings them back into that form when
 * they are read: what it takes is the JSON, what it gives is a `T`. It must answer at once.
 */
export interface StandardSchema<T = unknown> {
  readonly "~standard": {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<T> | Promise<SchemaResult<T>>
    readonly types?: { readonly input: unknown; readonly output: T } | undefined
  }
}

/** What a schema says of a value: what it becomes, or what is wrong with it. */
export type SchemaResult<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] }

/** What is wrong with a value, and where. */
export interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** @internal Refuses what is no schema. */
export function schemaOf<T>(value: StandardSchema<T> | undefined, name: string): StandardSchema<T> | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value["~standard"]?.validate !== "function") {
    throw new InvalidArgumentError(`${name} must be a schema of zod, valibot, arktype or another with "~standard"`)
  }
  return value
}

/** @internal Brings a parsed value into the form of a schema. Throws `DecodeError`, which names the place. */
export function fit(value: unknown, schema: StandardSchema | undefined): unknown {
  if (schema === undefined) return value
  const result = judged(value, schema)
  if (result.issues === undefined) return result.value
  if (value === null || value === undefined) {
    // A function that returns nothing leaves null, and a payload that is not there is undefined: both are nothing.
    const other = judged(value === null ? undefined : null, schema)
    if (other.issues === undefined) return other.value
  }
  throw unfit(value, result.issues.map(described).join("; "))
}

function judged(value: unknown, schema: StandardSchema): SchemaResult<unknown> {
  const standard = schema["~standard"]
  let result: SchemaResult<unknown> | Promise<SchemaResult<unknown>>
  try {
    result = standard.validate(value)
  } catch (cause) {
    throw unfit(value, String((cause as Error)?.message ?? cause), cause)
  }
  if (!(result instanceof Promise)) return result
  result.catch(() => {})
  throw new InvalidArgumentError(`a schema of ${standard.vendor} answers later; payloads need one that answers at once`)
}

function unfit(value: unknown, reason: string, cause?: unknown): DecodeError {
  return new DecodeError(`the payload does not fit its schema: ${reason}`, { text: JSON.stringify(value), cause })
}

/** `items[2].price: a number is expected`. */
function described({ message, path = [] }: SchemaIssue): string {
  const place = path
    .map((part) => (typeof part === "object" ? part.key : part))
    .map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`))
    .join("")
  return place === "" ? message : `${place.replace(/^\./, "")}: ${message}`
}
