"""The process that does the work: engine, workflows, activities and approver. The demo kills it in mid-run.

It may be started again at any time, with the same command, until it has gone through all orders: what is known already
is only waited for. Prints the outcomes that the workflows returned, as one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import everstep

import shop
from orders import ACTIVITIES, Approval, Order, Receipt, process_order

IN_FLIGHT = 128


def place(client: everstep.Client, order: Order) -> Receipt:
    """Starts an order's workflow unless an earlier process did, and waits for its end."""
    try:
        handle = client.start_workflow(process_order, order, instance_id=order.order_id, reuse="never")
    except everstep.AlreadyExistsError:
        handle = client.get_handle(order.order_id, process_order)
    return handle.result(timeout=120)


def approve(client: everstep.Client, desk: shop.Shop, stop: threading.Event) -> None:
    """The approver: looks at the desk now and then, and raises an event for each request that it answers.

    The event goes first: killed between the two lines it is raised again, and a second event of that name is not waited for. The
    other way round it would be lost.
    """
    while not stop.wait(0.05):
        for order_id, customer in desk.unanswered():
            digit = int(customer[-1])
            if digit == 9:
                continue
            approval = Approval(approved=digit < 7)
            client.raise_workflow_event(instance_id=order_id, event_name="approval", event_data=approval)
            desk.answer(order_id, "approved" if approval.approved else "declined")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", type=Path, required=True, help="the engine's file")
    parser.add_argument("--shop", type=Path, required=True, help="the shop's database")
    parser.add_argument("--orders", type=int, required=True, help="how many orders of the file to process")
    parser.add_argument("--approval-seconds", type=float, required=True, help="how long an approver may take")
    args = parser.parse_args()

    opened = shop.Shop(args.shop)
    shop.use(opened)
    orders = [order_of(row, args.approval_seconds) for row in shop.rows("orders")[: args.orders]]
    stop = threading.Event()
    with (
        everstep.Client(f"sqlite:{args.engine}") as client,
        everstep.Worker(client, [process_order], ACTIVITIES),
        ThreadPoolExecutor(IN_FLIGHT) as pool,
    ):
        approver = threading.Thread(target=approve, args=(client, opened, stop), name="approver")
        approver.start()
        try:
            outcomes = Counter(
                receipt.outcome for receipt in pool.map(lambda order: place(client, order), orders)
            )
        finally:
            stop.set()
            approver.join()
    opened.close()
    json.dump(outcomes, sys.stdout)


def order_of(row: dict[str, str], approval_seconds: float) -> Order:
    return Order(
        row["order_id"],
        row["customer"],
        row["sku"],
        int(row["quantity"]),
        int(row["total_cents"]),
        row["card"],
        approval_seconds,
    )


if __name__ == "__main__":
    main()
