"""The worker end to end: threads, async activities, cancellation, poison, a blocked workflow."""

from __future__ import annotations

import asyncio
import logging
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import everstep
from everstep import ActivityContext, Client, RawPayload, Retry, RuntimeStatus, Worker, WorkflowContext
from everstep._host import watchdog
from everstep.errors import EverstepError


@everstep.activity
def echo(value: Any) -> Any:
    return value


@everstep.activity
async def echo_async(value: Any) -> Any:
    await asyncio.sleep(0)
    return value


@everstep.workflow
async def echoes(ctx: WorkflowContext, value: Any) -> Any:
    return await ctx.call(echo, await ctx.call(echo_async, value))


@everstep.workflow
async def waits(ctx: WorkflowContext) -> Any:
    ctx.set_custom_status("waiting")
    return await ctx.wait_for_event("go")


@pytest.mark.parametrize("value", [0, False, "", [], {}, None, "ä€😀", {"__proto__": 1}, 10**299, -1.5])
def test_values_arrive_as_sent(value: Any) -> None:
    with Client("memory:") as client, Worker(client, [echoes, waits], [echo, echo_async]):
        handle = client.start_workflow(echoes, value)
        assert handle.result(timeout=30) == value
        assert handle.get().input == value
        waiting = client.start_workflow(waits)
        waiting.raise_event("GO", value)
        assert waiting.result(timeout=30) == value


def test_the_calls_of_daprs_guide() -> None:
    with Client("memory:") as client, Worker(client, [echoes, waits], [echo, echo_async]):
        client.start_workflow(
            instance_id="order-7",
            workflow_component="dapr",
            workflow_name="waits",
            input=None,
            workflow_options={},
        )
        client.wait_for_workflow_start("order-7", timeout=30)
        client.pause_workflow(instance_id="order-7", workflow_component="dapr")
        assert client.get_workflow(instance_id="order-7", workflow_component="dapr").runtime_status == "SUSPENDED"
        client.resume_workflow(instance_id="order-7", workflow_component="dapr")
        client.raise_workflow_event(
            instance_id="order-7", workflow_component="dapr", event_name="go", event_data={"by": "eve"}
        )
        state = client.wait_for_workflow_completion("order-7", timeout=30)
        assert state.runtime_status is RuntimeStatus.COMPLETED
        assert state.properties["dapr.workflow.output"] == '{"by":"eve"}'
        client.terminate_workflow(instance_id="order-7", workflow_component="dapr")
        assert client.purge_workflow(instance_id="order-7", workflow_component="dapr") == 1
        with pytest.raises(everstep.NotFoundError):
            client.get_workflow("order-7")


def test_results_are_of_their_types_and_errors_keep_their_chain() -> None:
    @everstep.activity
    def fails() -> None:
        try:
            open("/nowhere/at/all")
        except OSError as error:
            raise KeyError("no order") from error

    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> None:
        await ctx.call(fails, retry=Retry(max_attempts=2, first_interval=0.001))

    with Client("memory:") as client, Worker(client, [flow], [fails]):
        handle = client.start_workflow(flow, instance_id="a")
        with pytest.raises(everstep.WorkflowFailedError) as caught:
            handle.result(timeout=30)
    failure = caught.value.failure
    assert failure is not None
    assert [item.error_type for item in failure.chain()] == ["KeyError", "FileNotFoundError"]
    assert "fails" in (failure.stack_trace or "")
    assert caught.value.instance_id == "a"


def test_an_output_that_does_not_fit_stays_readable() -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> int:
        return "text"  # type: ignore[return-value]

    with Client("memory:") as client, Worker(client, [flow]):
        handle = client.start_workflow(flow)
        with pytest.raises(everstep.DecodeError) as caught:
            handle.result(timeout=30)
        assert caught.value.text == '"text"'
        assert handle.get().raw_output == '"text"'


