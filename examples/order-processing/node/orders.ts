// The order workflow and its activities. The rules are those of ../story.md.

import {
  ActivityError,
  activity,
  NonRetryableError,
  type Retry,
  WaitTimeout,
  type WorkflowContext,
  workflow,
} from "everstep"

import { shop } from "./shop.js"

const APPROVAL_LIMIT_CENTS = 100_000

export type Outcome = "shipped" | "out_of_stock" | "card_declined" | "approval_declined" | "approval_timed_out"

/** One line of orders.csv, by the names of its columns, and how long its approver may take. */
export interface Order {
  readonly order_id: string
  readonly customer: string
  readonly sku: string
  readonly quantity: number
  readonly total_cents: number
  readonly card: string
  readonly approval_seconds: number
}

export interface Approval {
  readonly approved: boolean
}

export interface Receipt {
  readonly order_id: string
  readonly outcome: Outcome
  readonly charged_cents: number
}

// --- the activities ----------------------------------------------------------------------------------------------

/** The payment gateway did not answer: it may or may not have booked the money. Worth another attempt. */
class GatewayUnavailable extends Error {}

/** The bank declines the card for good. */
class CardDeclined extends NonRetryableError {}

const PAYMENT_RETRY: Retry = { maxAttempts: 5, firstInterval: 50, backoff: 2, maxInterval: 1000 }

const checkStock = activity("check_stock", (order: Order) => shop().stock(order.sku) >= order.quantity)

const reserve = activity("reserve", (order: Order, task) =>
  shop().booking((book) => {
    const { sku, quantity: units } = order
    return !book.isNew(task.taskKey, order.order_id, "reserved", { sku, units }) || book.takeStock(sku, units)
  }),
)

const release = activity("release", (order: Order, task) =>
  shop().booking((book) => {
    const { sku, quantity: units } = order
    if (book.isNew(task.taskKey, order.order_id, "released", { sku, units })) book.returnStock(sku, units)
  }),
)

const requestApproval = activity("request_approval", (order: Order, task) =>
  shop().booking((book) => {
    if (book.isNew(task.taskKey, order.order_id, "approval")) book.askApprover(order.order_id)
  }),
)

/** Books the money once, however often it runs: the task's key is the same in every attempt. */
const charge = activity("charge", (order: Order, task) => {
  const number = Number(order.order_id.split("-").at(-1))
  const fails = (37 * number + 5 * task.attempt) % 100 < 12
  const declined = order.card.endsWith("00")
  shop().booking((book) => {
    book.isNew(`${task.taskKey}/${task.attempt}`, order.order_id, "attempt")
    if (!declined && (!fails || number % 2 === 1)) {
      book.isNew(task.taskKey, order.order_id, "charged", { cents: order.total_cents })
    }
  })
  if (fails) throw new GatewayUnavailable(`no answer from the gateway for ${order.order_id}, attempt ${task.attempt}`)
  if (declined) throw new CardDeclined(`${order.order_id}: the bank declines the card`)
})

const ship = activity("ship", (order: Order, task) =>
  shop().booking((book) => {
    book.isNew(task.taskKey, order.order_id, "shipped", { sku: order.sku, units: order.quantity })
  }),
)

const notify = activity("notify", ({ order_id, outcome, charged_cents }: Receipt, task) =>
  shop().booking((book) => {
    book.isNew(task.taskKey, order_id, "ended", { cents: charged_cents, detail: outcome })
  }),
)

export const ACTIVITIES = [checkStock, reserve, release, requestApproval, charge, ship, notify]

// --- the workflow ------------------------------------------------------------------------------------------------

export const processOrder = workflow("OrderProcessingWorkflow", async (ctx, order: Order): Promise<Receipt> => {
  const outcome = await fulfil(ctx, order)
  const charged_cents = outcome === "shipped" ? order.total_cents : 0
  const receipt = { order_id: order.order_id, outcome, charged_cents }
  await ctx.call(notify, receipt)
  return receipt
})

/** Takes an order as far as it goes and says where that was. A workflow may call plain functions like this one. */
async function fulfil(ctx: WorkflowContext, order: Order): Promise<Outcome> {
  if (!(await ctx.call(checkStock, order)) || !(await ctx.call(reserve, order))) return "out_of_stock"
  if (order.total_cents > APPROVAL_LIMIT_CENTS) {
    const refusal = await askApprover(ctx, order)
    if (refusal !== undefined) {
      await ctx.call(release, order)
      return refusal
    }
  }
  try {
    await ctx.call(charge, order, { retry: PAYMENT_RETRY })
  } catch (error) {
    if (!(error instanceof ActivityError && error.isCausedBy(CardDeclined.name))) throw error
    await ctx.call(release, order)
    return "card_declined"
  }
  await ctx.call(ship, order)
  return "shipped"
}

/** Waits for the approver's event; a missing answer is a refusal. */
async function askApprover(ctx: WorkflowContext, order: Order): Promise<Outcome | undefined> {
  await ctx.call(requestApproval, order)
  try {
    const approval = await ctx.waitForEvent<Approval>("approval", { timeout: 1000 * order.approval_seconds })
    return approval.approved ? undefined : "approval_declined"
  } catch (error) {
    if (error instanceof WaitTimeout) return "approval_timed_out"
    throw error
  }
}
