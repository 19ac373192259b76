"""The order workflow and its activities. The rules are those of ../story.md."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import everstep

import shop

APPROVAL_LIMIT_CENTS = 100_000

SHIPPED = "shipped"
OUT_OF_STOCK = "out_of_stock"
CARD_DECLINED = "card_declined"
APPROVAL_DECLINED = "approval_declined"
APPROVAL_TIMED_OUT = "approval_timed_out"


@dataclass(frozen=True)
class Order:
    """One line of orders.csv, and how long its approver may take."""

    order_id: str
    customer: str
    sku: str
    quantity: int
    total_cents: int
    card: str
    approval_seconds: float


@dataclass(frozen=True)
class Approval:
    approved: bool


@dataclass(frozen=True)
class Receipt:
    order_id: str
    outcome: str
    charged_cents: int


# --- the workflow ----------------------------------------------------------------------------------------------


@everstep.workflow(name="OrderProcessingWorkflow")
async def process_order(ctx: everstep.WorkflowContext, order: Order) -> Receipt:
    outcome = await fulfil(ctx, order)
    receipt = Receipt(order.order_id, outcome, order.total_cents if outcome == SHIPPED else 0)
    await ctx.call(notify, receipt)
    return receipt


async def fulfil(ctx: everstep.WorkflowContext, order: Order) -> str:
    """Takes an order as far as it goes and says where that was. A workflow may call plain functions like this one."""
    if not await ctx.call(check_stock, order) or not await ctx.call(reserve, order):
        return OUT_OF_STOCK
    if order.total_cents > APPROVAL_LIMIT_CENTS:
        refusal = await ask_approver(ctx, order)
        if refusal is not None:
            await ctx.call(release, order)
            return refusal
    try:
        await ctx.call(charge, order, retry=PAYMENT_RETRY)
    except everstep.ActivityError as error:
        if not error.is_caused_by(CardDeclined):
            raise
        await ctx.call(release, order)
        return CARD_DECLINED
    await ctx.call(ship, order)
    return SHIPPED


async def ask_approver(ctx: everstep.WorkflowContext, order: Order) -> str | None:
    """Waits for the approver's event; a missing answer is a refusal."""
    await ctx.call(request_approval, order)
    try:
        approval = await ctx.wait_for_event(
            "approval", timeout=timedelta(seconds=order.approval_seconds), type=Approval
        )
    except everstep.WaitTimeout:
        return APPROVAL_TIMED_OUT
    return None if approval.approved else APPROVAL_DECLINED


# --- the activities --------------------------------------------------------------------------------------------


class GatewayUnavailable(Exception):
    """The payment gateway did not answer: it may or may not have booked the money. Worth another attempt."""


class CardDeclined(everstep.NonRetryableError):
    """The bank declines the card for good."""


PAYMENT_RETRY = everstep.Retry(max_attempts=5, first_interval=0.05, backoff=2.0, max_interval=1.0)


@everstep.activity
def check_stock(order: Order) -> bool:
    return shop.current().stock(order.sku) >= order.quantity


@everstep.activity
def reserve(task: everstep.ActivityContext, order: Order) -> bool:
    with shop.current().booking() as book:
        if book.is_new(task.task_key, order.order_id, "reserved", sku=order.sku, units=order.quantity):
            return book.take_stock(order.sku, order.quantity)
        return True


@everstep.activity
def release(task: everstep.ActivityContext, order: Order) -> None:
    with shop.current().booking() as book:
        if book.is_new(task.task_key, order.order_id, "released", sku=order.sku, units=order.quantity):
            book.return_stock(order.sku, order.quantity)


@everstep.activity
def request_approval(task: everstep.ActivityContext, order: Order) -> None:
    with shop.current().booking() as book:
        if book.is_new(task.task_key, order.order_id, "approval"):
            book.ask_approver(order.order_id)


@everstep.activity
def charge(task: everstep.ActivityContext, order: Order) -> None:
    """Books the money once, however often it runs: the task's key is the same in every attempt."""
    number = int(order.order_id.rpartition("-")[2])
    fails = (37 * number + 5 * task.attempt) % 100 < 12
    declined = order.card.endswith("00")
    with shop.current().booking() as book:
        book.is_new(f"{task.task_key}/{task.attempt}", order.order_id, "attempt")
        if not declined and (not fails or number % 2 == 1):
            book.is_new(task.task_key, order.order_id, "charged", cents=order.total_cents)
    if fails:
        raise GatewayUnavailable(f"no answer from the gateway for {order.order_id}, attempt {task.attempt}")
    if declined:
        raise CardDeclined(f"{order.order_id}: the bank declines the card")


@everstep.activity
def ship(task: everstep.ActivityContext, order: Order) -> None:
    with shop.current().booking() as book:
        book.is_new(task.task_key, order.order_id, "shipped", sku=order.sku, units=order.quantity)


@everstep.activity
def notify(task: everstep.ActivityContext, receipt: Receipt) -> None:
    with shop.current().booking() as book:
        book.is_new(
            task.task_key, receipt.order_id, "ended", cents=receipt.charged_cents, detail=receipt.outcome
        )


ACTIVITIES: list[Callable[..., object]] = [
    check_stock,
    reserve,
    release,
    request_approval,
    charge,
    ship,
    notify,
]