def test_sync_activities_run_side_by_side_and_async_ones_need_no_thread() -> None:
    barrier = threading.Barrier(4)

    @everstep.activity
    def meet(n: int) -> int:
        barrier.wait(30)
        return n

    dozing, all_doze = [], asyncio.Event()

    @everstep.activity
    async def doze(n: int) -> int:
        dozing.append(n)
        if len(dozing) == 200:
            all_doze.set()
        await asyncio.wait_for(all_doze.wait(), 30)
        return n

    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> int:
        met = await ctx.all([ctx.call(meet, n) for n in range(4)])
        dozed = await ctx.all([ctx.call(doze, n) for n in range(200)])
        return sum(met) + sum(dozed)

    with Client("memory:") as client, Worker(client, [flow], [meet, doze], activity_threads=4):
        assert client.start_workflow(flow).result(timeout=60) == 6 + 19900


def test_long_activities_do_not_hold_short_ones_in_their_chunk() -> None:
    release = threading.Event()

    @everstep.activity
    def maybe_long(n: int) -> int:
        if n == 0:
            release.wait(30)
        return n

    @everstep.workflow
    async def warm(ctx: WorkflowContext) -> None:
        await ctx.call(maybe_long, 1)

    @everstep.workflow
    async def flow(ctx: WorkflowContext, n: int) -> int:
        return await ctx.call(maybe_long, n)

    with Client("memory:") as client, Worker(client, [warm, flow], [maybe_long], activity_threads=3):
        client.start_workflow(warm).result(timeout=30)
        slow = client.start_workflow(flow, 0)
        time.sleep(0.05)
        quick = [client.start_workflow(flow, n) for n in range(1, 30)]
        assert [handle.result(timeout=30) for handle in quick] == list(range(1, 30))
        release.set()
        assert slow.result(timeout=30) == 0


def test_an_activity_knows_its_task() -> None:
    seen: list[tuple[str, int, str]] = []

    @everstep.activity
    def once(ctx: ActivityContext, n: int) -> int:
        assert everstep.current_activity() is ctx
        seen.append((ctx.instance_id, ctx.attempt, ctx.task_key))
        if ctx.attempt < 3:
            raise ValueError(n)
        return n

    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> int:
        return await ctx.call(once, 5, retry=Retry(first_interval=0.001))

    with Client("memory:") as client, Worker(client, [flow], [once]):
        assert client.start_workflow(flow, instance_id="a").result(timeout=30) == 5
    assert [(id, attempt) for id, attempt, _ in seen] == [("a", 1), ("a", 2), ("a", 3)]
    assert len({key for _, _, key in seen}) == 1
    with pytest.raises(everstep.FailedPreconditionError):
        everstep.current_activity()


def test_activities_are_told_that_nobody_waits() -> None:
    begun, told = threading.Event(), threading.Event()
    cancelled: list[str] = []

    @everstep.activity
    def sync(ctx: ActivityContext) -> None:
        begun.set()
        if ctx.wait_cancelled(30):
            told.set()

    @everstep.activity
    async def asynchronous() -> None:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            cancelled.append("yes")
            raise

    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> str:
        try:
            # On a busy machine an attempt's time may be over before it begins; one of them has begun.
            await ctx.call(asynchronous, timeout=0.1, retry=Retry(max_attempts=3, first_interval=0.001))
        except everstep.WaitTimeout:
            pass
        task = ctx.call(sync)
        await ctx.wait_for_event("begun")
        task.cancel()
        return "done"

    with Client("memory:") as client, Worker(client, [flow], [sync, asynchronous]):
        handle = client.start_workflow(flow)
        assert begun.wait(30)
        handle.raise_event("begun")
        assert handle.result(timeout=30) == "done"
        assert told.wait(30)
    assert set(cancelled) == {"yes"}


