"""Changing code under running workflows: patches and versions with names, and functions with other names."""

from datetime import timedelta

import everstep.dapr as wf  # official: import dapr.ext.workflow as wf


@wf.alternate_name("ship_parcel")
def ship(ctx: wf.WorkflowActivityContext, how: str) -> str:
    return f"shipped by {how}"


def patched(ctx: wf.DaprWorkflowContext):
    how = "rail" if ctx.is_patched("rail-instead-of-road") else "road"
    result = yield ctx.call_activity(ship, input=how)
    return [result, ctx.is_patched("rail-instead-of-road")]


def tariff_1(ctx: wf.DaprWorkflowContext, weight: int):
    yield ctx.wait_for_external_event("weighed")
    return weight * 2


def tariff_2(ctx: wf.DaprWorkflowContext, weight: int):
    yield ctx.create_timer(timedelta(milliseconds=10))
    return weight * 3


def main() -> None:
    before = wf.WorkflowRuntime()
    before.register_versioned_workflow(tariff_1, name="tariff", version_name="2025", is_latest=True)
    before.start()
    client = wf.DaprWorkflowClient()
    old = client.schedule_new_workflow("tariff", input=10, instance_id="tariff-old")
    client.wait_for_workflow_start(old, timeout_in_seconds=30)
    before.shutdown()

    after = wf.WorkflowRuntime()
    # A new version beside the old one: what runs goes on as it began.
    old_version = after.versioned_workflow(name="tariff", version_name="2025", is_latest=False)

    @old_version
    def tariff_as_it_was(ctx: wf.DaprWorkflowContext, weight: int):
        yield ctx.wait_for_external_event("weighed")
        return weight * 2

    after.register_versioned_workflow(tariff_2, name="tariff", is_latest=True)
    after.register_activity(ship)
    after.register_workflow(patched, name="patched_shipping")
    after.start()
    print("ready:", after.wait_for_worker_ready(timeout=30))
    new = client.schedule_new_workflow("tariff", input=10, instance_id="tariff-new")
    shipping = client.schedule_new_workflow(patched, instance_id="shipping-1")
    client.raise_workflow_event(old, "weighed")
    for instance_id in (old, new, shipping):
        state = client.wait_for_workflow_completion(instance_id, timeout_in_seconds=30)
        print(instance_id, state.name, state.runtime_status.name, state.serialized_output)
    try:
        after.register_activity(ship)
    except ValueError:
        print("registered already")
    try:
        wf.alternate_name("another")(ship)
    except ValueError:
        print("it has a name already")
    after.shutdown()


if __name__ == "__main__":
    main()
