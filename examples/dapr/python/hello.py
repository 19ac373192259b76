"""The first workflow: two activities, one after the other, and an input that comes back changed."""

import everstep.dapr as wf  # official: import dapr.ext.workflow as wf

runtime = wf.WorkflowRuntime()


@runtime.workflow(name="hello")
def hello(ctx: wf.DaprWorkflowContext, name: str):
    greeting = yield ctx.call_activity(greet, input=name)
    length = yield ctx.call_activity("measure", input=greeting)
    return {"greeting": greeting, "length": length}


@runtime.activity
def greet(ctx: wf.WorkflowActivityContext, name: str) -> str:
    return f"Good morning, {name}"


@runtime.activity(name="measure")
async def count_letters(ctx: wf.WorkflowActivityContext, text: str) -> int:
    print(f"activity {ctx.task_id} of {ctx.workflow_id} measures {text!r}", flush=True)
    return len(text)


def main() -> None:
    runtime.start()
    client = wf.DaprWorkflowClient()
    instance_id = client.schedule_new_workflow(hello, input="Ada", instance_id="hello-1")
    started = client.wait_for_workflow_start(instance_id, timeout_in_seconds=30)
    state = client.wait_for_workflow_completion(instance_id, timeout_in_seconds=30)
    print(f"{instance_id} has started as {started.name}")
    print(state.runtime_status.name, state.serialized_input, state.serialized_output)
    print("the state as JSON has", ", ".join(sorted(state.to_json())))
    print("nothing is known of another:", client.get_workflow_state("hello-nobody"))
    client.close()
    runtime.shutdown()


if __name__ == "__main__":
    main()
