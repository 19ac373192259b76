// The demo in small, and that its proof can fail.

import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, test } from "node:test"
import { fileURLToPath } from "node:url"

import { DatabaseSync } from "@photostructure/sqlite"

import { Books } from "./books.js"
import { verify } from "./report.js"
import { Screen } from "./screen.js"
import { create } from "./shop.js"

const folder = mkdtempSync(join(tmpdir(), "everstep-orders-"))
after(() => rmSync(folder, { recursive: true }))

test("orders survive a kill, and the proof finds what is wrong", { timeout: 180_000 }, () => {
  const demo = fileURLToPath(new URL("demo.js", import.meta.url))
  const run = join(folder, "run")
  // On a busy machine the worker is away for longer.
  const options = ["--orders", "200", "--approval-seconds", "15", "--folder", run]
  const done = spawnSync(process.execPath, [demo, ...options], {
    encoding: "utf8",
    timeout: 170_000,
  })
  assert.equal(done.status, 0, done.stdout + done.stderr)
  assert.match(done.stdout, /got SIGKILL/)
  assert.match(done.stdout, /Nothing was lost/)
  assert.ok(!done.stdout.includes("\x1b"))

  const path = join(run, "shop.db")
  const [, said = ""] = /4 {2}what came out\n(.*?)\n\n/s.exec(done.stdout) ?? []
  const returned = Object.fromEntries(
    Array.from(said.matchAll(/^ {2}(\w[\w ]*?) +(\d+) +\d+ +[\d,.]+$/gm), ([, outcome = "", count]) => [
      outcome.replaceAll(" ", "_"),
      Number(count),
    ]).filter(([outcome]) => outcome !== "all_orders"),
  )
  assert.equal(proves(path, returned), true)
  assert.equal(proves(path, { ...returned, shipped: 0 }), false)
  const shop = new DatabaseSync(path)
  shop.exec("INSERT INTO ledger (key, order_id, kind, at_ms) VALUES ('again/ended', 'order-00001', 'ended', 0)")
  shop.close()
  assert.equal(proves(path, returned), false)
})

test("a shop where nothing has happened is no proof", () => {
  const path = join(folder, "empty.db")
  create(path, 50)
  assert.equal(proves(path, {}), false)
})

function proves(path: string, returned: Record<string, number>): boolean {
  const books = new Books(path)
  try {
    return verify(new Screen(), books, returned, 200)
  } finally {
    books.close()
  }
}
