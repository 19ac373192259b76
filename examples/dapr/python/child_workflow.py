"""Children: a workflow that calls workflows, waits for them, and hears of it when one fails."""

import everstep.dapr as wf  # official: import dapr.ext.workflow as wf

runtime = wf.WorkflowRuntime()


@runtime.workflow
def delivery(ctx: wf.DaprWorkflowContext, parcels: list[str]):
    named = yield ctx.call_child_workflow(drive, input=parcels[0], instance_id=f"{ctx.instance_id}-first")
    others = yield wf.when_all([ctx.call_child_workflow("drive", input=parcel) for parcel in parcels[1:]])
    try:
        yield ctx.call_child_workflow(drive, input="piano")
    except wf.TaskFailedError as error:
        refused = f"{error.details.error_type}: {error.details.message}"
    return {"named": named, "others": others, "refused": refused}


@runtime.workflow
def drive(ctx: wf.DaprWorkflowContext, parcel: str):
    if parcel == "piano":
        raise OverflowError("too heavy")
    street = yield ctx.call_activity(look_up, input=parcel)
    return f"{parcel} to {street}"


@runtime.activity
def look_up(ctx: wf.WorkflowActivityContext, parcel: str) -> str:
    return f"{len(parcel)} Harbour Road"


def main() -> None:
    runtime.start()
    client = wf.DaprWorkflowClient()
    instance_id = client.schedule_new_workflow(
        delivery, input=["box", "letter", "crate"], instance_id="delivery-1"
    )
    state = client.wait_for_workflow_completion(instance_id, timeout_in_seconds=30)
    print(state.runtime_status.name, state.serialized_output)
    child = client.get_workflow_state("delivery-1-first")
    print(child.name, child.runtime_status.name, child.serialized_output)
    client.purge_workflow(instance_id, recursive=True)
    print("purged with its children:", client.get_workflow_state("delivery-1-first"))
    runtime.shutdown()


if __name__ == "__main__":
    main()
