"""Dapr's seven management calls, over plain HTTP, on orders that this very program's workers process.

The worker speaks to the engine as worker.py does; the calls go over HTTP to DAPR_HTTP_PORT, where it is set, as curl would
make them. Without a sidecar both are a file in a temporary folder. Prints what each call says.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import everstep

import shop
from orders import ACTIVITIES, Approval, process_order
from worker import order_of

WAIT_SECONDS = 60
COMPONENT = "dapr"
DEAR = ("order-00007", "order-00017")


def waiting_for_approval(desk: shop.Shop, order_id: str) -> None:
    until = time.monotonic() + WAIT_SECONDS
    while order_id not in [found for found, _ in desk.unanswered()]:
        if time.monotonic() > until:
            raise SystemExit(f"{order_id} did not come before the approver in {WAIT_SECONDS} s")
        time.sleep(0.01)


def status(client: everstep.Client, instance_id: str, expected: str) -> None:
    """Says an instance's status, which a call that was just acknowledged may be about to change."""
    until = time.monotonic() + WAIT_SECONDS
    while True:
        state = client.get_workflow(instance_id=instance_id, workflow_component=COMPONENT)
        if state.runtime_status == expected:
            print(f"get        {state.runtime_status}")
            return
        if time.monotonic() > until:
            raise SystemExit(
                f"{instance_id} is {state.runtime_status}, not {expected}, after {WAIT_SECONDS} s"
            )
        time.sleep(0.01)


def manage(client: everstep.Client, desk: shop.Shop, prefix: str) -> None:
    """The seven calls, on one order that is approved and one that is given up; both are too dear to go through unasked."""
    rows = {row["order_id"]: row for row in shop.rows("orders")}
    approved, given_up = (order_of(rows[order_id], approval_seconds=3600) for order_id in DEAR)
    one, other = prefix + approved.order_id, prefix + given_up.order_id
    name = "OrderProcessingWorkflow"

    client.start_workflow(instance_id=one, workflow_component=COMPONENT, workflow_name=name, input=approved)
    print("start      accepted")
    waiting_for_approval(desk, approved.order_id)
    status(client, one, "RUNNING")
    client.pause_workflow(instance_id=one, workflow_component=COMPONENT)
    print("pause      accepted")
    status(client, one, "SUSPENDED")
    client.resume_workflow(instance_id=one, workflow_component=COMPONENT)
    print("resume     accepted")
    status(client, one, "RUNNING")
    client.raise_workflow_event(
        instance_id=one,
        workflow_component=COMPONENT,
        event_name="approval",
        event_data=Approval(approved=True),
    )
    print("raiseEvent accepted")
    status(client, one, "COMPLETED")

    client.start_workflow(instance_id=other, workflow_component=COMPONENT, workflow_name=name, input=given_up)
    print("start      accepted")
    waiting_for_approval(desk, given_up.order_id)
    client.terminate_workflow(instance_id=other, workflow_component=COMPONENT)
    print("terminate  accepted")
    status(client, other, "TERMINATED")

    for instance_id in (one, other):
        client.purge_workflow(instance_id=instance_id, workflow_component=COMPONENT)
        print("purge      accepted")
        try:
            client.get_workflow(instance_id=instance_id, workflow_component=COMPONENT)
        except everstep.NotFoundError:
            print("get        not found")


def main() -> None:
    port = os.environ.get("DAPR_HTTP_PORT")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shop.create(folder / "shop.db", orders=100)
        if port is None:
            os.environ["EVERSTEP_ENDPOINT"] = f"sqlite:{folder / 'engine.db'}"
        opened = shop.Shop(folder / "shop.db")
        shop.use(opened)
        with (
            everstep.Client() as engine,
            everstep.Worker(engine, [process_order], ACTIVITIES),
            everstep.Client(None if port is None else f"http://127.0.0.1:{port}") as client,
        ):
            print(f"management over {client.endpoint.partition(':')[0]}", file=sys.stderr)
            manage(client, opened, f"managed-{time.time_ns() // 1_000_000}-")
        opened.close()


if __name__ == "__main__":
    main()
