"""The seven operations of Dapr's guide, on its general client."""

import time

import everstep.dapr as wf  # official: import dapr.ext.workflow as wf
import everstep.dapr.clients as clients  # official: import dapr.clients as clients

instance_id = "guide-operations-1"
component = "dapr"
workflow_name = "hello_world"
event_name = "event1"
event_data = "eventData"

runtime = wf.WorkflowRuntime()
said: list[str] = []


@runtime.workflow(name=workflow_name)
def hello_world(ctx: wf.DaprWorkflowContext, name: str):
    yield ctx.call_activity(say, input=f"hello {name}")
    data = yield ctx.wait_for_external_event(event_name)
    yield ctx.call_activity(say, input=data)
    yield ctx.wait_for_external_event("event2")


@runtime.activity
def say(ctx: wf.WorkflowActivityContext, text: str) -> None:
    said.append(text)


def wait_until(client: clients.DaprClient, status: str) -> None:
    deadline = time.monotonic() + 30
    while client.get_workflow(instance_id=instance_id, workflow_component=component).runtime_status != status:
        if time.monotonic() > deadline:
            raise SystemExit(f"it does not become {status}")
        time.sleep(0.05)


def main() -> None:
    runtime.start()
    with clients.DaprClient() as client:
        started = client.start_workflow(
            instance_id=instance_id,
            workflow_component=component,
            workflow_name=workflow_name,
            input="guide",
            workflow_options={},
        )
        print("started", started.instance_id)
        wait_until(client, "Running")

        client.pause_workflow(instance_id=instance_id, workflow_component=component)
        wait_until(client, "Suspended")
        state = client.get_workflow(instance_id=instance_id, workflow_component=component)
        print(state.instance_id, state.workflow_name, state.runtime_status)
        print("input:", state.properties["dapr.workflow.input"])

        client.resume_workflow(instance_id=instance_id, workflow_component=component)
        wait_until(client, "Running")
        client.raise_workflow_event(
            instance_id=instance_id,
            workflow_component=component,
            event_name=event_name,
            event_data=event_data,
        )
        deadline = time.monotonic() + 30
        while len(said) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        print("said:", said)

        client.terminate_workflow(instance_id=instance_id, workflow_component=component)
        wait_until(client, "Terminated")
        print("terminated")

        client.purge_workflow(instance_id=instance_id, workflow_component=component)
        try:
            client.get_workflow(instance_id=instance_id, workflow_component=component)
        except clients.DaprInternalError as error:
            print("no such instance exists" in str(error))
        try:
            client.get_workflow(instance_id=" ", workflow_component=component)
        except ValueError:
            print("a blank ID is refused")
    runtime.shutdown()


if __name__ == "__main__":
    main()
