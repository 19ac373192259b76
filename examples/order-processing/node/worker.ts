// The process that does the work: workflows, activities and approver. The demo kills it in mid-run.
//
// Where the workflows run is not said here: the environment decides between a file of this process's own
// (`EVERSTEP_ENDPOINT`) and a Dapr sidecar (`DAPR_GRPC_PORT`). It may be started again at any time, with the same command,
// until it has gone through all orders: what is known already is only waited for. Prints the outcomes that the workflows
// returned, as one line of JSON.

import { setTimeout as pause } from "node:timers/promises"
import { parseArgs } from "node:util"

import { Client, NotFoundError, Worker, type WorkflowHandle } from "everstep"

import { ACTIVITIES, type Approval, type Order, processOrder, type Receipt } from "./orders.js"
import { rows, Shop, use } from "./shop.js"

const IN_FLIGHT = 128

/**
 * Starts an order's workflow unless an earlier process did, and waits for its end.
 *
 * Nobody else places these orders, so looking first is enough. Where several processes do, `reuse: "never"` makes the
 * engine decide; Dapr has it from 1.19 on.
 */
async function place(client: Client, prefix: string, order: Order): Promise<Receipt> {
  const instanceId = prefix + order.order_id
  let handle: WorkflowHandle<Receipt>
  try {
    await client.getWorkflow(instanceId, { payloads: false })
    handle = client.getHandle<Receipt>(instanceId)
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error
    handle = await client.startWorkflow(processOrder, order, { instanceId })
  }
  return handle.result({ timeout: 120_000 })
}

/** Places all orders, so many at a time, and counts their outcomes. */
async function placeAll(client: Client, prefix: string, orders: readonly Order[]): Promise<Record<string, number>> {
  const outcomes: Record<string, number> = {}
  const left = orders.values()
  const lane = async (): Promise<void> => {
    for (const order of left) {
      const { outcome } = await place(client, prefix, order)
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane))
  return outcomes
}

/**
 * The approver: looks at the desk now and then, and raises an event for each request that it answers.
 *
 * The event goes first: killed between the two lines it is raised again, and a second event of that name is not waited for.
 * The other way round it would be lost.
 */
async function approve(client: Client, prefix: string, desk: Shop, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    for (const { order_id, customer } of desk.unanswered()) {
      const digit = Number(customer.at(-1))
      if (digit === 9) continue
      const approval: Approval = { approved: digit < 7 }
      await client.raiseWorkflowEvent(prefix + order_id, "approval", approval)
      desk.answer(order_id, approval.approved ? "approved" : "declined")
    }
    await pause(50)
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      shop: { type: "string" },
      orders: { type: "string" },
      "approval-seconds": { type: "string" },
      prefix: { type: "string", default: "" },
    },
  })
  const { shop: path, orders: count, "approval-seconds": seconds, prefix = "" } = values
  if (path === undefined || count === undefined || seconds === undefined) {
    throw new Error("usage: worker.js --shop FILE --orders N --approval-seconds S [--prefix P]")
  }
  const desk = new Shop(path)
  use(desk)
  const orders = rows("orders")
    .slice(0, Number(count))
    .map((row) => orderOf(row, Number(seconds)))
  const stop = new AbortController()
  await using client = new Client()
  await using _worker = await Worker.start(client, { workflows: [processOrder], activities: ACTIVITIES })
  const approver = approve(client, prefix, desk, stop.signal)
  try {
    console.log(JSON.stringify(await placeAll(client, prefix, orders)))
  } finally {
    stop.abort()
    await approver
  }
}

function orderOf(row: ReturnType<typeof rows<"orders">>[number], approval_seconds: number): Order {
  const { order_id, customer, sku, quantity, total_cents, card } = row
  return {
    order_id,
    customer,
    sku,
    quantity: Number(quantity),
    total_cents: Number(total_cents),
    card,
    approval_seconds,
  }
}

await main()
