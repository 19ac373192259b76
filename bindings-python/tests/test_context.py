"""What a workflow function does with its context, without an engine."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

import everstep
from everstep import Retry, WorkflowContext
from hosting import RUN, Order, Script, kinds, reserve, ship


def test_calls_are_made_when_called_and_results_are_decoded() -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext, order: Order) -> str:
        first = ctx.call(reserve, order, retry=Retry(max_attempts=3, non_retryable=(ValueError, "Declined")))
        second = ctx.call(ship, "x", timeout=timedelta(seconds=1.5))
        reserved = await first
        assert type(reserved) is Order
        return reserved.id + await second

    script = Script(flow)
    retry = {
        "max_attempts": 3,
        "first_interval_ms": 1000,
        "backoff": 2.0,
        "non_retryable": ["ValueError", "Declined"],
    }
    assert script.start({"id": "o"}) == [
        {"kind": "activity", "ref": 1, "name": "reserve", "input": {"id": "o", "total": 0.0}, "retry": retry},
        {"kind": "activity", "ref": 2, "name": "ship-it", "input": "x", "timeout_ms": 1500},
    ]
    assert script.done(2, "y") == []
    assert script.done(1, {"id": "z"}) == [{"kind": "complete", "output": "zy"}]
    assert script.instances == 0


def test_generators_work() -> None:
    @everstep.workflow
    def flow(ctx: WorkflowContext, n: int) -> Any:
        one = yield ctx.call(ship, "a")
        both = yield [ctx.call(ship, "b"), ctx.call(ship, "c")]
        try:
            yield ctx.call(ship, "d")
        except everstep.ActivityError as error:
            return [one, both, error.error_type]

    script = Script(flow)
    assert kinds(script.start(1)) == ["activity"]
    assert kinds(script.done(1, "A")) == ["activity", "activity"]
    assert script.done(3, "C") == []
    assert kinds(script.done(2, "B")) == ["activity"]
    assert script.failed(4, "IOError") == [{"kind": "complete", "output": ["A", ["B", "C"], "IOError"]}]


def test_falsy_and_absent_inputs_arrive_as_sent() -> None:
    seen: list[Any] = []

    @everstep.workflow
    async def flow(ctx: WorkflowContext, value: Any = "default") -> Any:
        seen.append(value)
        return value

    for value in (0, False, "", [], {}, None):
        assert Script(flow).start(value) == [{"kind": "complete", "output": value}]
    Script(flow).start()
    assert seen[-1] == "default"


def test_inputs_that_do_not_fit_fail_the_run() -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext, order: Order) -> None: ...

    (command,) = Script(flow).start({"id": 5})
    assert command["kind"] == "fail"
    assert command["error"]["type"] == "DecodeError"
    assert command["error"]["code"] == "decode_failed"
    job = {"kind": "start", "name": "flow", "seed": "1", "input_text": "{"}
    (command,) = Script(flow).play(job)
    assert command["error"]["code"] == "decode_failed"


def test_a_result_that_does_not_fit_is_raised_where_it_is_awaited() -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> str | None:
        try:
            await ctx.call(reserve, Order("a"))
        except everstep.DecodeError as error:
            return error.text
        return None

    script = Script(flow)
    script.start()
    assert script.done(1, {"no": 1}) == [{"kind": "complete", "output": '{"no": 1}'}]
    script = Script(flow)
    script.start()
    assert script.play({"kind": "done", "ref": 1, "value_text": "{{"}) == [{"kind": "complete", "output": "{{"}]


def test_failures_carry_type_message_stack_and_causes() -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> None:
        try:
            await ctx.call(ship, "a")
        except everstep.ActivityError as error:
            assert error.is_caused_by(OSError)
            raise RuntimeError("no shipping \ud800") from error

    script = Script(flow)
    script.start()
    (command,) = script.failed(1, cause={"type": "OSError", "message": "disk"}, stack="at 1")
    error = command["error"]
    assert (error["type"], error["message"]) == ("RuntimeError", "no shipping \\ud800")
    assert "test_context.py" in error["stack"]
    assert "everstep/_host" not in error["stack"].partition("RuntimeError")[0]
    cause = error["cause"]
    assert (cause["type"], cause["message"], cause["stack"]) == ("ValueError", "bad", "at 1")
    assert cause["cause"]["type"] == "OSError"


def test_an_uncaught_failure_keeps_its_type() -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> None:
        await ctx.call(ship, "a")

    script = Script(flow)
    script.start()
    (command,) = script.failed(1, "Declined", "card refused", retryable=False)
    error = command["error"]
    assert (error["type"], error["message"], error["retryable"]) == ("Declined", "card refused", False)


def test_cancelled_asks_are_answered_with_nothing() -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> bool:
        wait = ctx.wait_for_event("go")
        assert wait.cancel()
        assert not wait.cancel()
        await ctx.sleep(1)
        return wait.cancelled()

    script = Script(flow)
    assert kinds(script.start()) == ["event", "cancel", "timer"]
    assert script.done(1, "x") == []
    assert script.failed(1) == []
    assert script.done(99) == []
    assert script.done(2) == [{"kind": "complete", "output": True}]
    assert script.done(2) == []


def test_what_a_workflow_may_tell() -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext, n: int) -> None:
        ctx.set_custom_status({"at": n})
        ctx.send_event("other", "go", 0)
        ctx.start_child("audit", n)
        await ctx.call_child("billing", n, instance_id="b-1", returns=int)
        ctx.continue_as_new([n], keep_events=False)

    script = Script(flow)
    status, send, detached, child = script.start(3)
    assert status == {"kind": "status", "status": {"at": 3}}
    assert send == {"kind": "send", "id": "other", "name": "go", "data": 0}
    assert detached == {"kind": "child", "ref": 1, "name": "audit", "input": 3, "detached": True}
    assert child == {"kind": "child", "ref": 2, "name": "billing", "input": 3, "id": "b-1"}
    assert script.done(2, 5) == [{"kind": "continue", "input": [3], "keep_events": False}]


def test_child_errors_and_wait_timeouts() -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> list[str]:
        seen = []
        try:
            await ctx.call_child("billing")
        except everstep.ChildWorkflowError as error:
            seen.append(error.error_type)
        try:
            await ctx.wait_for_event("go", timeout=1)
        except everstep.WaitTimeout as error:
            assert isinstance(error, TimeoutError)
            seen.append(error.code)
        return seen

    script = Script(flow)
    script.start()
    assert script.failed(1, "KeyError", code="child_failed")[0]["timeout_ms"] == 1000
    assert script.failed(2, "WaitTimeout", code="timeout")[0]["output"] == ["KeyError", "timeout"]


def test_deterministic_values_in_a_workflow() -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> list[Any]:
        assert ctx.now() == datetime(1970, 1, 1, 0, 16, 40, tzinfo=timezone.utc)
        assert asyncio.get_running_loop().time() == 1000.0
        assert (ctx.instance_id, ctx.execution_id, ctx.workflow_name) == ("instance", RUN, "flow")
        return [ctx.random.random(), ctx.random.randrange(100), str(ctx.uuid()), str(ctx.uuid())]

    first, second = Script(flow).start(), Script(flow).start(replay=True)
    assert first == second
    assert len(set(map(str, first[0]["output"]))) == 4


def test_the_logger_is_silent_while_replaying(caplog: pytest.LogCaptureFixture) -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> None:
        ctx.logger.info("first")
        await ctx.sleep(1)
        ctx.logger.info("second %s", 2)

    with caplog.at_level(logging.INFO, "everstep"):
        script = Script(flow)
        script.start(replay=True)
        script.done(1)
    assert [(record.message, record.workflow_instance_id) for record in caplog.records] == [  # type: ignore[attr-defined]
        ("second 2", "instance")
    ]


def test_patches() -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> list[bool]:
        return [ctx.is_patched("a"), ctx.is_patched("a"), ctx.is_patched("b")]

    assert Script(flow).start()[-1]["output"] == [True, True, True]
    commands = Script(flow).start(replay=True, patches=("b",))
    assert commands == [{"kind": "patch", "name": "b"}, {"kind": "complete", "output": [False, False, True]}]


def test_what_cannot_be_encoded_stalls() -> None:
    @everstep.workflow
    async def calls(ctx: WorkflowContext) -> None:
        await ctx.call_activity("a", float("nan"))

    @everstep.workflow
    async def returns(ctx: WorkflowContext) -> Any:
        return object()

    for flow in (calls, returns):
        assert Script(flow).stall()["code"] == "encode_failed"


def test_a_context_outside_its_turn_stalls_the_next() -> None:
    kept: list[WorkflowContext] = []

    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> None:
        kept.append(ctx)
        await ctx.sleep(1)

    script = Script(flow)
    script.start()
    with pytest.raises(everstep.NonDurableError):
        kept[0].sleep(1)
    assert script.stall({"kind": "done", "ref": 1})["code"] == "non_durable"
    with pytest.raises(everstep.WorkflowEvicted):
        kept[0].sleep(1)


@pytest.mark.parametrize(
    "call",
    [
        lambda ctx: ctx.call(len, 1),
        lambda ctx: ctx.call_activity(""),
        lambda ctx: ctx.call_activity(5),
        lambda ctx: ctx.sleep(-1),
        lambda ctx: ctx.sleep("1"),
        lambda ctx: ctx.sleep(float("nan")),
        lambda ctx: ctx.wait_for_event(""),
        lambda ctx: ctx.call(reserve, Order("a"), retry=3),
        lambda ctx: ctx.call(reserve, Order("a"), instance_id="x"),
    ],
)
def test_wrong_arguments_are_named(call: Any) -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> str:
        try:
            call(ctx)
        except everstep.InvalidArgumentError as error:
            return error.code
        return "taken"

    assert Script(flow).start()[-1]["output"] == "invalid_argument"
