"""Dapr's own Python SDK as a side of the comparison."""

from __future__ import annotations

import contextlib
import json
import logging
import os

import dapr.ext.workflow as wf
from dapr.ext.workflow.aio import DaprWorkflowClient as AsyncClient
from measures import ask, main, stamp

runtime = wf.WorkflowRuntime()


@runtime.activity(name="add_one")
def add_one(_, number):
    return number + 1


@runtime.activity(name="stamp")
def stamped(_, number):
    return stamp(number)


@runtime.workflow(name="one")
def one(ctx, number):
    return (yield ctx.call_activity("add_one", input=number))


@runtime.workflow(name="five")
def five(ctx, number):
    for _ in range(5):
        number = yield ctx.call_activity("add_one", input=number)
    return number


@runtime.workflow(name="steps")
def steps(ctx, count):
    number = 0
    for _ in range(count):
        number = yield ctx.call_activity("stamp", input=number)
    return number


class Official:
    """Its synchronous client, its aio client and its runtime."""

    def __init__(self):
        # It logs every work item at the level of information; nobody measures logging here.
        logging.disable(logging.WARNING)
        self.client = wf.DaprWorkflowClient()

    @contextlib.contextmanager
    def worker(self):
        runtime.start()
        try:
            yield runtime
        finally:
            runtime.shutdown()

    def start(self, name, number):
        return self.client.schedule_new_workflow(name, input=number)

    def result(self, instance):
        state = self.client.wait_for_workflow_completion(instance, timeout_in_seconds=120)
        assert state.runtime_status.name == "COMPLETED", state
        return json.loads(state.serialized_output)

    def get(self, instance):
        return self.client.get_workflow_state(instance)

    async def gets(self, instance, loops, until):
        client = AsyncClient(port=os.environ["DAPR_GRPC_PORT"])
        return await ask(lambda: client.get_workflow_state(instance), loops, until)


if __name__ == "__main__":
    main(Official)
