"""What a workflow says of itself while it runs, and values that are the same at every replay."""

import json
import time

import everstep.dapr as wf  # official: import dapr.ext.workflow as wf

runtime = wf.WorkflowRuntime()


@runtime.workflow
def bake(ctx: wf.DaprWorkflowContext, loaves: int):
    begun = ctx.current_utc_datetime
    batch = ctx.new_guid()
    for number in range(loaves):
        ctx.set_custom_status(json.dumps({"loaf": number + 1, "of": loaves}))
        yield ctx.call_activity(knead, input=number)
    ctx.set_custom_status("cooling")
    answer = yield ctx.wait_for_external_event("taste")
    lot = ctx.random_string(6)
    shelf = ctx.random_int(1, 3)
    tin = ctx.random_choice(["long", "round"])
    moments = [ctx.now_with_sequence(), ctx.current_utc_datetime_with_sequence()]
    print(f"{ctx.instance_id} replays: {ctx.is_replaying}", flush=True)
    return {
        "answer": answer,
        "batch is a UUID": len(str(batch)) == 36 and batch != ctx.uuid4(),
        "lot": len(lot),
        "shelf": 1 <= shelf <= 3,
        "tin": tin in ("long", "round"),
        "below one": ctx.random().random() < 1,
        "in order": begun <= ctx.now() <= moments[0] < moments[1],
    }


@runtime.activity
def knead(ctx: wf.WorkflowActivityContext, number: int) -> None:
    inner = ctx.get_inner_context()
    print(f"kneading {number} for {inner.orchestration_id}: {len(inner.task_execution_id) > 0}", flush=True)


def main() -> None:
    runtime.start()
    client = wf.DaprWorkflowClient()
    instance_id = client.schedule_new_workflow(bake, input=2, instance_id="bake-1")
    deadline = time.monotonic() + 30
    while (state := client.get_workflow_state(instance_id)).serialized_custom_status != "cooling":
        if time.monotonic() > deadline:
            raise SystemExit("it does not cool")
        time.sleep(0.05)
    print(state.runtime_status.name, state.serialized_custom_status)
    client.raise_workflow_event(instance_id, "taste", data="good")
    state = client.wait_for_workflow_completion(instance_id, timeout_in_seconds=30)
    print(state.runtime_status.name, state.serialized_custom_status)
    for key, value in json.loads(state.serialized_output).items():
        print(f"{key}: {value}")
    runtime.shutdown()


if __name__ == "__main__":
    main()
