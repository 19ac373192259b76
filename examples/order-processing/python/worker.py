"""The process that does the work: workflows, activities and approver. The demo kills it in mid-run.

Where the workflows run is not said here: the environment decides between a file of this process's own (``EVERSTEP_ENDPOINT``)
and a Dapr sidecar (``DAPR_GRPC_PORT``). It may be started again at any time, with the same command, until it has gone
through all orders: what is known already is only waited for. Prints the outcomes that the workflows returned, as one
line of JSON.
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


def place(client: everstep.Client, prefix: str, order: Order) -> Receipt:
    """Starts an order's workflow unless an earlier process did, and waits for its end.

    Nobody else places these orders, so looking first is enough. Where several processes do, ``reuse="never"`` makes the
    engine decide; Dapr has it from 1.19 on.
    """
    instance_id = prefix + order.order_id
    try:
        client.get_workflow(instance_id=instance_id)
    except everstep.NotFoundError:
        handle = client.start_workflow(process_order, order, instance_id=instance_id)
    else:
        handle = client.get_handle(instance_id, process_order)
    return handle.result(timeout=120)


def approve(client: everstep.Client, prefix: str, desk: shop.Shop, stop: threading.Event) -> None:
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
            client.raise_workflow_event(
                instance_id=prefix + order_id, event_name="approval", event_data=approval
            )
            desk.answer(order_id, "approved" if approval.approved else "declined")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shop", type=Path, required=True, help="the shop's database")
    parser.add_argument("--orders", type=int, required=True, help="how many orders of the file to process")
    parser.add_argument("--approval-seconds", type=float, required=True, help="how long an approver may take")
    parser.add_argument("--prefix", default="", help="what instance IDs begin with, before the order's")
    args = parser.parse_args()

    opened = shop.Shop(args.shop)
    shop.use(opened)
    orders = [order_of(row, args.approval_seconds) for row in shop.rows("orders")[: args.orders]]
    stop = threading.Event()
    with (
        everstep.Client() as client,
        everstep.Worker(client, [process_order], ACTIVITIES),
        ThreadPoolExecutor(IN_FLIGHT) as pool,
    ):
        approver = threading.Thread(target=approve, args=(client, args.prefix, opened, stop), name="approver")
        approver.start()
        try:
            outcomes = Counter(
                receipt.outcome
                for receipt in pool.map(lambda order: place(client, args.prefix, order), orders)
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
