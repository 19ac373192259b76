"""The workflow loop, without an engine."""

from __future__ import annotations

import asyncio
import concurrent.futures
import json
import logging
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

import everstep
from conftest import conformance
from everstep import Retry, WorkflowContext
from everstep._host.host import WorkflowHost, Workflows
from everstep._host.random import WorkflowRandom, WorkflowUuids
from hosting import RUN, Script
from programs import program


@dataclass
class Order:
    id: str
    total: float = 0.0


@everstep.activity
def reserve(order: Order) -> Order:
    return order


@everstep.activity(name="ship-it")
async def ship(order: str) -> str:
    return order


def kinds(commands: list[dict[str, Any]]) -> list[str]:
    return [command["kind"] for command in commands]


def test_decorated_functions_stay_ordinary() -> None:
    assert reserve(Order("a")) == Order("a")
    assert asyncio.run(ship("a")) == "a"
    assert reserve.__name__ == "reserve"


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
    assert "test_host.py" in error["stack"]
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


def test_gather_sleep_wait_and_task_groups_are_durable() -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> Any:
        async def branch(name: str) -> str:
            await asyncio.sleep(1.5)
            return await ctx.call(ship, name)

        both = await asyncio.gather(branch("a"), branch("b"))
        done, pending = await asyncio.wait(
            [asyncio.ensure_future(branch("c")), asyncio.create_task(branch("d"))], return_when="FIRST_COMPLETED"
        )
        for task in pending:
            task.cancel()
        return [*both, *(task.result() for task in done)]

    script = Script(flow)
    assert script.start() == [
        {"kind": "timer", "ref": 1, "after_ms": 1500},
        {"kind": "timer", "ref": 2, "after_ms": 1500},
    ]
    assert kinds(script.done(2)) == ["activity"]
    assert kinds(script.done(1)) == ["activity"]
    assert script.done(4, "A") == []
    assert kinds(script.done(3, "B")) == ["timer", "timer"]
    assert kinds(script.done(5)) == ["activity"]
    assert script.done(7, "C")[-1] == {"kind": "complete", "output": ["A", "B", "C"]}


def test_timeouts_cancel_what_they_surround() -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> str:
        try:
            return await asyncio.wait_for(ctx.wait_for_event("approval", str), 3)
        except asyncio.TimeoutError:
            return "late"

    script = Script(flow)
    commands = script.start()
    assert sorted(kinds(commands)) == ["event", "timer"]
    timer = next(command["ref"] for command in commands if command["kind"] == "timer")
    event = next(command["ref"] for command in commands if command["kind"] == "event")
    assert script.done(timer) == [{"kind": "cancel", "ref": event}, {"kind": "complete", "output": "late"}]

    script = Script(flow)
    script.start()
    assert script.done(event, "yes") == [{"kind": "cancel", "ref": timer}, {"kind": "complete", "output": "yes"}]


@pytest.mark.skipif(not hasattr(asyncio, "timeout"), reason="asyncio.timeout and TaskGroup came with Python 3.11")
def test_asyncio_timeout_and_task_group() -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> list[Any]:
        seen: list[Any] = []
        try:
            async with asyncio.timeout(2):
                await ctx.wait_for_event("never")
        except TimeoutError:
            seen.append("late")
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_fails(ctx))
                other = group.create_task(_waits(ctx))
        except BaseException as error:
            seen.append(type(error).__name__)
        seen.append(other.cancelled())
        return seen

    async def _fails(ctx: WorkflowContext) -> None:
        await ctx.call(ship, "a")

    async def _waits(ctx: WorkflowContext) -> None:
        await ctx.wait_for_event("never")

    script = Script(flow)
    assert kinds(script.start()) == ["timer", "event"]
    assert kinds(script.done(1)) == ["cancel", "activity", "event"]
    assert script.failed(3) == [
        {"kind": "cancel", "ref": 4},
        {"kind": "complete", "output": ["late", "ExceptionGroup", True]},
    ]


