"""Values that cannot be read or written, and workflows that cannot go on or do not give their turn back."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

import everstep
from echoes import echo, echo_async, echoes
from everstep import Client, RawPayload, RuntimeStatus, Worker, WorkflowContext
from everstep._host import watchdog


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
