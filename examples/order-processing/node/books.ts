// The demo's own view of the shop's database, from outside the worker process.

import { type DatabaseSyncInstance as Database, DatabaseSync } from "@photostructure/sqlite"

export class Books {
  readonly #database: Database

  constructor(path: string) {
    this.#database = new DatabaseSync(path, { timeout: 30_000 })
  }

  rows<T>(query: string): T[] {
    return this.#database.prepare(query).all() as T[]
  }

  /** The one number that a query gives; none is 0. */
  number(query: string): number {
    const [row = {}] = this.rows<Record<string, number | null>>(query)
    return Object.values(row)[0] ?? 0
  }

  ended(): number {
    return this.number("SELECT count(*) FROM ledger WHERE kind = 'ended'")
  }

  underWay(): number {
    return this.number("SELECT count(DISTINCT order_id) FROM ledger") - this.ended()
  }

  /** How many orders nobody has answered for and that have not timed out yet. */
  waiting(): number {
    return this.number(
      "SELECT count(*) FROM approvals AS a WHERE answer IS NULL" +
        " AND NOT EXISTS (SELECT 1 FROM ledger WHERE kind = 'ended' AND order_id = a.order_id)",
    )
  }

  close(): void {
    this.#database.close()
  }
}