def test_poison_fails_exactly_the_bad_item() -> None:
    deep: Any = 0
    for _ in range(900):
        deep = [deep]
    poison: dict[str, Any] = {
        "deep": RawPayload("[" * 100_000 + "]" * 100_000),
        "broken": RawPayload('{"a":'),
        "nan": RawPayload("NaN"),
        "digits": RawPayload("1" * 5000),
        "nothing": RawPayload("\u0000"),
    }
    fine: dict[str, Any] = {
        "big": "x" * (4 * 1024 * 1024 - 100),
        "small": "x" * 100,
        "nested": deep,
        "number": 10**1000,
        "surrogate": RawPayload('"\\ud800"'),
        "proto": {"__proto__": {"a": 1}},
    }

    @everstep.workflow
    async def size(ctx: WorkflowContext, value: Any) -> int:
        await ctx.sleep(0.001)
        return len(repr(value)) if not isinstance(value, int) else 1

    with Client("memory:") as client:
        handles = {name: client.start_workflow(size, value) for name, value in {**poison, **fine}.items()}
        with Worker(client, [size]):
            for name in fine:
                assert handles[name].result(timeout=30) > 0, name
            for name, sent in poison.items():
                with pytest.raises(everstep.WorkflowFailedError) as caught:
                    handles[name].result(timeout=30)
                assert caught.value.failure is not None
                assert caught.value.failure.error_type == "DecodeError", name
                state = handles[name].get()
                assert state.raw_input == sent.text
                with pytest.raises(everstep.DecodeError):
                    _ = state.input


def test_poisoned_outputs_fail_alone() -> None:
    @everstep.activity
    def bad(kind: str) -> Any:
        return {"nan": float("nan"), "surrogate": "\ud800", "object": object(), "fine": 1}[kind]

    @everstep.workflow
    async def flow(ctx: WorkflowContext, kind: str) -> Any:
        return await ctx.call(bad, kind)

    with Client("memory:") as client, Worker(client, [flow], [bad]):
        handles = {kind: client.start_workflow(flow, kind) for kind in ("nan", "surrogate", "object", "fine")}
        assert handles.pop("fine").result(timeout=30) == 1
        for handle in handles.values():
            with pytest.raises(everstep.WorkflowFailedError) as caught:
                handle.result(timeout=30)
            assert caught.value.failure is not None
            assert caught.value.failure.error_type == "InvalidArgumentError"


def test_what_cannot_go_on_stalls_and_says_why() -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> None:
        await asyncio.to_thread(print)

    with Client("memory:") as client, Worker(client, [flow]):
        handle = client.start_workflow(flow)
        with pytest.raises(everstep.WorkflowStalledError, match="run_in_executor"):
            handle.result(timeout=30)
        assert handle.get().runtime_status is RuntimeStatus.STALLED


def test_a_blocked_workflow_is_named_and_interrupted(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "WARN_AFTER", 0.5)
    monkeypatch.setattr(watchdog, "INTERRUPT_AFTER", 1.5)
    monkeypatch.setattr(watchdog, "LOOK_EVERY", 0.05)

    @everstep.workflow
    async def spins(ctx: WorkflowContext) -> None:
        while True:
            pass

    with Client("memory:") as client, Worker(client, [spins, echoes], [echo, echo_async]):
        handle = client.start_workflow(spins, instance_id="spinning")
        with pytest.raises(everstep.WorkflowStalledError):
            handle.result(timeout=30)
        assert client.start_workflow(echoes, 1).result(timeout=30) == 1
    (warning,) = [record.getMessage() for record in caplog.records if "spinning" in record.getMessage()]
    assert "in spins" in warning


def test_a_thread_that_cannot_be_interrupted_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "WARN_AFTER", 0.5)
    monkeypatch.setattr(watchdog, "INTERRUPT_AFTER", 1.5)
    monkeypatch.setattr(watchdog, "REPLACE_AFTER", 2.0)
    monkeypatch.setattr(watchdog, "LOOK_EVERY", 0.05)
    stuck, release = threading.Event(), threading.Event()

    @everstep.workflow
    async def sleeps(ctx: WorkflowContext) -> None:
        stuck.set()
        # One call that is not Python, as far as an interrupt goes.
        while not release.wait(30):
            pass

    with Client("memory:") as client, Worker(client, [sleeps, echoes], [echo, echo_async]):
        handle = client.start_workflow(sleeps)
        assert stuck.wait(30)
        others = [client.start_workflow(echoes, n) for n in range(5)]
        assert [other.result(timeout=30) for other in others] == list(range(5))
        with pytest.raises(everstep.WorkflowStalledError):
            handle.result(timeout=30)
        release.set()


