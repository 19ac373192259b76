"""Both codecs carry everything that a workflow sends, live and replayed, and leave no clear text in the file."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import everstep
import pytest

pytest.importorskip("cryptography")
sys.path.insert(0, str(Path(__file__).parent))

from compressing import Compressing
from cryptography.exceptions import InvalidTag
from encrypting import Encrypting

if TYPE_CHECKING:
    from collections.abc import Callable

# Put together at run time: a stack trace shows the lines of the source.
MARK = "".join(["TOP", "SECRET"])
LONG = f"{MARK} " * 400
KEYS = {"old": bytes(range(32)), "new": bytes(range(32, 64))}
CODECS: dict[str, Callable[[], everstep.Codec]] = {
    "compressing": lambda: Compressing(above=0),
    "encrypting": lambda: Encrypting(KEYS, "new"),
    "both": lambda: Encrypting(KEYS, "new", inner=Compressing()),
}


@dataclass
class Order:
    note: str
    count: int = 1


class Refused(Exception):
    pass


@everstep.activity
def double(order: Order) -> Order:
    return Order(order.note, order.count * 2)


@everstep.activity
async def refuses(text: str) -> None:
    try:
        raise LookupError(f"inner {text}")
    except LookupError as error:
        raise Refused(f"outer {text}") from error


@everstep.workflow
async def child(ctx: everstep.WorkflowContext, text: str) -> str:
    ctx.set_custom_status(text)
    raise Refused(f"child {text}")


@everstep.workflow
async def listener(ctx: everstep.WorkflowContext) -> Order:
    return await ctx.wait_for_event("order", Order)


@everstep.workflow
async def everything(ctx: everstep.WorkflowContext, order: Order) -> dict[str, Any]:
    if order.count == 1:
        ctx.continue_as_new(await ctx.call(double, order))
    ctx.set_custom_status({"note": order.note})
    raised = await ctx.wait_for_event("order", Order)
    ctx.send_event(f"{ctx.instance_id}-listener", "order", raised)
    seen = []
    retry = everstep.Retry(max_attempts=2, first_interval=0.001)
    for call in (ctx.call(refuses, order.note, retry=retry), ctx.call(child, order.note)):
        try:
            await call
        except (everstep.ActivityError, everstep.ChildWorkflowError) as error:
            assert error.failure is not None
            seen.append([error.error_type, error.failure.message, error.is_caused_by("LookupError")])
            assert MARK in str(error)
    return {"order": [order.note, order.count, raised.count], "seen": seen}


@everstep.workflow
async def fails(ctx: everstep.WorkflowContext, text: str) -> None:
    try:
        await ctx.call(refuses, text)
    except everstep.ActivityError as error:
        raise RuntimeError(f"flow {text}") from error


WORKFLOWS: list[Callable[..., Any]] = [child, listener, everything, fails]
ACTIVITIES: list[Callable[..., Any]] = [double, refuses]
EXPECTED = {
    "order": [LONG, 2, 7],
    "seen": [["Refused", f"outer {LONG}", True], ["Refused", f"child {LONG}", False]],
}


def clear(directory: Path) -> list[str]:
    """The files that hold clear text."""
    return [file.name for file in directory.iterdir() if MARK.encode() in file.read_bytes()]


@pytest.fixture(params=CODECS)
def codec(request: pytest.FixtureRequest) -> everstep.Codec:
    return CODECS[request.param]()


@pytest.mark.parametrize("cached", ["1000", "0"], ids=["cached", "replayed"])
def test_everything_goes_there_and_back(
    codec: everstep.Codec, cached: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVERSTEP_MAX_CACHED", cached)
    endpoint = f"sqlite:{tmp_path / 'workflows.db'}"
    with (
        everstep.Client(endpoint, codec=codec) as client,
        everstep.Worker(client, WORKFLOWS, ACTIVITIES),
    ):
        listens = client.start_workflow(listener, instance_id="all-listener")
        handle = client.start_workflow(everything, Order(LONG), instance_id="all")
        handle.raise_event("order", Order(LONG, 7))
        assert handle.result(timeout=30) == EXPECTED
        assert listens.result(timeout=30) == Order(LONG, 7)
        state = handle.get()
        assert state.input_as(Order) == Order(LONG, 2)
        assert state.output == EXPECTED
        assert state.custom_status == {"note": LONG}
        assert MARK not in str(state.raw_input) + str(state.raw_output) + str(state.raw_custom_status)
        assert handle.wait_for_completion(timeout=30).output == EXPECTED

        failed = client.start_workflow(fails, LONG)
        with pytest.raises(everstep.WorkflowFailedError) as caught:
            failed.result(timeout=30)
        check_failure(caught.value.failure)
        check_failure(failed.get().failure)
        assert f"flow {LONG}" in str(caught.value)
        events = failed.history()
        assert [each.failure.message for each in events.failures if each.failure] == [
            f"outer {LONG}",
            f"flow {LONG}",
        ]
        assert [each.input for each in events.calls] == [LONG]

        paused = client.start_workflow(listener)
        paused.terminate(output={"note": LONG})
        assert paused.wait_for_completion(timeout=30).output == {"note": LONG}
        client.start_workflow(
            "everything", everstep.RawPayload(f'{{"note":"{LONG}","count":3}}'), instance_id="raw"
        )
        assert client.get_workflow("raw").input_as(Order) == Order(LONG, 3)
        assert clear(tmp_path) == []
    assert clear(tmp_path) == []


def test_without_a_codec_the_text_is_found(tmp_path: Path) -> None:
    with everstep.Client(f"sqlite:{tmp_path / 'workflows.db'}") as client:
        client.start_workflow("everything", Order(LONG))
    assert clear(tmp_path) != []


def check_failure(failure: everstep.Failure | None) -> None:
    assert failure is not None
    assert [each.error_type for each in failure.chain()] == ["RuntimeError", "Refused", "LookupError"]
    assert [each.message for each in failure.chain()] == [f"flow {LONG}", f"outer {LONG}", f"inner {LONG}"]
    assert all("Traceback" in str(each.stack_trace) for each in failure.chain())


def test_the_asyncio_client_takes_a_codec_too(codec: everstep.Codec, tmp_path: Path) -> None:
    async def main() -> None:
        async with everstep.AsyncClient(f"sqlite:{tmp_path / 'workflows.db'}", codec=codec) as client:
            worker = everstep.Worker(client, WORKFLOWS, ACTIVITIES)
            async with worker:
                handle = await client.start_workflow(listener)
                await handle.raise_event("order", Order(LONG))
                assert await handle.result(timeout=30) == Order(LONG)
                with pytest.raises(everstep.WorkflowFailedError) as caught:
                    await (await client.start_workflow(fails, LONG)).result(timeout=30)
                check_failure(caught.value.failure)
                assert f"flow {LONG}" in str(caught.value)

    asyncio.run(main())
    assert clear(tmp_path) == []


def test_a_key_can_be_changed(tmp_path: Path) -> None:
    endpoint = f"sqlite:{tmp_path / 'workflows.db'}"
    with everstep.Client(endpoint, codec=Encrypting(KEYS, "old")) as client:
        client.start_workflow("everything", Order(MARK), instance_id="before")
    with everstep.Client(endpoint, codec=Encrypting(KEYS, "new")) as client:
        assert client.get_workflow("before").input_as(Order) == Order(MARK)
        client.start_workflow("everything", Order(MARK), instance_id="after")
        assert str(client.get_workflow("after").raw_input).startswith('"aes-gcm:new:')
    with everstep.Client(endpoint, codec=Encrypting({"new": KEYS["new"]}, "new")) as client:
        state = client.get_workflow("before")
        with pytest.raises(everstep.DecodeError, match="no key 'old'") as caught:
            state.input_as(Order)
        assert caught.value.text == state.raw_input


def test_what_was_not_encrypted_is_refused_unless_it_is_asked_for(tmp_path: Path) -> None:
    endpoint = f"sqlite:{tmp_path / 'workflows.db'}"
    with everstep.Client(endpoint) as client:
        client.start_workflow("everything", Order("clear"), instance_id="clear")
    with everstep.Client(endpoint, codec=Encrypting(KEYS, "new")) as client:
        with pytest.raises(everstep.DecodeError, match="not encrypted") as caught:
            _ = client.get_workflow("clear").input
        assert caught.value.text == '{"note":"clear","count":1}'
    with everstep.Client(endpoint, codec=Encrypting(KEYS, "new", accept_clear=True)) as client:
        assert client.get_workflow("clear").input_as(Order) == Order("clear")


def test_a_text_that_was_changed_is_refused() -> None:
    codec = Encrypting(KEYS, "new")
    sealed = codec.seal("[1]")
    assert codec.unseal(sealed) == "[1]"
    assert codec.seal("[1]") != sealed
    for other in (sealed.replace("new", "old"), sealed[:-6] + "AAAA=" + '"', '"aes-gcm:new:"', "[1]"):
        with pytest.raises((ValueError, InvalidTag)):
            codec.unseal(other)


def test_compression_leaves_small_texts_and_packs_large_ones() -> None:
    codec = Compressing()
    assert codec.seal("[1]") == "[1]"
    assert codec.unseal("[1]") == "[1]"
    assert len(codec.seal(f'"{LONG}"')) < len(LONG) / 10
    for text in ('"zlib:not packed"', '"zlib:', "", f'"{LONG}"'):
        assert codec.unseal(codec.seal(text)) == text


VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[1] / "vectors.json").read_text())
ALL_KEYS = {key_id: bytes.fromhex(key) for key_id, key in VECTORS["keys"].items()}
READERS: dict[str, everstep.Codec] = {
    "compressing": Compressing(),
    "encrypting": Encrypting(ALL_KEYS, "new"),
    "both": Encrypting(ALL_KEYS, "new", inner=Compressing()),
}


@pytest.mark.parametrize(
    "vector", VECTORS["unseal"], ids=lambda vector: f"{vector['codec']}-{vector['clear'][:20]}"
)
def test_what_any_language_has_sealed_is_read_here(vector: dict[str, str]) -> None:
    codec = READERS[vector["codec"]]
    for language in ("python", "node", "java"):
        assert codec.unseal(vector[language]) == vector["clear"], language


@pytest.mark.parametrize("vector", VECTORS["refuse"], ids=lambda vector: f"{vector['codec']}-{vector['why']}")
def test_what_no_language_reads(vector: dict[str, str]) -> None:
    with pytest.raises((ValueError, LookupError, InvalidTag, zlib.error)):
        READERS[vector["codec"]].unseal(vector["text"])


def test_the_demo_runs() -> None:
    demo = Path(__file__).with_name("demo.py")
    done = subprocess.run(
        [sys.executable, str(demo)], capture_output=True, text=True, timeout=60, check=True, env=os.environ
    )
    assert "not sent (ConnectionError): Ada Morgenstern: hay fever" in done.stdout
    assert "the name is in the file: False" in done.stdout
