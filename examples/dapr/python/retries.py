"""Retries: attempts with pauses that grow, a failure that stays one, and what is known of it afterwards."""

from datetime import timedelta

import everstep.dapr as wf  # official: import dapr.ext.workflow as wf

runtime = wf.WorkflowRuntime(logger_options=None, worker_ready_timeout=30)
attempts: dict[str, int] = {}
policy = wf.RetryPolicy(
    first_retry_interval=timedelta(milliseconds=20),
    max_number_of_attempts=4,
    backoff_coefficient=2,
    max_retry_interval=timedelta(milliseconds=60),
    retry_timeout=timedelta(seconds=20),
)


@runtime.workflow
def stubborn(ctx: wf.DaprWorkflowContext):
    answer = yield ctx.call_activity(fails_twice, input="line", retry_policy=policy)
    child = yield ctx.call_child_workflow(fails_once, input="child", retry_policy=policy)
    hopeless = ctx.call_activity(always_fails, retry_policy=policy)
    try:
        yield hopeless
    except wf.TaskFailedError as error:
        details: wf.FailureDetails = error.details
        same = hopeless.get_exception() is error
        return [answer, child, details.error_type, details.message, same, "raise" in details.stack_trace]


@runtime.activity
def fails_twice(ctx: wf.WorkflowActivityContext, name: str) -> str:
    attempts[name] = attempts.get(name, 0) + 1
    if attempts[name] < 3:
        raise ConnectionError(f"{name} is busy")
    return f"{name} at attempt {attempts[name]}"


@runtime.workflow
def fails_once(ctx: wf.DaprWorkflowContext, name: str):
    attempt = yield ctx.call_activity(count, input=name)
    if attempt < 2:
        raise RuntimeError("not yet")
    return f"{name} at attempt {attempt}"


@runtime.activity
def count(ctx: wf.WorkflowActivityContext, name: str) -> int:
    attempts[name] = attempts.get(name, 0) + 1
    return attempts[name]


@runtime.activity
def always_fails(ctx: wf.WorkflowActivityContext) -> None:
    attempts["hopeless"] = attempts.get("hopeless", 0) + 1
    raise LookupError("nothing there")


@runtime.workflow
def lets_it_through(ctx: wf.DaprWorkflowContext):
    yield ctx.call_activity(always_fails)


def main() -> None:
    print(
        policy.first_retry_interval,
        policy.max_number_of_attempts,
        policy.backoff_coefficient,
        policy.max_retry_interval,
        policy.retry_timeout,
    )
    print("beneath it is another:", policy.obj is not policy)
    try:
        wf.RetryPolicy(first_retry_interval=timedelta(0), max_number_of_attempts=0)
    except ValueError:
        print("a policy needs at least one attempt")
    runtime.start()
    client = wf.DaprWorkflowClient()
    instance_id = client.schedule_new_workflow(stubborn, instance_id="stubborn-1")
    state = client.wait_for_workflow_completion(instance_id, timeout_in_seconds=60)
    print(state.runtime_status.name, state.serialized_output, "attempts:", attempts["hopeless"])
    instance_id = client.schedule_new_workflow(lets_it_through, instance_id="through-1")
    state = client.wait_for_workflow_completion(instance_id, timeout_in_seconds=30)
    print(state.runtime_status.name, state.serialized_output, state.failure_details.error_type)
    print(state.failure_details.message)
    runtime.shutdown()


if __name__ == "__main__":
    main()