def test_a_spinning_thread_beside_the_worker() -> None:
    stop = threading.Event()

    def spin() -> None:
        while not stop.is_set():
            sum(range(100))

    spinner = threading.Thread(target=spin)
    spinner.start()
    try:
        with Client("memory:") as client, Worker(client, [echoes], [echo, echo_async]):
            handles = [client.start_workflow(echoes, n) for n in range(50)]
            assert [handle.result(timeout=30) for handle in handles] == list(range(50))
    finally:
        stop.set()
        spinner.join()


def test_many_threads_share_a_client() -> None:
    results: list[int] = []

    def ask(client: Client, n: int) -> None:
        results.append(client.start_workflow(echoes, n).result(timeout=30))

    with Client("memory:") as client, Worker(client, [echoes], [echo, echo_async]):
        threads = [threading.Thread(target=ask, args=(client, n)) for n in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(results) == list(range(20))


def test_closing_ends_all_threads_and_hands_back_what_was_at_work(endpoint: str) -> None:
    before = threading.active_count()
    first = threading.Event()

    @everstep.activity
    def slow(ctx: ActivityContext) -> str:
        if not first.is_set():
            first.set()
            ctx.wait_cancelled(30)
        return "done"

    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> str:
        return await ctx.call(slow)

    with Client(endpoint) as client:
        with Worker(client, [flow], [slow], shutdown_timeout=0.1):
            handle = client.start_workflow(flow, instance_id="a")
            assert first.wait(30)
        assert threading.active_count() == before
        with Worker(client, [flow], [slow]):
            assert handle.result(timeout=30) == "done"
    assert threading.active_count() == before


def test_a_worker_on_an_engine_is_ready_while_it_is_open() -> None:
    with Client("memory:") as client:
        worker = Worker(client, [echoes], [echo, echo_async])
        assert not worker.is_ready
        with pytest.raises(everstep.FailedPreconditionError):
            worker.wait_until_ready(30)
        with worker:
            worker.wait_until_ready(30)
            assert worker.is_ready
        assert not worker.is_ready
        with pytest.raises(everstep.ClosedError):
            worker.wait_until_ready(30)


def test_a_worker_without_its_sidecar_says_why_it_is_not_ready(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as taken:
        # Bound and not listened on: a connection is refused, now and later.
        taken.bind(("127.0.0.1", 0))
        endpoint = f"grpc://127.0.0.1:{taken.getsockname()[1]}"
        with caplog.at_level(logging.INFO, "everstep.worker"), Client(endpoint) as client:
            for workflows, activities in (([echoes], []), ([], [echo])):
                caplog.clear()
                with Worker(client, workflows, activities, shutdown_timeout=0) as worker:
                    assert not worker.is_ready
                    with pytest.raises(everstep.OperationTimeoutError, match="nothing answers"):
                        worker.wait_until_ready(0.5)
                told = [record for record in caplog.records if endpoint in record.getMessage()]
                assert [record.levelno for record in told] == [logging.WARNING], "said once, not at each attempt"


def test_closed_clients_and_workers_say_so() -> None:
    client = Client("memory:")
    worker = Worker(client, [echoes], [echo, echo_async])
    worker.start()
    with pytest.raises(everstep.FailedPreconditionError):
        worker.start()
    worker.close()
    worker.close()
    assert worker.is_closed
    assert worker.wait(0)
    with pytest.raises(everstep.ClosedError):
        worker.start()
    client.close()
    client.close()
    assert client.is_closed
    with pytest.raises(everstep.ClosedError):
        client.start_workflow(echoes, 1)
    with pytest.raises(everstep.ClosedError):
        Worker(client, [echoes]).start()


def test_closing_lets_go_of_who_waits(endpoint: str) -> None:
    errors: list[BaseException] = []

    def wait(handle: everstep.WorkflowHandle[Any]) -> None:
        try:
            handle.result()
        except everstep.ClosedError as error:
            errors.append(error)

    with Client(endpoint) as client, Worker(client, [waits]):
        handle = client.start_workflow(waits)
        handle.wait_for_start(10)
        waiting = threading.Thread(target=wait, args=(handle,))
        waiting.start()
    waiting.join(20)
    assert not waiting.is_alive()
    assert len(errors) == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.start_workflow(),
        lambda client: client.start_workflow(echo, 1),
        lambda client: client.start_workflow(len, 1),
        lambda client: client.start_workflow("a", instance_id=7),
        lambda client: client.start_workflow("a", instance_id="a/b"),
        lambda client: client.start_workflow("a", instance_id=""),
        lambda client: client.start_workflow("a", instance_id="\ud800"),
        lambda client: client.start_workflow("a", workflow_name="b"),
        lambda client: client.start_workflow("a", object()),
        lambda client: client.start_workflow("a", float("nan")),
        lambda client: client.start_workflow("a", workflow_component="other"),
        lambda client: client.start_workflow("a", workflow_options={"a": 1}),
        lambda client: client.start_workflow("a", workflow_options=[1]),
        lambda client: client.start_workflow("a", tags={1: "a"}),
        lambda client: client.start_workflow("a", reuse="maybe"),
        lambda client: client.start_workflow("a", start_at="now"),
        lambda client: client.get_workflow(None),
        lambda client: client.get_workflow(b"a"),
        lambda client: client.wait_for_workflow_completion("a", timeout="1"),
        lambda client: client.wait_for_workflow_completion("a", timeout=-1),
        lambda client: client.raise_workflow_event("a", ""),
        lambda client: client.raise_workflow_event("a", "b", {1j}),
        lambda client: client.terminate_workflow("a", output=object()),
        lambda client: client.list_workflows(statuses="RUNNING"),
        lambda client: client.list_workflows(statuses=["RUN"]),
        lambda client: client.list_workflows(page_size=0),
        lambda client: client.list_workflows(parent_instance_id=7),
        lambda client: client.count_workflows(statuses=["RUN"]),
        lambda client: client.purge_workflows(created_from="yesterday"),
        lambda client: client.purge_workflows(statuses=["RUNNING"]),
        lambda client: client.terminate_workflows(output=object()),
        lambda client: client.pause_workflows(reason=1),
        lambda client: client.resume_workflows(statuses=[RuntimeStatus.COMPLETED]),
        lambda client: Worker(client, echoes),
        lambda client: Worker(client, [echo]),
        lambda client: Worker(client, [], [echoes]),
        lambda client: Worker(client, [echoes, echoes]),
        lambda client: Worker(client, [echoes], max_cached=-1),
        lambda client: Worker(client, [echoes], activity_threads=0),
        lambda client: Worker("memory:", [echoes]),
    ],
)
def test_wrong_arguments_are_refused_and_nothing_is_written(call: Any) -> None:
    with Client("memory:") as client:
        with pytest.raises(everstep.InvalidArgumentError) as caught:
            call(client)
        assert caught.value.message
        assert list(client.list_workflows()) == []


