"""Reruns from Python: what names an event, and what the handles are. Their meaning is in the conformance cases."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

import everstep
from everstep import AsyncClient, Client, Worker

keys: list[tuple[int, str]] = []


@dataclass
class Total:
    amount: int


@everstep.activity
def double(n: int) -> int:
    keys.append((n, everstep.current_activity().task_key))
    return 2 * n


@everstep.workflow
async def doubles(ctx: everstep.WorkflowContext, n: int) -> Total:
    for _ in range(3):
        n = await ctx.call(double, n)
    return Total(n)


@pytest.fixture
def client() -> Iterator[Client]:
    keys.clear()
    with Client("memory:") as client, Worker(client, [doubles], [double]):
        yield client


def test_a_handle_reruns_from_an_event_and_keeps_the_type_of_its_output(client: Client) -> None:
    handle = client.start_workflow(doubles, 1, instance_id="one")
    assert handle.result(timeout=30) == Total(8)
    scheduled = [event for event in handle.history() if event.type == "TaskScheduled"]
    again = handle.rerun(scheduled[1], new_instance_id="two")
    assert again.instance_id == "two"
    assert again.result(timeout=30) == Total(8)
    assert again.execution_id not in (None, handle.execution_id)
    assert handle.rerun(scheduled[1], input=10).result(timeout=30) == Total(40)
    assert [n for n, _ in keys] == [1, 2, 4, 2, 4, 10, 20]
    assert len({key for _, key in keys}) == len(keys), "what runs again has a key of its own"


def test_an_event_is_named_by_its_id_too(client: Client) -> None:
    client.start_workflow(doubles, 1, instance_id="one").result(timeout=30)
    again = client.rerun_workflow("one", 3, new_instance_id="two", input=None)
    with pytest.raises(everstep.WorkflowFailedError):
        again.result(timeout=30)
    assert client.rerun_workflow("one", 3).result(timeout=30) == {"amount": 8}


@pytest.mark.parametrize("event", ["1", 1.0, True, None, 2**31, -1])
def test_what_names_no_event_is_refused(client: Client, event: Any) -> None:
    client.start_workflow(doubles, 1, instance_id="one").result(timeout=30)
    with pytest.raises(everstep.InvalidArgumentError, match="from_event"):
        client.rerun_workflow("one", event)


def test_an_answer_is_no_event_to_go_on_from(client: Client) -> None:
    handle = client.start_workflow(doubles, 1, instance_id="one")
    handle.result(timeout=30)
    [answer, *_] = [event for event in handle.history() if event.type == "TaskCompleted"]
    with pytest.raises(everstep.InvalidArgumentError):
        handle.rerun(answer)
    with pytest.raises(everstep.NotFoundError, match="1, 2, 3"):
        handle.rerun(7)


def test_it_is_awaited_with_the_other_flavour() -> None:
    async def main() -> None:
        async with AsyncClient("memory:") as client, Worker(client, [doubles], [double]):
            handle = await client.start_workflow(doubles, 1, instance_id="one")
            assert await handle.result(timeout=30) == Total(8)
            [first, *_] = [event for event in await handle.history() if event.type == "TaskScheduled"]
            again = await handle.rerun(first, input=2)
            assert await again.result(timeout=30) == Total(16)
            assert await (await client.rerun_workflow("one", 1)).result(timeout=30) == {"amount": 8}

    asyncio.run(asyncio.wait_for(main(), 60))
