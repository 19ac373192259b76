"""The official Python SDK's side of the crossing: `program.py worker` or `program.py client`. See ../README.md."""

import json
import sys
from dataclasses import dataclass
from datetime import timedelta

import dapr.ext.workflow as wf
from dapr.ext.workflow._durabletask.internal import protos
from google.protobuf.wrappers_pb2 import StringValue

runtime = wf.WorkflowRuntime()


@dataclass
class Address:
    city: str
    zip: int


@runtime.activity(name="plus_one")
def plus_one(_, number):
    return number + 1


@runtime.activity(name="explode")
def explode(_, text):
    raise ValueError(text) from KeyError("deeper")


@runtime.activity(name="idle")
def idle(_):
    return None


@runtime.activity(name="locate")
def locate(_):
    return Address("Ghent", 9000)


@runtime.workflow(name="chain")
def chain(ctx, number):
    for _ in range(3):
        number = yield ctx.call_activity("plus_one", input=number)
    return number


@runtime.workflow(name="fan_out")
def fan_out(ctx, numbers):
    results = yield wf.when_all([ctx.call_activity("plus_one", input=number) for number in numbers])
    return sum(results)


@runtime.workflow(name="timer")
def timer(ctx, seconds):
    yield ctx.create_timer(timedelta(seconds=seconds))
    return "fired"


@runtime.workflow(name="approval")
def approval(ctx, _=None):
    ctx.set_custom_status("waiting")
    return (yield ctx.wait_for_external_event("Approval"))


@runtime.workflow(name="deploy")
def deploy(ctx, number):
    number = yield ctx.call_activity("plus_one", input=number)
    yield ctx.wait_for_external_event("deployed")
    number = yield ctx.call_activity("plus_one", input=number)
    yield ctx.wait_for_external_event("verified")
    return number


@runtime.workflow(name="changed")
def changed(ctx, number):
    number = yield ctx.call_activity("plus_one", input=number)
    yield ctx.wait_for_external_event("deployed")
    return number


@runtime.workflow(name="family")
def family(ctx, number):
    return (yield ctx.call_child_workflow("chain", input=number))


@runtime.workflow(name="failing")
def failing(ctx, text):
    yield ctx.call_activity("explode", input=text)


@runtime.workflow(name="bad_family")
def bad_family(ctx, text):
    yield ctx.call_child_workflow("failing", input=text)


@runtime.workflow(name="caught")
def caught(ctx, text):
    try:
        yield ctx.call_activity("explode", input=text)
    except Exception:
        return "caught"


@runtime.workflow(name="generations")
def generations(ctx, left):
    if left > 0:
        yield ctx.create_timer(timedelta(milliseconds=10))
        ctx.continue_as_new(left - 1, save_events=True)
        return None
    return (yield ctx.wait_for_external_event("go"))


@runtime.workflow(name="nothing")
def nothing(ctx, given=None):
    result = yield ctx.call_activity("idle")
    if given is not None or result is not None:
        raise ValueError(f"nothing became {given!r} and {result!r}")


@runtime.workflow(name="address")
def address(ctx, _=None):
    return (yield ctx.call_activity("locate"))


class Commands:
    """What the suite asks of the client, one method a command."""

    def __init__(self):
        self.client = wf.DaprWorkflowClient()
        self.stub = self.client._DaprWorkflowClient__obj._stub

    def start(self, instance_id, workflow, **given):
        value = Address(**given["record"]) if "record" in given else given.get("input")
        return self.client.schedule_new_workflow(workflow, instance_id=instance_id, input=value)

    def state(self, instance_id):
        return _shown(self.client.get_workflow_state(instance_id))

    def wait(self, instance_id, timeout):
        return _shown(self.client.wait_for_workflow_completion(instance_id, timeout_in_seconds=timeout))

    def raise_event(self, instance_id, event, **given):
        self.client.raise_workflow_event(instance_id, event, data=given.get("data"))

    def pause(self, instance_id):
        self.client.pause_workflow(instance_id)

    def resume(self, instance_id):
        self.client.resume_workflow(instance_id)

    def terminate(self, instance_id, **given):
        self.client.terminate_workflow(instance_id, output=given.get("output"))

    def purge(self, instance_id):
        self.client.purge_workflow(instance_id)

    # What .NET's client sends where there is no input and no data: a text that is there and empty.

    def start_empty(self, instance_id, workflow):
        request = protos.CreateInstanceRequest(
            instanceId=instance_id, name=workflow, input=StringValue(value="")
        )
        self.stub.StartInstance(request)

    def raise_empty(self, instance_id, event):
        request = protos.RaiseEventRequest(instanceId=instance_id, name=event, input=StringValue(value=""))
        self.stub.RaiseEvent(request)


def _shown(state):
    if state is None:
        return None
    failure = state.failure_details
    return {
        "name": state.name,
        "status": state.runtime_status.name,
        "input": state.serialized_input,
        "output": state.serialized_output,
        "custom_status": state.serialized_custom_status,
        "failure": None if failure is None else [failure.error_type, failure.message],
    }


def client():
    commands = Commands()
    for line in sys.stdin:
        command = json.loads(line)
        try:
            answer = {"answer": getattr(commands, command.pop("do"))(command.pop("id"), **command)}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


def worker():
    runtime.start()
    print("ready", flush=True)
    sys.stdin.read()
    runtime.shutdown()


if __name__ == "__main__":
    {"worker": worker, "client": client}[sys.argv[1]]()
