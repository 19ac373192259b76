"""What is particular to ``everstep.dapr``; that its programs print the right things is tested in ``examples/dapr/python``."""

from __future__ import annotations

import asyncio
import functools
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest

import everstep.dapr as wf
from everstep.dapr import aio
from sdk import SECONDS, outcome

pytestmark = pytest.mark.usefixtures("dapr_engine")


def test_import_needs_nothing_of_the_official_sdk_and_is_lazy() -> None:
    code = (
        "import sys, everstep; assert 'everstep.dapr' not in sys.modules;"
        "import everstep.dapr as wf; assert 'everstep.client' not in sys.modules;"
        "assert not {'dapr', 'grpc', 'google'} & set(sys.modules);"
        "assert set(wf.__all__) <= set(dir(wf)); [getattr(wf, name) for name in wf.__all__];"
        "[getattr(wf.aio, name) for name in wf.aio.__all__];"
        "assert not {'dapr', 'grpc', 'google', 'pydantic'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)


def test_unknown_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="NoSuchName"):
        wf.NoSuchName
    with pytest.raises(AttributeError, match="NoSuchName"):
        aio.NoSuchName


def test_functions_stay_what_they_were() -> None:
    runtime = wf.WorkflowRuntime()

    @runtime.activity(name="add_one")
    def add(ctx: Any, x: int) -> int:
        return x + 1

    @runtime.workflow
    @wf.alternate_name("renamed")
    def flow(ctx: Any) -> str:
        return "plain"

    assert add(None, 1) == 2
    assert flow(None) == "plain"
    again = wf.WorkflowRuntime()
    again.register_activity(add, name="in_another_runtime")
    again.register_workflow(flow)


def test_what_is_registered_twice_is_refused() -> None:
    runtime = wf.WorkflowRuntime()

    def one(ctx: Any) -> None: ...
    def two(ctx: Any) -> None: ...
    def three(ctx: Any) -> None: ...

    runtime.register_workflow(one)
    runtime.register_activity(one)
    with pytest.raises(ValueError, match="registered already"):
        runtime.register_workflow(one, name="another")
    with pytest.raises(ValueError, match="already"):
        runtime.register_workflow(two, name="one")
    with pytest.raises(ValueError, match="already"):
        runtime.register_activity(two, name="one")
    wf.alternate_name("other")(three)
    with pytest.raises(ValueError, match="alternate name"):
        runtime.register_activity(three, name="third")
    with pytest.raises(ValueError, match="alternate name"):
        wf.alternate_name("again")(three)
    with pytest.raises(ValueError, match="name"):
        runtime.register_workflow(lambda ctx: None)
    runtime.register_versioned_workflow(two, name="versioned", version_name="1", is_latest=True)
    with pytest.raises(ValueError, match="already"):
        runtime.register_versioned_workflow(lambda ctx: None, name="versioned", version_name="1", is_latest=False)


def test_what_is_registered_while_it_runs_runs_too(client: wf.DaprWorkflowClient) -> None:
    with wf.WorkflowRuntime() as runtime:

        @runtime.activity
        def late(ctx: Any, x: int) -> int:
            return x * 2

        @runtime.workflow
        def flow(ctx: wf.DaprWorkflowContext, x: int) -> Any:
            return (yield ctx.call_activity(late, input=x))

        assert outcome(client, flow, 4) == 8


def test_every_kind_of_async_activity_is_awaited(client: wf.DaprWorkflowClient) -> None:
    async def plain(ctx: Any, x: int) -> int:
        await asyncio.sleep(0)
        return x

    @functools.wraps(plain)
    def wrapped(*given: Any) -> Any:
        return plain(*given)

    class Called:
        async def __call__(self, ctx: Any, x: int) -> int:
            return x

    class Owner:
        async def method(self, ctx: Any, x: int) -> int:
            return x

    names = {"plain": plain, "wrapped": wrapped, "partial": functools.partial(plain), "called": Called()}
    names["method"] = Owner().method
    runtime = wf.WorkflowRuntime()
    for name, function in names.items():
        runtime.register_activity(function, name=name)

    @runtime.workflow
    def flow(ctx: wf.DaprWorkflowContext) -> Any:
        return (yield wf.when_all([ctx.call_activity(name, input=1) for name in names]))

    with runtime:
        assert outcome(client, flow) == [1] * len(names)


def test_a_runtime_starts_again_but_not_twice(client: wf.DaprWorkflowClient) -> None:
    runtime = wf.WorkflowRuntime(maximum_thread_pool_workers=2, history_cache_max_instances=10)
    runtime.register_workflow(lambda ctx: 1, name="one")
    runtime.shutdown()
    assert runtime.wait_for_worker_ready(timeout=0) is False
    for _ in range(2):
        runtime.start()
        assert runtime.wait_for_worker_ready(timeout=SECONDS)
        with pytest.raises(RuntimeError, match="running"):
            runtime.start()
        instance_id = client.schedule_new_workflow("one")
        assert client.wait_for_workflow_completion(instance_id, timeout_in_seconds=SECONDS) is not None
        runtime.shutdown()


def test_without_a_cache_every_turn_is_a_replay(client: wf.DaprWorkflowClient) -> None:
    runtime = wf.WorkflowRuntime(disable_stateful_history=True)
    begun = []

    @runtime.workflow
    def flow(ctx: wf.DaprWorkflowContext) -> Any:
        begun.append(ctx.is_replaying)
        for _ in range(3):
            yield ctx.create_timer(timedelta(milliseconds=1))
        return "done"

    with runtime:
        assert outcome(client, flow) == "done"
    assert begun == [False, True, True, True]
