"""A person decides, or the time is over: an event against a timer, and an event with a timeout."""

from datetime import timedelta

import everstep.dapr as wf  # official: import dapr.ext.workflow as wf

runtime = wf.WorkflowRuntime()


@runtime.workflow
def purchase(ctx: wf.DaprWorkflowContext, order: dict):
    if order["cost"] < 1000:
        return "approved without asking"
    yield ctx.call_activity(ask, input=order)
    approval = ctx.wait_for_external_event("approval")
    too_late = ctx.create_timer(timedelta(hours=24) if order["patient"] else timedelta(milliseconds=200))
    winner = yield wf.when_any([approval, too_late])
    if winner == too_late:
        return "cancelled, since nobody answered"
    answer = approval.get_result()
    if not answer["approved"]:
        return f"refused by {answer['by']}"
    yield ctx.call_activity(place, input=order)
    return f"approved by {answer['by']}"


@runtime.activity
def ask(ctx: wf.WorkflowActivityContext, order: dict) -> None:
    print(f"*** is {order['item']} for {order['cost']} all right?", flush=True)


@runtime.activity
def place(ctx: wf.WorkflowActivityContext, order: dict) -> None:
    print(f"*** ordering {order['item']}", flush=True)


@runtime.workflow
def survey(ctx: wf.DaprWorkflowContext):
    first = yield ctx.wait_for_external_event("vote", timeout=timedelta(hours=1))
    second = yield ctx.wait_for_external_event("VOTE")
    try:
        yield ctx.wait_for_external_event("vote", timeout=timedelta(milliseconds=100))
    except TimeoutError:
        return [first, second, "no more"]


def main() -> None:
    runtime.start()
    client = wf.DaprWorkflowClient()
    orders = [
        ("pencils", 20, True, None),
        ("a lathe", 4000, True, {"approved": True, "by": "Grace"}),
        ("a yacht", 90000, True, {"approved": False, "by": "Edsger"}),
        ("a harp", 2000, False, None),
    ]
    for number, (item, cost, patient, answer) in enumerate(orders):
        order = {"item": item, "cost": cost, "patient": patient}
        instance_id = client.schedule_new_workflow(purchase, input=order, instance_id=f"purchase-{number}")
        client.wait_for_workflow_start(instance_id, timeout_in_seconds=30)
        if answer is not None:
            client.raise_workflow_event(instance_id, "approval", data=answer)
        state = client.wait_for_workflow_completion(instance_id, timeout_in_seconds=30)
        print(state.runtime_status.name, state.serialized_output)
    instance_id = client.schedule_new_workflow(survey, instance_id="survey-1")
    client.wait_for_workflow_start(instance_id, timeout_in_seconds=30)
    for vote in ("yes", "no"):
        client.raise_workflow_event(instance_id, "Vote", data=vote)
    state = client.wait_for_workflow_completion(instance_id, timeout_in_seconds=30)
    print(state.runtime_status.name, state.serialized_output)
    runtime.shutdown()


if __name__ == "__main__":
    main()