@pytest.mark.parametrize(
    "make",
    [
        lambda: Client("mem"),
        lambda: Client(7),  # type: ignore[arg-type]
        lambda: Client("memory:", durability="maybe"),  # type: ignore[arg-type]
        lambda: Client("memory:", call_timeout=0),
        lambda: Client("memory:", max_payload_bytes=0),
        lambda: Client("memory:", components={"archive": "nowhere"}),
    ],
)
def test_wrong_options_are_refused(make: Any) -> None:
    with pytest.raises(everstep.InvalidArgumentError):
        make()


def test_limits_locks_and_remote_endpoints_say_so(endpoint: str, tmp_path: Path) -> None:
    with Client(endpoint, max_payload_bytes=100) as client:
        with pytest.raises(everstep.PayloadTooLargeError):
            client.start_workflow("a", "x" * 200)
        with pytest.raises(everstep.NotFoundError) as caught:
            client.get_workflow("nobody")
        assert (caught.value.operation, caught.value.instance_id) == ("get_workflow", "nobody")
        code = f"import everstep\neverstep.Client({endpoint!r}).start_workflow('a')"
        import subprocess

        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
        assert "StoreLockedError" in done.stderr
    # Nothing listens there: a remote endpoint opens without a connection.
    with Client("http://127.0.0.1:1", call_timeout=0.2) as client, pytest.raises(everstep.UnavailableError):
        client.get_workflow("nobody")


