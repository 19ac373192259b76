"""A chain: each step works on what the one before it gave, and a failure in the middle undoes what was done."""

import everstep.dapr as wf  # official: import dapr.ext.workflow as wf

runtime = wf.WorkflowRuntime()


@runtime.workflow
def publish(ctx: wf.DaprWorkflowContext, title: str):
    done = []
    try:
        draft = yield ctx.call_activity(write, input=title)
        done.append("write")
        checked = yield ctx.call_activity(check, input=draft)
        done.append("check")
        page = yield ctx.call_activity(send_to_print, input=checked)
    except wf.TaskFailedError as error:
        # Back to front.
        for step in reversed(done):
            yield ctx.call_activity(undo, input=step)
        return f"given up: {error.details.error_type}: {error.details.message}"
    return page


@runtime.activity
def write(ctx: wf.WorkflowActivityContext, title: str) -> dict:
    return {"title": title, "words": 120}


@runtime.activity
def check(ctx: wf.WorkflowActivityContext, draft: dict) -> dict:
    return {**draft, "checked": True}


@runtime.activity
def send_to_print(ctx: wf.WorkflowActivityContext, text: dict) -> str:
    if text["title"] == "Forbidden":
        raise PermissionError("the printer refuses this title")
    return f"{text['title']} in {text['words']} words"


@runtime.activity
def undo(ctx: wf.WorkflowActivityContext, step: str) -> None:
    print(f"undoing {step}", flush=True)


def main() -> None:
    runtime.start()
    client = wf.DaprWorkflowClient()
    for number, title in enumerate(["Tides", "Forbidden"]):
        instance_id = client.schedule_new_workflow(publish, input=title, instance_id=f"publish-{number}")
        state = client.wait_for_workflow_completion(instance_id, timeout_in_seconds=30)
        print(state.runtime_status.name, state.serialized_output)
    runtime.shutdown()


if __name__ == "__main__":
    main()
