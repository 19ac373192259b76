"""What is sent: models of pydantic, dataclasses, named tuples, plain objects, and what falls under no type."""

import json
from dataclasses import dataclass
from typing import NamedTuple

import everstep.dapr as wf  # official: import dapr.ext.workflow as wf
from pydantic import BaseModel

runtime = wf.WorkflowRuntime()


class Item(BaseModel):
    name: str
    price: float


class Order(BaseModel):
    number: int
    items: list[Item]
    note: str | None = None


@dataclass
class Address:
    street: str
    town: str


class Point(NamedTuple):
    x: int
    y: int


@runtime.workflow
def checkout(ctx: wf.DaprWorkflowContext, order: Order):
    total = yield ctx.call_activity(add_up, input=order)
    label = yield ctx.call_activity(make_label, input=Address("5 Mill Lane", "Ely"))
    # What comes back is not a dataclass but has its attributes.
    back = yield ctx.call_activity(mirror, input=label)
    point = yield ctx.call_activity(mirror, input=Point(1, 2))
    nothing = yield ctx.call_activity(mirror, input=None)
    return {
        "order": type(order).__name__,
        "total": total,
        "label": f"{label.street}, {label.town}",
        "kinds": [type(back).__name__, type(point).__name__, type(nothing).__name__],
        "point": point.x + point.y,
    }


@runtime.activity
def add_up(ctx: wf.WorkflowActivityContext, order: Order) -> float:
    assert isinstance(order.items[0], Item)
    return sum(item.price for item in order.items)


@runtime.activity
def make_label(ctx: wf.WorkflowActivityContext, address: Address) -> Address:
    return Address(address.street.upper(), address.town)


@runtime.activity
def mirror(ctx: wf.WorkflowActivityContext, value):
    return value


@runtime.workflow
def echo(ctx: wf.DaprWorkflowContext, value):
    event = yield ctx.wait_for_external_event("more")
    return {"value": value, "event": event}


@runtime.activity
def picky(ctx: wf.WorkflowActivityContext, order: Order | None) -> str:
    return "none" if order is None else f"order {order.number}"


@runtime.workflow
def pass_on(ctx: wf.DaprWorkflowContext, value):
    first = yield ctx.call_activity(picky, input=value)
    try:
        yield ctx.call_activity(picky, input={"number": "many"})
    except wf.TaskFailedError as error:
        return [first, (yield ctx.call_activity(picky)), error.details.error_type]


def main() -> None:
    runtime.start()
    client = wf.DaprWorkflowClient()
    order = Order(number=7, items=[Item(name="lamp", price=12.5), Item(name="desk", price=80)])
    instance_id = client.schedule_new_workflow(checkout, input=order, instance_id="checkout-1")
    state = client.wait_for_workflow_completion(instance_id, timeout_in_seconds=30)
    print(state.runtime_status.name, state.serialized_input)
    print(state.serialized_output)

    values = [0, "", False, [], "Zürich", 12345678901234567890, {"a": None}, Address("a", "b"), [Point(3, 4)]]
    for number, value in enumerate(values):
        instance_id = client.schedule_new_workflow(echo, input=value, instance_id=f"echo-{number}")
        client.raise_workflow_event(instance_id, "more", data={"number": number})
        state = client.wait_for_workflow_completion(instance_id, timeout_in_seconds=30)
        print(state.serialized_input, "->", state.serialized_output)

    instance_id = client.schedule_new_workflow(pass_on, input=order, instance_id="pass-on-1")
    state = client.wait_for_workflow_completion(instance_id, timeout_in_seconds=30)
    print(json.loads(state.serialized_output))
    try:
        client.schedule_new_workflow(echo, input=object())
    except TypeError:
        print("an object that has no JSON is refused")
    runtime.shutdown()


if __name__ == "__main__":
    main()
