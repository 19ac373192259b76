// Workflow tasks in, answers out.

import { listOf } from "../arguments.js"
import { type LoggerOf, WorkflowContext } from "../context.js"
import { Activity, Workflow } from "../definitions.js"
import { InvalidArgumentError } from "../errors.js"
import { quoted } from "../payload.js"
import type { Wire } from "../wire.js"
import { stackOf, typeOf } from "./failures.js"
import { Instance, type Job, Stall } from "./instance.js"
import { beginTurns, endTurns } from "./rejections.js"

/** How long a step may compute before somebody is told. */
const LONG_MS = 2000

/** @internal A workflow task as the bridge protocol has it. */
export interface WorkflowTask {
  readonly t: string
  readonly id: string
  readonly run: string
  readonly more?: boolean
  readonly jobs: readonly Job[]
}

/** @internal The workflows of a worker, by name and version. */
export class Workflows {
  readonly #known = new Map<string, Workflow<never, unknown>>()

  constructor(workflows: Iterable<unknown>) {
    listOf(workflows, "workflows")
    const latest = new Set<string>()
    for (const workflow of workflows) {
      if (!(workflow instanceof Workflow)) {
        const what =
          workflow instanceof Activity
            ? `${workflow.name} is an activity; give it in activities`
            : "give what workflow() made"
        throw new InvalidArgumentError(`workflows: ${what}`)
      }
      const { name, version } = workflow
      const key = keyOf(name, version)
      if (this.#known.has(key)) {
        const which = version === undefined ? "" : ` version ${JSON.stringify(version)}`
        throw new InvalidArgumentError(
          `workflow ${JSON.stringify(name)}${which} is given twice; give each a name or a version of its own`,
        )
      }
      if (workflow.latest && latest.has(name)) {
        throw new InvalidArgumentError(
          `workflow ${JSON.stringify(name)} has two latest versions; mark only the one that new runs are to use`,
        )
      }
      if (workflow.latest) latest.add(name)
      this.#known.set(key, workflow)
    }
  }

  /** The workflow with this name and exactly this version, or without one: the core has chosen it. */
  find(name: string, version: string | undefined): Workflow<never, unknown> | undefined {
    return this.#known.get(keyOf(name, version))
  }

  /** What the worker says of them when it opens, in the order in which they were given. */
  declare(): object[] {
    return [...this.#known.values()].map(({ name, version, latest }) => ({
      name,
      ...(version === undefined ? {} : { version }),
      ...(latest ? { latest } : {}),
    }))
  }
}

function keyOf(name: string, version: string | undefined): string {
  return version === undefined ? name : `${name}\0${version}`
}

/** A task at work: the answers so far, as many as jobs were applied. */
class Turn {
  readonly steps: string[] = []
  stall: Stall | undefined

  constructor(
    readonly task: WorkflowTask,
    readonly key: string,
  ) {}
}

/** The tasks of one instance in a batch, which run one after the other: an eviction, and what comes after it. */
class Lane {
  readonly turns: Turn[] = []
  at = 0

  constructor(public instance: Instance | undefined) {}
}

/** @internal Runs workflow tasks on the instances that it keeps. */
export class WorkflowHost {
  readonly #workflows: Workflows
  readonly #wire: Wire
  readonly #logger: LoggerOf
  readonly #instances = new Map<string, Instance>()

  constructor(workflows: Workflows, wire: Wire, logger: LoggerOf) {
    this.#workflows = workflows
    this.#wire = wire
    this.#logger = logger
  }

