// Waiting for several: `ctx.all`, `ctx.any` and `ctx.map`. The order in which members are asked for and given up is part
// of the stored contract.

import { InvalidArgumentError, OperationCancelledError } from "../errors.js"
import type { StandardSchema } from "../schemas.js"
import type { Instance } from "./instance.js"
import { DurablePromise } from "./promises.js"

/** @internal All results, in order; it fails with the first failure and leaves the others alone. */
export function all(promises: Iterable<unknown>): DurablePromise<unknown[]> {
  const held = [...promises]
  let open = true
  let fail!: (error: unknown) => void
  return DurablePromise.make<unknown[]>(
    (resolve, reject) => {
      fail = reject
      const settle =
        <A>(then: (value: A) => void) =>
        (value: A): void => {
          open = false
          then(value)
        }
      Promise.all(held).then(settle(resolve), settle(reject))
    },
    () => {
      if (!open) return false
      open = false
      release(held)
      fail(new OperationCancelledError("waiting for all was given up"))
      return true
    },
  )
}

/** @internal The first of these that is done; the rest is given up, in order. */
export function first(
  promises: Iterable<unknown>,
  cancelRest: boolean,
): DurablePromise<{ index: number; value: unknown }> {
  const held = [...promises]
  if (held.length === 0) throw new InvalidArgumentError("any needs at least one promise")
  let open = true
  let fail!: (error: unknown) => void
  const end = (): boolean => {
    if (!open) return false
    open = false
    if (cancelRest) release(held)
    return true
  }
  return DurablePromise.make(
    (resolve, reject) => {
      fail = reject
      held.forEach((promise, index) => {
        Promise.resolve(promise).then(
          (value) => end() && resolve({ index, value }),
          (error: unknown) => end() && reject(error),
        )
      })
    },
    () => {
      if (!end()) return false
      fail(new OperationCancelledError("waiting for any was given up"))
      return true
    },
  )
}

function release(held: readonly unknown[]): void {
  for (const promise of held) if (promise instanceof DurablePromise) promise.cancel()
}

/** @internal How a map asks for one item: the member of its payload. */
export interface Asking {
  readonly kind: string
  readonly name: string
  readonly fields: (item: unknown) => string
  readonly schema: StandardSchema | undefined
}

/** @internal Results of all items, in order; asks for the next item as soon as one is done. */
export function map(
  instance: Instance,
  asking: Asking,
  items: Iterator<unknown>,
  limit: number,
  settled: boolean,
): DurablePromise<unknown[]> {
  const window = new Window(instance, asking, items, limit, settled)
  return DurablePromise.make<unknown[]>(
    (resolve, reject) => window.begin(resolve, reject),
    () => window.end(new OperationCancelledError("the map was given up")),
  )
}

class Window {
  readonly #instance: Instance
  readonly #asking: Asking
  readonly #limit: number
  readonly #settled: boolean
  #items: Iterator<unknown> | undefined
  #running = new Set<number>()
  #results: unknown[] = []
  #resolve!: (results: unknown[]) => void
  #reject!: (error: unknown) => void
  #open = true

  constructor(instance: Instance, asking: Asking, items: Iterator<unknown>, limit: number, settled: boolean) {
    this.#instance = instance
    this.#asking = asking
    this.#items = items
    this.#limit = limit
    this.#settled = settled
  }

  begin(resolve: (results: unknown[]) => void, reject: (error: unknown) => void): void {
    this.#resolve = resolve
    this.#reject = reject
    this.#fill()
  }

  /** Asks for no more, gives up what runs, and fails. */
  end(error: unknown): boolean {
    if (!this.#open) return false
    this.#open = false
    this.#items = undefined
    this.#reject(error)
    for (const ref of this.#running) this.#instance.abandon(ref)
    return true
  }

  #fill(): void {
    try {
      while (this.#items !== undefined && this.#running.size < this.#limit) {
        const next = this.#items.next()
        if (next.done === true) this.#items = undefined
        else this.#ask(next.value)
      }
    } catch (error) {
      this.end(error)
      return
    }
    if (this.#running.size === 0 && this.#open) {
      this.#open = false
      this.#resolve(this.#results)
    }
  }

  #ask(item: unknown): void {
    const { kind, name, fields, schema } = this.#asking
    const place = this.#results.push(undefined) - 1
    const settle = (result: unknown): void => {
      this.#running.delete(ref)
      this.#results[place] = result
      if (this.#open) this.#fill()
    }
    const done = (value: unknown): void => settle(this.#settled ? { status: "fulfilled", value } : value)
    const failed = (reason: Error): void => {
      if (this.#settled) return settle({ status: "rejected", reason })
      this.#running.delete(ref)
      this.end(reason)
    }
    const ref = this.#instance.request(kind, name, fields(item), done, failed, schema)
    this.#running.add(ref)
  }
}