def test_timeouts_are_typed() -> None:
    with Client("memory:") as client, Worker(client, [waits]):
        handle = client.start_workflow(waits)
        with pytest.raises(TimeoutError) as caught:
            handle.result(timeout=0.05)
        assert isinstance(caught.value, EverstepError)
        assert caught.value.retryable
        handle.raise_event("go")
        assert handle.result(timeout=30) is None


def test_listing_history_and_handles() -> None:
    with Client("memory:") as client, Worker(client, [echoes], [echo, echo_async]):
        handles = [client.start_workflow(echoes, n, instance_id=f"i-{n}") for n in range(5)]
        for handle in handles:
            handle.wait_for_completion(30)
        listed = list(client.list_workflows(page_size=2, statuses=[RuntimeStatus.COMPLETED]))
        assert {state.instance_id for state in listed} == {f"i-{n}" for n in range(5)}
        kinds = [event.type for event in handles[0].history()]
        assert kinds.count("TaskCompleted") == 2
        assert client.get_handle("i-3", echoes).result(timeout=30) == 3
        assert client.purge_workflows(workflow_name="echoes") == 5


def test_instances_rebuild_when_nothing_is_cached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVERSTEP_MAX_CACHED", "0")
    with Client("memory:") as client, Worker(client, [echoes], [echo, echo_async]) as worker:
        assert client.start_workflow(echoes, 3).result(timeout=30) == 3
        assert len(worker._host._instances) <= 1
    monkeypatch.setenv("EVERSTEP_MAX_CACHED", "many")
    with Client("memory:") as client, pytest.raises(everstep.InvalidArgumentError):
        Worker(client, [echoes])


def test_workflow_logs_once(caplog: pytest.LogCaptureFixture) -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> None:
        ctx.logger.warning("before")
        await ctx.sleep(0.01)
        ctx.logger.warning("after")

    with caplog.at_level(logging.WARNING), Client("memory:") as client:
        with Worker(client, [flow], max_cached=0):
            client.start_workflow(flow).result(timeout=30)
    assert [record.message for record in caplog.records if record.name == "everstep.workflow"] == ["before", "after"]


OPEN_AND_START = """
import sys
from everstep import Client
with Client(sys.argv[1]) as client:
    client.start_workflow("echoes", 1)
"""


def test_the_file_is_free_once_both_are_closed(tmp_path: Path) -> None:
    endpoint = f"sqlite:{tmp_path / 'workflows.db'}"
    with Client(endpoint) as client, Worker(client, [echoes], [echo, echo_async]) as worker:
        assert client.start_workflow(echoes, 1).result(timeout=30) == 1
    done = subprocess.run(
        [sys.executable, "-c", OPEN_AND_START, endpoint], check=False, timeout=60, capture_output=True
    )
    # Both are still referred to; that must not keep the file.
    assert worker.is_closed
    assert client.is_closed
    assert done.returncode == 0, done.stderr.decode()
