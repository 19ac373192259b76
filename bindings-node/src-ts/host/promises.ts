// What a workflow waits for.

/**
 * The answer to something that a workflow asked for: an activity, a child, a timer, an event.
 *
 * It was asked for when the promise was made; awaiting it is allowed, not needed.
 */
export class DurablePromise<T> extends Promise<T> {
  #cancel: (() => boolean) | undefined

  /** @internal */
  static make<T>(
    executor: (resolve: (value: T) => void, reject: (error: unknown) => void) => void,
    cancel: () => boolean,
  ): DurablePromise<T> {
    const promise = new DurablePromise<T>(executor as ConstructorParameters<typeof Promise<T>>[0])
    promise.#cancel = cancel
    return promise
  }

  /**
   * Gives it up durably: no event is taken by a wait that was cancelled, no timer fires, an activity is told to stop. The
   * promise rejects as `OperationCancelledError`. Returns whether there was something to give up.
   */
  cancel(): boolean {
    return this.#cancel?.() ?? false
  }
}

// `await` takes a promise as it is only if its constructor is Promise, else it needs two rounds more. What `then` gives is
// an ordinary promise: only what was asked for can be given up.
Object.defineProperty(DurablePromise.prototype, "constructor", { value: Promise })
