"""A monitor: it looks, sleeps and begins anew, so that its history stays short; events that wait go along."""

from datetime import timedelta

import everstep.dapr as wf  # official: import dapr.ext.workflow as wf

runtime = wf.WorkflowRuntime()
readings = ["cold", "cold", "warm", "hot"]


@runtime.workflow(name="status_monitor")
def status_monitor(ctx: wf.DaprWorkflowContext, job: dict):
    status = yield ctx.call_activity(read_sensor, input=job["round"])
    if status == "hot":
        yield ctx.call_activity(alert, input=f"round {job['round']} is hot")
        return job["round"]
    pause = timedelta(milliseconds=50) if status == "warm" else timedelta(milliseconds=100)
    yield ctx.create_timer(ctx.current_utc_datetime + pause)
    ctx.continue_as_new({"round": job["round"] + 1})


@runtime.activity
def read_sensor(ctx: wf.WorkflowActivityContext, number: int) -> str:
    return readings[number]


@runtime.activity
def alert(ctx: wf.WorkflowActivityContext, message: str) -> None:
    print(f"*** {message}", flush=True)


@runtime.workflow
def sum_up(ctx: wf.DaprWorkflowContext, total: int):
    number = yield ctx.wait_for_external_event("number")
    if number < 0:
        return total
    ctx.continue_as_new(total + number, save_events=True)


def main() -> None:
    runtime.start()
    client = wf.DaprWorkflowClient()
    instance_id = client.schedule_new_workflow(status_monitor, input={"round": 0}, instance_id="monitor-1")
    state = client.wait_for_workflow_completion(instance_id, timeout_in_seconds=30)
    print(state.runtime_status.name, state.serialized_input, state.serialized_output)

    instance_id = client.schedule_new_workflow(sum_up, input=0, instance_id="sum-1")
    client.wait_for_workflow_start(instance_id, timeout_in_seconds=30)
    for number in (3, 4, 5, -1):
        client.raise_workflow_event(instance_id, "number", data=number)
    state = client.wait_for_workflow_completion(instance_id, timeout_in_seconds=30)
    print(state.runtime_status.name, state.serialized_output)
    runtime.shutdown()


if __name__ == "__main__":
    main()