def test_events_locks_and_queues_of_asyncio_work() -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> list[str]:
        order: list[str] = []
        lock, ready = asyncio.Lock(), asyncio.Event()

        async def worker(name: str) -> None:
            await ready.wait()
            async with lock:
                order.append(await ctx.call(ship, name))

        tasks = [asyncio.create_task(worker(name)) for name in "abc"]
        await ctx.sleep(1)
        ready.set()
        await asyncio.gather(*tasks)
        return order

    script = Script(flow)
    assert kinds(script.start()) == ["timer"]
    assert kinds(script.done(1)) == ["activity"]
    assert kinds(script.done(2, "A")) == ["activity"]
    assert kinds(script.done(3, "B")) == ["activity"]
    assert script.done(4, "C") == [{"kind": "complete", "output": ["A", "B", "C"]}]


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


@pytest.mark.parametrize("vector", conformance("bridge/random.json")["runs"], ids=lambda vector: vector["run"][:8])
def test_random_and_uuids_are_the_cores(vector: dict[str, Any]) -> None:
    random, uuids = WorkflowRandom(int(vector["seed"])), WorkflowUuids(vector["run"])
    assert [str(random.next_u64()) for _ in vector["u64"]] == vector["u64"]
    random.seed(int(vector["seed"]))
    assert [random.random() for _ in vector["f64"]] == [float(text) for text in vector["f64"]]
    made = [str(uuids.next()) for _ in range(12)]
    assert [*made[:3], made[11]] == vector["uuids"]


@pytest.mark.parametrize("vector", conformance("bridge/turns.json")["vectors"], ids=lambda vector: vector["name"])
def test_turns_are_answered_as_the_vectors_say(vector: dict[str, Any]) -> None:
    table = conformance("bridge/turns.json")
    host = WorkflowHost(Workflows([program({"name": "program", "body": vector["body"]})]))
    for index, task in enumerate(vector["tasks"]):
        assert set(task) <= {"more", "jobs", "steps", "stall"}
        asked = {"t": str(index), "id": table["id"], "run": table["run"], "more": task["more"], "jobs": task["jobs"]}
        (answer,) = json.loads(host.answer([asked]))["turns"]
        if "stall" in task:
            assert answer["stall"]["code"] == task["stall"]
        else:
            assert [_comparable(step) for step in answer["steps"]] == [_comparable(step) for step in task["steps"]]


