// The shop's own database: stock, approvals and the ledger. Nothing in it knows a workflow engine.
//
// `@photostructure/sqlite` is the `node:sqlite` of newer Nodes, for Node 20 as well.

import { readFileSync } from "node:fs"

import {
  type DatabaseSyncInstance as Database,
  DatabaseSync,
  type StatementSyncInstance as Statement,
} from "@photostructure/sqlite"

/** The folder with what all languages share. */
export const STORY = new URL("../../", import.meta.url)

interface Entry {
  readonly sku?: string
  readonly units?: number
  readonly cents?: number
  readonly detail?: string
}

/** One transaction of the shop. It is committed as a whole, or not at all. */
class Booking {
  /** Whether all that was written is to be undone. */
  isUndone = false
  readonly #entry: Statement
  readonly #take: Statement
  readonly #return: Statement
  readonly #ask: Statement

  constructor(database: Database) {
    this.#entry = database.prepare(
      "INSERT INTO ledger (key, order_id, kind, sku, units, cents, detail, at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)" +
        " ON CONFLICT (key) DO UPDATE SET runs = runs + 1 RETURNING runs",
    )
    this.#take = database.prepare("UPDATE products SET stock = stock - ? WHERE sku = ? AND stock >= ?")
    this.#return = database.prepare("UPDATE products SET stock = stock + ? WHERE sku = ?")
    this.#ask = database.prepare("INSERT INTO approvals (order_id) VALUES (?)")
  }

  /** Writes a row of the ledger and tells whether this task wrote it for the first time. */
  isNew(key: string, orderId: string, kind: string, entry: Entry = {}): boolean {
    const { sku = null, units = 0, cents = 0, detail = "" } = entry
    const row = this.#entry.get(`${key}/${kind}`, orderId, kind, sku, units, cents, detail, Date.now())
    return (row as { runs: number }).runs === 1
  }

  /** Takes units from the stock; where they are gone meanwhile, the whole booking is undone. */
  takeStock(sku: string, units: number): boolean {
    const taken = this.#take.run(units, sku, units).changes === 1
    this.isUndone = !taken
    return taken
  }

  returnStock(sku: string, units: number): void {
    this.#return.run(units, sku)
  }

  askApprover(orderId: string): void {
    this.#ask.run(orderId)
  }
}

/** The database, on the one connection of the worker process. */
export class Shop {
  readonly #database: Database
  readonly #book: Booking
  readonly #stock: Statement
  readonly #unanswered: Statement
  readonly #answer: Statement

  constructor(path: string) {
    this.#database = new DatabaseSync(path, { timeout: 30_000 })
    // The log survives the death of a process at any point, which is what the demo brings about; a shop that must
    // also survive a power cut would pay for synchronous=FULL.
    this.#database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;")
    this.#book = new Booking(this.#database)
    this.#stock = this.#database.prepare("SELECT stock FROM products WHERE sku = ?")
    this.#unanswered = this.#database.prepare(
      "SELECT order_id, customer FROM approvals JOIN orders USING (order_id) WHERE answer IS NULL",
    )
    this.#answer = this.#database.prepare("UPDATE approvals SET answer = ? WHERE order_id = ?")
  }

  /** Runs a function in a transaction. Nothing else gets in between, since it does not wait for anything. */
  booking<T>(work: (book: Booking) => T): T {
    this.#database.exec("BEGIN IMMEDIATE")
    this.#book.isUndone = false
    try {
      const result = work(this.#book)
      this.#database.exec(this.#book.isUndone ? "ROLLBACK" : "COMMIT")
      return result
    } catch (error) {
      this.#database.exec("ROLLBACK")
      throw error
    }
  }

  stock(sku: string): number {
    return (this.#stock.get(sku) as { stock: number }).stock
  }

  /** The approval requests on the approver's desk: order and customer. */
  unanswered(): { order_id: string; customer: string }[] {
    return this.#unanswered.all() as { order_id: string; customer: string }[]
  }

  answer(orderId: string, answer: "approved" | "declined"): void {
    this.#answer.run(answer, orderId)
  }

  close(): void {
    this.#database.close()
  }
}

let current: Shop | undefined

/** Makes this the shop that the activities of this process work on. */
export function use(opened: Shop): void {
  current = opened
}

/** The shop of this process. */
export function shop(): Shop {
  if (current === undefined) throw new Error("no shop is open in this process; call use(new Shop(path)) first")
  return current
}

/** Makes a new shop with the full warehouse and the first so many orders. */
export function create(path: string, orders: number): void {
  const database = new DatabaseSync(path)
  database.exec(readFileSync(new URL("schema.sql", STORY), "utf8"))
  database.exec("BEGIN")
  const product = database.prepare("INSERT INTO products VALUES (?, ?, ?, ?, ?)")
  for (const { sku, name, unit_cents, stock } of rows("products")) product.run(sku, name, unit_cents, stock, stock)
  const order = database.prepare("INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?)")
  for (const row of rows("orders").slice(0, orders)) {
    order.run(row.order_id, row.customer, row.sku, row.quantity, row.total_cents, row.card)
  }
  database.exec("COMMIT")
  database.close()
}

const COLUMNS = {
  orders: ["order_id", "customer", "sku", "quantity", "total_cents", "card"],
  products: ["sku", "name", "unit_cents", "stock"],
  expected: ["order_id", "outcome", "charged_cents", "payment_attempts"],
} as const

/** The lines of one of the story's files, by the names in its first line. Values with a comma are in quotes. */
export function rows<N extends keyof typeof COLUMNS>(name: N): Record<(typeof COLUMNS)[N][number], string>[] {
  const [head = "", ...lines] = readFileSync(new URL(`data/${name}.csv`, STORY), "utf8")
    .trimEnd()
    .split(/\r?\n/)
  const names = head.split(",")
  return lines.map((line) => {
    const values = Array.from(line.matchAll(/(?:^|,)(?:"([^"]*)"|([^,]*))/g), ([, quoted, plain]) => quoted ?? plain)
    const row = Object.fromEntries(names.map((column, place) => [column, values[place] ?? ""]))
    return row as Record<(typeof COLUMNS)[N][number], string>
  })
}
