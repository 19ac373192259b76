"""Managing instances: pause, resume, terminate, purge, list, read histories, and run one again from an event."""

import time
from datetime import datetime, timedelta, timezone

import everstep.dapr as wf  # official: import dapr.ext.workflow as wf

runtime = wf.WorkflowRuntime()
rates = {"EUR": 2.0}


@runtime.workflow
def invoice(ctx: wf.DaprWorkflowContext, amount: int):
    rate = yield ctx.call_activity(rate_of, input="EUR")
    total = yield ctx.call_activity(convert, input=[amount, rate])
    return total


@runtime.activity
def rate_of(ctx: wf.WorkflowActivityContext, currency: str) -> float:
    return rates[currency]


@runtime.activity
def convert(ctx: wf.WorkflowActivityContext, given: list) -> float:
    return given[0] * given[1]


@runtime.workflow
def patient(ctx: wf.DaprWorkflowContext):
    return (yield ctx.wait_for_external_event("go"))


def wait_until(client: wf.DaprWorkflowClient, instance_id: str, status: wf.WorkflowStatus) -> None:
    deadline = time.monotonic() + 30
    while client.get_workflow_state(instance_id, fetch_payloads=False).runtime_status is not status:
        if time.monotonic() > deadline:
            raise SystemExit(f"{instance_id} does not become {status}")
        time.sleep(0.05)


def main() -> None:
    runtime.start()
    client = wf.DaprWorkflowClient()

    held = client.schedule_new_workflow(patient, instance_id="manage-held")
    client.wait_for_workflow_start(held, timeout_in_seconds=30)
    client.pause_workflow(held)
    wait_until(client, held, wf.WorkflowStatus.SUSPENDED)
    client.raise_workflow_event(held, "go", data="at last")
    print("paused:", client.get_workflow_state(held).runtime_status.name)
    client.resume_workflow(held)
    state = client.wait_for_workflow_completion(held, timeout_in_seconds=30)
    print("resumed:", state.runtime_status.name, state.serialized_output)

    ended = client.schedule_new_workflow(patient, instance_id="manage-ended")
    client.wait_for_workflow_start(ended, timeout_in_seconds=30)
    client.terminate_workflow(ended, output={"why": "closing time"}, recursive=True)
    state = client.wait_for_workflow_completion(ended, timeout_in_seconds=30)
    print("terminated:", state.runtime_status.name, state.serialized_output, state.failure_details)

    later = datetime.now(timezone.utc) + timedelta(milliseconds=300)
    delayed = client.schedule_new_workflow(invoice, input=1, instance_id="manage-delayed", start_at=later)
    state = client.wait_for_workflow_completion(delayed, timeout_in_seconds=30)
    print("delayed:", state.serialized_output, state.last_updated_at >= later.replace(tzinfo=None))

    first = client.schedule_new_workflow(invoice, input=100, instance_id="manage-invoice")
    print("invoice:", client.wait_for_workflow_completion(first, timeout_in_seconds=30).serialized_output)
    events: list[wf.WorkflowHistoryEvent] = client.get_workflow_history(first)
    kinds = [event.event_type for event in events]
    print(kinds.count(wf.WorkflowHistoryEventType.TASK_SCHEDULED), "activities")
    named = [event for event in events if event.is_rerunnable]
    print([(event.event_type.name, event.name) for event in named])
    answers = [event.task_scheduled_id for event in events if event.event_type.name == "TASK_COMPLETED"]
    print("every activity is answered:", answers == [event.event_id for event in named])
    times = [event.timestamp for event in events if event.event_type.name == "TASK_COMPLETED"]
    print("in order:", times == sorted(times), client.get_workflow_state(first).created_at <= times[0])
    print("nothing failed:", all(event.failure_details is None for event in events))

    rates["EUR"] = 3.0
    again = client.rerun_workflow_from_event(
        first, named[0].event_id, new_instance_id="manage-again", input=wf.UNSET
    )
    print("again:", client.wait_for_workflow_completion(again, timeout_in_seconds=30).serialized_output)
    changed = client.rerun_workflow_from_event(
        first, named[1].event_id, new_instance_id="manage-changed", input=[7, 7]
    )
    print("changed:", client.wait_for_workflow_completion(changed, timeout_in_seconds=30).serialized_output)

    mine = {held, ended, delayed, first, again, changed}
    print(sorted(mine & set(client.iter_workflow_instance_ids(page_size=4))))
    page: wf.WorkflowInstanceIdPage = client.list_workflow_instance_ids(page_size=2)
    print("a page of", len(page.instance_ids), "and more:", page.continuation_token is not None)
    for instance_id in mine:
        client.purge_workflow(instance_id)
    print("left:", sorted(mine & set(client.iter_workflow_instance_ids())))
    runtime.shutdown()


if __name__ == "__main__":
    main()