def _comparable(step: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without stacks and without what an absent key says as well."""
    commands = []
    for command in step:
        error = command.get("error")
        while error is not None:
            error.pop("stack", None)
            if error.get("retryable") is True:
                del error["retryable"]
            error = error.get("cause")
        if command.get("keep_events") is True:
            del command["keep_events"]
        commands.append({key: value for key, value in command.items() if key == "status" or value is not False})
    return commands


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


async def _never() -> None:
    await asyncio.get_running_loop().create_future()


def _stalls() -> dict[str, Any]:
    async def sockets(ctx: WorkflowContext) -> None:
        await asyncio.open_connection("127.0.0.1", 1)

    async def threads(ctx: WorkflowContext) -> None:
        await asyncio.to_thread(print)

    async def processes(ctx: WorkflowContext) -> None:
        await asyncio.create_subprocess_exec("true")

    async def swallowed(ctx: WorkflowContext) -> str:
        try:
            await asyncio.to_thread(print)
        except Exception:
            return "fine"
        return ""

    async def foreign(ctx: WorkflowContext) -> None:
        await asyncio.wrap_future(concurrent.futures.Future[int]())

    async def nothing(ctx: WorkflowContext) -> None:
        await _never()

    async def by_thread(ctx: WorkflowContext) -> None:
        future = asyncio.get_running_loop().create_future()
        threading.Timer(0, lambda: None).start()
        await future

    return {name: value for name, value in locals().items() if callable(value)}


@pytest.mark.parametrize("name", _stalls())
def test_what_no_history_can_replay_stalls(name: str) -> None:
    script = Script(everstep.workflow(_stalls()[name]))
    assert script.stall()["code"] == "non_durable"
    assert script.instances == 0


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


def test_what_cannot_be_encoded_stalls() -> None:
    @everstep.workflow
    async def calls(ctx: WorkflowContext) -> None:
        await ctx.call_activity("a", float("nan"))

    @everstep.workflow
    async def returns(ctx: WorkflowContext) -> Any:
        return object()

    for flow in (calls, returns):
        assert Script(flow).stall()["code"] == "encode_failed"


def test_eviction_runs_finally_on_a_poisoned_context() -> None:
    seen: list[str] = []

    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> None:
        try:
            await asyncio.gather(ctx.sleep(1), branch(ctx))
        finally:
            seen.append("main")
            try:
                ctx.sleep(1)
            except everstep.WorkflowEvicted:
                seen.append("poisoned")

    async def branch(ctx: WorkflowContext) -> None:
        try:
            await ctx.sleep(2)
        finally:
            seen.append("branch")

    script = Script(flow)
    script.start()
    assert script.play({"kind": "evict", "reason": "full"}) == []
    assert sorted(seen) == ["branch", "main", "poisoned"]
    assert script.instances == 0
    assert script.play({"kind": "evict", "reason": "ended"}) == []


def test_an_unknown_version_stalls() -> None:
    @everstep.workflow(version="1")
    async def flow(ctx: WorkflowContext) -> str:
        return "one"

    @everstep.workflow(name="flow", version="2", latest=True)
    async def flow_two(ctx: WorkflowContext) -> str:
        return "two"

    script = Script(flow, flow_two)
    start = {"kind": "start", "name": "flow", "seed": "1"}
    assert script.play({**start, "version": "1"})[0]["output"] == "one"
    assert script.play(start)[0]["output"] == "two"
    assert script.stall({**start, "version": "3"})["code"] == "version_not_available"
    assert script.stall({**start, "name": "other"})["code"] == "version_not_available"


def test_one_bad_instance_leaves_the_batch_alone() -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext, n: int) -> int:
        if n == 1:
            await _never()
        return n

    host = Script(flow).host
    turn = {"kind": "turn", "now": 0, "replay": False, "patches": []}
    tasks = [
        {
            "t": str(n),
            "id": str(n),
            "run": "r",
            "jobs": [turn, {"kind": "start", "name": "flow", "seed": "1", "input": n}],
        }
        for n in range(3)
    ]
    answers = json.loads(host.answer(tasks))["turns"]
    assert ["stall" in answer for answer in answers] == [False, True, False]


@pytest.mark.parametrize("n", [1, 200])
def test_a_long_rebuild_is_one_task(n: int) -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> int:
        total = 0
        for _ in range(n):
            total += await ctx.call_activity("one", returns=int)
        return total

    script = Script(flow)
    jobs = [
        {"kind": "start", "name": "flow", "seed": "1"},
        *({"kind": "done", "ref": i + 1, "value": 1} for i in range(n)),
    ]
    commands = script.play(*jobs, replay=True)
    assert len(commands) == n + 1
    assert commands[-1] == {"kind": "complete", "output": n}


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


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: everstep.workflow(lambda ctx: None),  # type: ignore[type-var, arg-type, misc, return-value]
        lambda: everstep.workflow(5),  # type: ignore[call-overload]
        lambda: everstep.activity(name="")(reserve),
        lambda: Retry(max_attempts=0),
        lambda: Retry(backoff=0.5),
        lambda: Retry(first_interval=-1),
        lambda: Retry(non_retryable=ValueError),  # type: ignore[arg-type]
        lambda: everstep.RawPayload(b"{}"),  # type: ignore[arg-type]
    ],
)
def test_wrong_definitions_are_refused(wrong: Any) -> None:
    with pytest.raises(everstep.InvalidArgumentError):
        wrong()


def test_an_activity_takes_one_input() -> None:
    with pytest.raises(everstep.InvalidArgumentError, match="at most one input"):

        @everstep.activity
        def two(a: int, b: int) -> int:
            return a + b
