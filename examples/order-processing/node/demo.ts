// A few thousand orders through a durable workflow, with a kill -9 in the middle, and the proof that nothing was lost.
//
// Starts ./worker.ts, kills it when 40 % of the orders have ended, starts it again, and checks what came out: the claims of
// ../verify.sql on the shop's database, and every order against ../data/expected.csv. Exits with 1 if anything differs.
//
// The workflows run in a file of the demo's own, or on the Dapr sidecar that DAPR_GRPC_PORT or DAPR_GRPC_ENDPOINT names.

import { mkdirSync, rmSync } from "node:fs"
import { join, relative } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"

import { Books } from "./books.js"
import { Place, Run } from "./process.js"
import { measure, summarize, verify } from "./report.js"
import { CYAN, DIM, GREEN, grouped, RED, Screen, YELLOW } from "./screen.js"
import { create, rows, STORY } from "./shop.js"

const KILL_AT = 0.4
const POLL_MS = 20
// Longer than the worker can be away and busy together, so that an approver who answers is never too late.
const APPROVAL_SECONDS = 8

interface Options {
  readonly orders: number
  readonly approvalSeconds: number
  readonly folder: string
}

/** Shows the progress until so many orders have ended, or the worker has. */
async function watch(screen: Screen, books: Books, run: Run, orders: number, until: number): Promise<void> {
  const before = books.ended()
  const since = performance.now()
  while (run.isAlive) {
    const ended = books.ended()
    const rate = (1000 * (ended - before)) / Math.max(performance.now() - since, 1)
    const waiting = books.waiting()
    const isBusy = ended < orders - waiting
    screen.progress(
      ended,
      orders,
      isBusy ? `${grouped(rate)}/s` : `${waiting} still wait for an approver who is on holiday`,
    )
    if (ended >= until) break
    await pause(POLL_MS)
  }
  screen.progress(books.ended(), orders, "")
  screen.settle()
}

/** Runs the worker process twice: the first one is killed in the middle. */
async function processThroughKill(screen: Screen, books: Books, options: Options, runs: Run[]): Promise<[Run, Run]> {
  const { orders, approvalSeconds, folder } = options
  const place = new Place(folder)
  screen.title(`1  ${grouped(orders)} orders come in`)
  const first = new Run(folder, place, orders, approvalSeconds)
  runs.push(first)
  screen.say(`  worker process ${first.pid}: ${place.name}`, DIM)
  await watch(screen, books, first, orders, Math.floor(orders * KILL_AT))
  if (!first.isAlive) {
    await first.outcomes()
    throw new Error("the worker had finished before it could be killed; give it more --orders")
  }
  await first.kill()
  const both = place.killSidecar()

  screen.title("2  kill -9")
  screen.say(
    `  worker process ${first.pid}${both ? " and its sidecar" : ""} got SIGKILL: ${grouped(books.ended())} orders had ended,` +
      ` ${grouped(books.underWay())} were somewhere in the middle`,
    YELLOW,
  )

  screen.title("3  the same command again")
  const second = new Run(folder, place, orders, approvalSeconds)
  runs.push(second)
  screen.say(`  worker process ${second.pid} ${place.again} and goes on where the first one was`, DIM)
  await watch(screen, books, second, orders, orders + 1)
  return [first, second]
}

function optionsOf(argv: string[]): Options {
  const available = rows("orders").length
  const { values } = parseArgs({
    args: argv,
    options: {
      orders: { type: "string", default: String(available) },
      "approval-seconds": { type: "string", default: String(APPROVAL_SECONDS) },
      folder: { type: "string", default: fileURLToPath(new URL(".run", STORY)) },
    },
  })
  const orders = Number(values.orders)
  if (!(Number.isInteger(orders) && orders >= 50 && orders <= available)) {
    throw new Error(`--orders must be from 50 to ${available}`)
  }
  return { orders, approvalSeconds: Number(values["approval-seconds"]), folder: values.folder }
}

async function main(): Promise<number> {
  const options = optionsOf(process.argv.slice(2))
  const { orders, folder } = options
  const started = performance.now()
  const screen = new Screen()
  screen.say("everstep: order processing", CYAN)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const path = join(folder, "shop.db")
  create(path, orders)
  const books = new Books(path)

  const runs: Run[] = []
  let right: boolean
  try {
    const [first, second] = await processThroughKill(screen, books, options, runs)
    const returned = await second.outcomes()
    summarize(screen, books, returned)
    measure(screen, books, first, second, performance.now() - started)
    right = verify(screen, books, returned, orders)
  } finally {
    await Promise.all(runs.map((run) => run.kill()))
    books.close()
  }

  screen.say()
  const here = (file: string): string => relative(process.cwd(), file)
  const proof = fileURLToPath(new URL("verify.sql", STORY))
  screen.say(`  see for yourself: sqlite3 -box ${here(path)} < ${here(proof)}`, DIM)
  screen.say(right ? "  Nothing was lost, nothing happened twice." : "  The books are wrong.", right ? GREEN : RED)
  return right ? 0 : 1
}

process.exitCode = await main()
