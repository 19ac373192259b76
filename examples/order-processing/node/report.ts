// What came out of a run: the table, the figures and the proof.

import { readFileSync } from "node:fs"
import { isDeepStrictEqual } from "node:util"

import type { Books } from "./books.js"
import type { Run } from "./process.js"
import { grouped, type Screen } from "./screen.js"
import { rows, STORY } from "./shop.js"

type Counts = Record<string, number>

export function summarize(screen: Screen, books: Books, returned: Counts): void {
  screen.title("4  what came out")
  const found = books.rows<{ outcome: string; orders: number; cents: number }>(
    "SELECT detail AS outcome, count(*) AS orders, sum(cents) AS cents FROM ledger WHERE kind = 'ended'" +
      " GROUP BY detail ORDER BY 2 DESC",
  )
  const lines = found.map(({ outcome, orders, cents }) => [
    outcome.replaceAll("_", " "),
    grouped(orders),
    grouped(returned[outcome] ?? 0),
    euros(cents),
  ])
  const orders = sum(found.map((row) => row.orders))
  const cents = sum(found.map((row) => row.cents))
  const total = ["all orders", grouped(orders), grouped(sum(Object.values(returned))), euros(cents)]
  screen.table(["outcome", "in the ledger", "workflows say", "charged, EUR"], lines, total)
}

export function measure(screen: Screen, books: Books, first: Run, second: Run, tookMs: number): void {
  screen.title("5  figures")
  const ended = books
    .rows<{ at: number }>(
      "SELECT at_ms AS at FROM ledger WHERE kind = 'ended' AND detail <> 'approval_timed_out' ORDER BY at_ms",
    )
    .map(({ at }) => at)
  const say = (name: string, text: string): void => screen.say(`  ${name.padEnd(16)} ${text}`)
  const speed = (name: string, times: number[], run: Run): void => {
    const [from, to] = [times[0], times.at(-1)]
    if (from === undefined || to === undefined || times.length < 2) return
    const rate = grouped((1000 * times.length) / Math.max(to - from, 1))
    const since = grouped(from - run.startedMs)
    say(
      name,
      `${grouped(times.length)} orders at ${rate} per second, the first one ${since} ms after the process was started`,
    )
  }
  speed(
    "before the kill",
    ended.filter((at) => at < second.startedMs),
    first,
  )
  speed(
    "after it",
    ended.filter((at) => at >= second.startedMs),
    second,
  )
  const durations = books
    .rows<{ ms: number }>(
      "SELECT max(at_ms) - min(at_ms) AS ms FROM ledger AS l GROUP BY order_id HAVING count(*) > 1" +
        " AND NOT EXISTS (SELECT 1 FROM approvals AS a WHERE a.order_id = l.order_id) ORDER BY ms",
    )
    .map(({ ms }) => ms)
  const [half, most] = [0.5, 0.99].map((share) => grouped(durations[Math.floor(durations.length * share)] ?? 0))
  say("one order", `${half} ms from reservation to notification (median), ${most} ms (p99)`)
  const failed = books.number(
    "SELECT sum(n - 1) FROM (SELECT count(*) AS n FROM ledger WHERE kind = 'attempt' GROUP BY order_id)",
  )
  const again = books.number("SELECT sum(runs - 1) FROM ledger WHERE kind <> 'charged'")
  say("payments", `${grouped(failed)} attempts failed and were tried again`)
  say("activities", `${grouped(again)} ran a second time after the kill; the ledger's key made them harmless`)
  say("in all", `${(tookMs / 1000).toFixed(1)} s`)
}

/** Proves the run from the ledger, then compares it with what the story expects. */
export function verify(screen: Screen, books: Books, returned: Counts, orders: number): boolean {
  screen.title("6  the proof: verify.sql on the shop's database")
  let right = true
  const check = (isRight: boolean, text: string, note = ""): void => {
    screen.check(isRight, text, note)
    right &&= isRight
  }
  const claims = readFileSync(new URL("verify.sql", STORY), "utf8")
  for (const { claim, checked, wrong } of books.rows<{ claim: string; checked: number; wrong: number }>(claims)) {
    check(wrong === 0, claim, wrong === 0 ? `${grouped(checked)} checked` : `${wrong} of ${grouped(checked)} wrong`)
  }

  const expected = rows("expected").slice(0, orders)
  const found = books.rows<Record<string, string | number>>(
    "SELECT order_id, max(detail) FILTER (WHERE kind = 'ended') AS outcome," +
      " coalesce(sum(cents) FILTER (WHERE kind = 'charged'), 0) AS charged_cents," +
      " count(*) FILTER (WHERE kind = 'attempt') AS payment_attempts" +
      " FROM orders LEFT JOIN ledger USING (order_id) GROUP BY order_id ORDER BY order_id",
  )
  const different = expected.filter((row, place) =>
    Object.entries(row).some(([column, value]) => String(found[place]?.[column]) !== value),
  )
  const isSame = different.length === 0 && found.length === expected.length
  const few = different.slice(0, 5).map((row) => row.order_id)
  check(
    isSame,
    "every order came out as expected.csv says",
    isSame ? `${grouped(orders)} checked` : `not so: ${few.join(", ")}`,
  )

  const outcomes: Counts = {}
  for (const { outcome } of expected) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
  check(isDeepStrictEqual(returned, outcomes), "the workflows returned the same outcomes")
  if (orders === rows("expected").length) {
    const sums: unknown = JSON.parse(readFileSync(new URL("data/expected.json", STORY), "utf8"))
    check(isDeepStrictEqual(sumsOf(books), sums), "the sums are those of expected.json")
  }
  return right
}

function sumsOf(books: Books): object {
  const counts = (query: string): Counts =>
    Object.fromEntries(books.rows<{ name: string; n: number }>(query).map(({ name, n }) => [name, n]))
  return {
    orders: books.ended(),
    outcomes: counts("SELECT detail AS name, count(*) AS n FROM ledger WHERE kind = 'ended' GROUP BY detail"),
    charged_cents: books.number("SELECT sum(cents) FROM ledger WHERE kind = 'charged'"),
    units_shipped: books.number("SELECT sum(units) FROM ledger WHERE kind = 'shipped'"),
    payment_attempts: books.number("SELECT count(*) FROM ledger WHERE kind = 'attempt'"),
    stock_left: counts("SELECT sku AS name, stock AS n FROM products"),
  }
}

function euros(cents: number): string {
  return `${grouped(Math.floor(cents / 100))}.${String(cents % 100).padStart(2, "0")}`
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
