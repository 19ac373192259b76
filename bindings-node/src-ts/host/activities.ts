// Runs activities, on the event loop.

import { ActivityContext, type ActivityTask } from "../activities.js"
import { listOf } from "../arguments.js"
import { Activity, Workflow } from "../definitions.js"
import { ActivityNotRegisteredError, InvalidArgumentError } from "../errors.js"
import type { Wire } from "../wire.js"
import { errorText } from "./failures.js"

/** @internal The activities of a worker, by name. */
export class Activities {
  readonly #known = new Map<string, Activity<never, unknown>>()

  constructor(activities: Iterable<unknown>) {
    listOf(activities, "activities")
    for (const activity of activities) {
      if (!(activity instanceof Activity)) {
        const what =
          activity instanceof Workflow
            ? `${activity.name} is a workflow; give it in workflows`
            : "give what activity() made"
        throw new InvalidArgumentError(`activities: ${what}`)
      }
      if (this.#known.has(activity.name)) {
        throw new InvalidArgumentError(`activity ${JSON.stringify(activity.name)} is given twice`)
      }
      this.#known.set(activity.name, activity)
    }
  }

  get names(): string[] {
    return [...this.#known.keys()]
  }

  find(name: string): Activity<never, unknown> | undefined {
    return this.#known.get(name)
  }
}

/** @internal Takes tasks and completes each as soon as it is done; what ends together goes together. */
export class ActivityHost {
  readonly #activities: Activities
  readonly #wire: Wire
  readonly #complete: (text: string) => void
  readonly #running = new Map<string, ActivityContext>()
  #answers: string[] = []

  constructor(activities: Activities, wire: Wire, complete: (text: string) => void) {
    this.#activities = activities
    this.#wire = wire
    this.#complete = complete
  }

  /** Runs the tasks of a batch; tells those that nobody waits for any more. */
  take(tasks: readonly ActivityTask[], cancelled: readonly string[]): void {
    for (const token of cancelled) this.#running.get(token)?.cancel()
    for (const task of tasks) void this.#run(task)
  }

  /** Tells all that run to stop. */
  close(): void {
    for (const context of this.#running.values()) context.cancel()
  }

  async #run(task: ActivityTask): Promise<void> {
    const activity = this.#activities.find(task.name)
    const context = new ActivityContext(task)
    this.#running.set(task.t, context)
    let answer: string
    try {
      if (activity === undefined) {
        throw new ActivityNotRegisteredError(`this worker has no activity ${JSON.stringify(task.name)}`)
      }
      answer = this.#answerOf(
        task,
        await activity.run(this.#wire.take(task, "input", activity.input) as never, context),
      )
    } catch (error) {
      answer = `{"t":"${task.t}","error":${errorText(error, this.#wire.conceal)}}`
    }
    this.#running.delete(task.t)
    // What ends in the same task of the event loop crosses at once, when its microtasks have run.
    if (this.#answers.push(answer) === 1) queueMicrotask(() => process.nextTick(() => this.#flush()))
  }

  #flush(): void {
    const answers = this.#answers
    this.#answers = []
    this.#complete(`{"v":1,"activities":[${answers.join(",")}]}`)
  }

  #answerOf(task: ActivityTask, value: unknown): string {
    try {
      return `{"t":"${task.t}"${this.#wire.output("value", value, "the output")}}`
    } catch (error) {
      // To run it again would do all that it does once more, and end here.
      return `{"t":"${task.t}","error":${errorText(error, this.#wire.conceal, true)}}`
    }
  }
}
