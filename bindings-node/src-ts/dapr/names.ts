// What a function is registered as.

import { InvalidArgumentError } from "../errors.js"

/** @internal The name to ask for: the one that is given, else the function's own. Throws `InvalidArgumentError`. */
export function nameOf(given: unknown): string {
  if (typeof given === "string") return given
  const name = (given as { name?: unknown } | null | undefined)?.name
  if (typeof given === "function" && typeof name === "string" && name !== "") return name
  throw new InvalidArgumentError(
    typeof given === "function"
      ? "a name cannot be inferred from this function, which has none; register it with a name"
      : `give a function or a name, not ${given === null ? "null" : typeof given}`,
  )
}
