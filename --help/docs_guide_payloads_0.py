





from dataclasses import dataclass, field
from datetime import datetime, timezone
from decimal import Decimal
from enum import Enum
from typing import TypedDict
from uuid import UUID

import everstep


class Size(Enum):
    SMALL = "s"
    LARGE = "l"


class Address(TypedDict):
    city: str


@dataclass
class Line:
    item: str
    price: Decimal
    size: Size = Size.SMALL


@dataclass
class Order:
    id: UUID
    placed: datetime
    to: Address
    lines: list[Line] = field(default_factory=list)


@everstep.activity
def total(order: Order) -> Decimal:
    return sum((line.price for line in order.lines), Decimal())


@everstep.workflow
async def bill(ctx: everstep.WorkflowContext, order: Order) -> Decimal:
    return await ctx.call(total, order)


order = Order(
    UUID("6f1d3b1e-0c39-4c5f-8a51-3f6a1a3d2b11"),
    datetime(2026, 3, 1, tzinfo=timezone.utc),
    {"city": "Lisbon"},
    [Line("lamp", Decimal("49.90")), Line("desk", Decimal("549.00"), Size.LARGE)],
)
with everstep.Client("memory:") as client, everstep.Worker(client, [bill], [total]):
    handle = client.start_workflow(bill, order)
    print(repr(handle.result(timeout=30)))
    state = handle.get()
    print(state.raw_output, state.output, repr(state.output_as(Decimal)))
    print(state.input_as(Order) == order)

























@everstep.workflow
async def any_number(ctx: everstep.WorkflowContext) -> int:
    return await ctx.wait_for_event("number", int)


with everstep.Client("memory:") as client, everstep.Worker(client, [any_number]):
    handle = client.start_workflow(any_number)
    handle.raise_event("number", "twelve")
    try:
        handle.result(timeout=30)
    except everstep.WorkflowFailedError as error:
        print(error.error_type)