  /**
   * Runs the tasks of a batch and gives the text of `complete` to `done`. Jobs go in rounds: one of each instance, then one
   * drain of the microtasks, in which every path of all of them runs until it waits again.
   */
  answer(tasks: readonly WorkflowTask[], done: (text: string) => void): void {
    const lanes = new Map<string, Lane>()
    const turns = tasks.map((task): Turn => {
      const key = `${task.id}\0${task.run}`
      const turn = new Turn(task, key)
      const lane = lanes.get(key) ?? new Lane(this.#instances.get(key))
      lanes.set(key, lane)
      lane.turns.push(turn)
      return turn
    })
    let running = [...lanes.values()]
    beginTurns()
    const round = (): void => {
      const began = performance.now()
      running = running.filter((lane) => this.#advance(lane))
      if (running.length === 0) {
        endTurns()
        done(`{"v":1,"turns":[${turns.map(answerOf).join(",")}]}`)
        return
      }
      // A tick that a microtask asks for comes when all microtasks have run.
      queueMicrotask(() =>
        process.nextTick(() => {
          const held = performance.now() - began
          if (held >= LONG_MS) tellOfHolding(held, running)
          for (const lane of running) this.#collect(lane)
          round()
        }),
      )
    }
    round()
  }

  /** Drops all instances. */
  close(): void {
    for (const instance of this.#instances.values()) instance.close()
    this.#instances.clear()
  }

  /** How many instances are kept. */
  get size(): number {
    return this.#instances.size
  }

  /** Applies jobs up to one that has the function run; false when there is none left. */
  #advance(lane: Lane): boolean {
    for (; lane.at < lane.turns.length; lane.at += 1) {
      const turn = lane.turns[lane.at] as Turn
      const { jobs } = turn.task
      while (turn.stall === undefined && turn.steps.length < jobs.length) {
        try {
          if (this.#apply(lane, turn, jobs[turn.steps.length] as Job)) return true
          turn.steps.push("[]")
        } catch (error) {
          this.#stalled(lane, turn, error)
        }
      }
      const { instance } = lane
      if (instance !== undefined && !instance.atWork) {
        if (this.#instances.get(turn.key) === instance) this.#instances.delete(turn.key)
        lane.instance = undefined
      }
    }
    return false
  }

  /** Applies a job; says whether the function runs on it. */
  #apply(lane: Lane, turn: Turn, job: Job): boolean {
    const { instance } = lane
    switch (job.kind) {
      case "done":
      case "failed":
        if (instance === undefined || !instance.atWork) return false
        instance.stepping = true
        if (job.kind === "done") instance.done(job)
        else instance.failed(job)
        return true
      case "turn": {
        const target = (lane.instance ??= new Instance(this.#wire))
        target.now = job["now"] as number
        target.replaying = job["replay"] as boolean
        target.patches = job["patches"] as string[]
        return false
      }
      case "start":
        this.#start(lane, turn, job)
        return true
      case "evict":
        instance?.close()
        this.#instances.delete(turn.key)
        lane.instance = undefined
        return false
      default:
        throw new Stall("invalid_argument", `the job ${JSON.stringify(job.kind)} is unknown to this host`)
    }
  }

  #start(lane: Lane, turn: Turn, job: Job): void {
    let instance = lane.instance
    if (instance === undefined) throw new Stall("invalid_argument", "a start came before its turn")
    if (instance.atWork) {
      // A second start of an instance begins from nothing.
      const { now, replaying, patches } = instance
      instance.close()
      instance = Object.assign(new Instance(this.#wire), { now, replaying, patches })
      lane.instance = instance
    }
    const version = job["version"] as string | undefined
    const workflow = this.#workflows.find(job["name"] as string, version)
    if (workflow === undefined) {
      const which = version === undefined ? "" : ` version ${JSON.stringify(version)}`
      throw new Stall("version_not_available", `this worker has no workflow ${JSON.stringify(job["name"])}${which}`)
    }
    this.#instances.set(turn.key, instance)
    instance.stepping = true
    const context = new WorkflowContext(instance, turn.task, job, this.#logger)
    let input: unknown
    try {
      input = this.#wire.take(job, "input", workflow.input)
    } catch (error) {
      instance.refuse(error)
      return
    }
    instance.begin(() => workflow.run(context, input as never))
  }

  #collect(lane: Lane): void {
    const turn = lane.turns[lane.at] as Turn
    try {
      turn.steps.push((lane.instance as Instance).collect())
    } catch (error) {
      this.#stalled(lane, turn, error)
    }
  }

  #stalled(lane: Lane, turn: Turn, error: unknown): void {
    // A fault of this package must not take the worker's other instances along.
    turn.stall =
      error instanceof Stall
        ? error
        : new Stall("invalid_argument", `the host failed: ${typeOf(error)}: ${String(error)}`, stackOf(error))
    lane.instance?.close()
    lane.instance = undefined
    this.#instances.delete(turn.key)
  }
}

/** Nothing can interrupt code that computes, but whoever runs the program hears which it was. */
function tellOfHolding(ms: number, lanes: readonly Lane[]): void {
  const ids = lanes.slice(0, 3).map((lane) => JSON.stringify(lane.turns[lane.at]?.task.id))
  const which = lanes.length > ids.length ? `${ids.join(", ")} and ${lanes.length - ids.length} others` : ids.join(", ")
  process.emitWarning(
    `a turn of the workflow instance ${which} held the event loop for ${(ms / 1000).toFixed(1)} seconds; everything else in ` +
      "this process waited. Move what computes for long into an activity, and there into a worker thread",
    "EverstepWarning",
  )
}

function answerOf({ task, steps, stall }: Turn): string {
  if (stall === undefined) return `{"t":"${task.t}","steps":[${steps.join(",")}]}`
  const where = stall.where === undefined ? "" : `,"stack":${quoted(stall.where)}`
  return `{"t":"${task.t}","stall":{"code":"${stall.code}","message":${quoted(stall.message)}${where}}}`
}
