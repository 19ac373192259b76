"""Fan out, fan in: a batch of work in parallel, and a total of what came back."""

import everstep.dapr as wf  # official: import dapr.ext.workflow as wf

runtime = wf.WorkflowRuntime(
    host=None,
    port=None,
    interceptors=None,
    max_grpc_message_length=16 * 1024 * 1024,
    disable_stateful_history=False,
    history_cache_ttl=60,
    history_cache_max_instances=1000,
    history_cache_max_bytes=None,
    maximum_concurrent_activity_work_items=8,
    maximum_concurrent_orchestration_work_items=8,
    maximum_thread_pool_workers=4,
)


@runtime.workflow(name="batch_processing")
def batch_processing(ctx: wf.DaprWorkflowContext, size: int):
    batch = yield ctx.call_activity(get_batch, input=size)
    tasks = [ctx.call_activity(process, input=item) for item in batch]
    outputs = yield wf.when_all(tasks)
    assert all(task.is_complete and not task.is_failed for task in tasks)
    total = sum(outputs)
    yield ctx.call_activity(report, input=total)
    return {"outputs": outputs, "total": total, "nothing": (yield wf.when_all([]))}


@runtime.activity(name="get_batch")
def get_batch(ctx: wf.WorkflowActivityContext, size: int) -> list[int]:
    return list(range(1, size + 1))


@runtime.activity
def process(ctx: wf.WorkflowActivityContext, item: int) -> int:
    return item * item


@runtime.activity
def report(ctx: wf.WorkflowActivityContext, total: int) -> None:
    print(f"the squares add up to {total}", flush=True)


@runtime.workflow
def some_fail(ctx: wf.DaprWorkflowContext):
    tasks = [ctx.call_activity(only_even, input=number) for number in range(4)]
    both = wf.when_all(tasks)
    try:
        yield both
    except wf.TaskFailedError as error:
        # All of them have ended by now, not only the one that failed.
        ended = [task.is_complete for task in tasks]
        failed = [task.is_failed for task in tasks]
        kept = [task.get_result() for task in tasks if not task.is_failed]
        return {"ended": ended, "failed": failed, "kept": kept, "type": error.details.error_type}


@runtime.activity
def only_even(ctx: wf.WorkflowActivityContext, number: int) -> int:
    if number % 2:
        raise ValueError("odd")
    return number


def main() -> None:
    runtime.start()
    client = wf.DaprWorkflowClient()
    for function, given in ((batch_processing, 6), (some_fail, None)):
        instance_id = client.schedule_new_workflow(function, input=given)
        state = client.wait_for_workflow_completion(instance_id, timeout_in_seconds=30)
        print(state.runtime_status.name, state.serialized_output)
    runtime.shutdown()


if __name__ == "__main__":
    main()
