"""What goes wrong, and how it shows: a workflow that raises and one that yields no task."""

import everstep.dapr as wf  # official: import dapr.ext.workflow as wf

runtime = wf.WorkflowRuntime()


@runtime.workflow
def raises(ctx: wf.DaprWorkflowContext, text: str):
    yield ctx.call_activity(fine)
    raise ValueError(f"cannot work with {text}")


@runtime.workflow
def without_waiting(ctx: wf.DaprWorkflowContext, text: str):
    return text.upper()


@runtime.workflow
def yields_nonsense(ctx: wf.DaprWorkflowContext):
    yield ctx.call_activity(fine)
    yield "nonsense"


@runtime.workflow
def cannot_send(ctx: wf.DaprWorkflowContext):
    yield ctx.call_activity(fine, input=object())


@runtime.workflow
def result_too_early(ctx: wf.DaprWorkflowContext):
    task = ctx.call_activity(fine)
    try:
        task.get_result()
    except ValueError:
        early = "no result yet"
    yield task
    try:
        task.get_exception()
    except ValueError:
        return [early, "no failure"]


@runtime.activity
def fine(ctx: wf.WorkflowActivityContext) -> None:
    return None


def main() -> None:
    runtime.start()
    client = wf.DaprWorkflowClient()
    for function, given in (
        (raises, "mud"),
        (without_waiting, "loud"),
        (yields_nonsense, None),
        (cannot_send, None),
        (result_too_early, None),
    ):
        instance_id = client.schedule_new_workflow(function, input=given)
        state = client.wait_for_workflow_completion(instance_id, timeout_in_seconds=30)
        failure = state.failure_details
        print(state.name, state.runtime_status.name, state.serialized_output, failure and failure.error_type)
        try:
            state.raise_if_failed()
        except Exception as error:
            print("raised:", error.failure_details.error_type)
    print(str(state).splitlines()[0], len(str(state).splitlines()))
    runtime.shutdown()


if __name__ == "__main__":
    main()
