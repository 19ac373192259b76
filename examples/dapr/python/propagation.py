"""A workflow that asks for its caller's history, and is told that there is none."""

import everstep.dapr as wf  # official: import dapr.ext.workflow as wf

runtime = wf.WorkflowRuntime()


def last_check(history: wf.PropagatedHistory | None) -> str:
    """What is known of the caller's last check."""
    if history is None:
        return "no history"
    try:
        workflow: wf.WorkflowResult = history.get_last_workflow_by_name("audit")
        check: wf.ActivityResult = workflow.get_last_activity_by_name("check")
        child: wf.ChildWorkflowResult = workflow.get_last_child_workflow_by_name("inspect")
    except wf.PropagationNotFoundError:
        return "no check"
    return f"{check.output} {child.output}"


@runtime.workflow
def audit(ctx: wf.DaprWorkflowContext):
    mine = last_check(ctx.get_propagated_history())
    activity = yield ctx.call_activity(check, propagation=wf.PropagationScope.NONE)
    child = yield ctx.call_child_workflow(inspect, propagation=None)
    return [mine, activity, child]


@runtime.workflow
def inspect(ctx: wf.DaprWorkflowContext):
    return last_check(ctx.get_propagated_history())


@runtime.activity
def check(ctx: wf.WorkflowActivityContext) -> str:
    return last_check(ctx.get_propagated_history())


def main() -> None:
    runtime.start()
    client = wf.DaprWorkflowClient()
    instance_id = client.schedule_new_workflow(audit, instance_id="audit-1")
    state: wf.WorkflowState = client.wait_for_workflow_completion(instance_id, timeout_in_seconds=30)
    print(state.runtime_status.name, state.serialized_output)
    print([scope.name for scope in wf.PropagationScope])
    runtime.shutdown()


if __name__ == "__main__":
    main()
