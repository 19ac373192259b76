"""Codecs: all conformance cases through one, what reaches which method, and what is said when one fails."""

from __future__ import annotations

import functools
import json
import math
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

import everstep
import test_conformance
from everstep import Client, Codec, Worker, WorkflowContext
from everstep.errors import DecodeError, InvalidArgumentError
from everstep.testing import Environment


class Reversing(Codec):
    """Seals by writing backwards, and takes nothing that it has not sealed."""

    def seal(self, text: str) -> str:
        return json.dumps("sealed:" + text[::-1])

    def unseal(self, text: str) -> str:
        sealed = json.loads(text)
        if not isinstance(sealed, str) or not sealed.startswith("sealed:"):
            raise ValueError("not sealed by this")
        return sealed[len("sealed:") :][::-1]


class Custom:
    """What no annotation of JSON may be."""

    def __init__(self, value: int) -> None:
        self.value = value


class Words(Codec):
    """A form of its own, which is no JSON."""

    def encode(self, value: Any) -> str:
        return f"custom {value.value}" if isinstance(value, Custom) else f"json {super().encode(value)}"

    def decode(self, text: str, type: Any = Any) -> Any:
        kind, _, rest = text.partition(" ")
        if kind == "custom":
            assert type is Custom
            return Custom(int(rest))
        return super().decode(rest, type)


@everstep.activity
def doubled(custom: Custom) -> Custom:
    return Custom(custom.value * 2)


@everstep.workflow
async def doubles(ctx: WorkflowContext, custom: Custom) -> Custom:
    ctx.set_custom_status("at work")
    more = await ctx.wait_for_event("more", Custom)
    assert await ctx.call_activity("doubled", custom, returns=Custom)
    return await ctx.call(doubled, Custom(custom.value + more.value))


@everstep.workflow
async def takes_number(ctx: WorkflowContext, number: int) -> int:
    return number


@everstep.workflow
async def waits(ctx: WorkflowContext) -> int:
    return await ctx.wait_for_event("number", int)


SEALED = [run for run in test_conformance.RUNS if run[1] == "memory:" and run[2] != "restarted"]


@pytest.mark.parametrize(("name", "place", "mode"), SEALED, ids=["-".join(run).replace(":", "") for run in SEALED])
def test_every_case_holds_with_a_codec(name: str, place: str, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(everstep, "Client", functools.partial(Client, codec=Reversing()))
    # Sealed payloads show the random IDs that are in them.
    monkeypatch.setattr(test_conformance, "records_of", lambda *_, **__: None)
    test_conformance.test_case(name, place, mode)


def test_a_codec_may_have_a_form_of_its_own() -> None:
    with Client("memory:", codec=Words()) as client, Worker(client, [doubles], [doubled]):
        handle = client.start_workflow(doubles, Custom(3))
        handle.raise_event("more", Custom(4))
        assert handle.result(timeout=30).value == 14
        state = handle.get()
        assert (state.raw_input, state.raw_output, state.raw_custom_status) == (
            "custom 3",
            "custom 14",
            'json "at work"',
        )
        assert (state.input_as(Custom).value, state.custom_status) == (3, "at work")


def test_a_worker_may_have_a_codec_of_its_own() -> None:
    with Client("memory:") as client, Worker(client, [takes_number], codec=Reversing()):
        handle = client.start_workflow(takes_number, everstep.RawPayload(Reversing().seal("7")))
        assert handle.wait_for_completion(timeout=30).raw_output == Reversing().seal("7")
        with pytest.raises(DecodeError, match="does not fit int"):
            handle.result(timeout=30)


def test_the_testing_environment_takes_one() -> None:
    with Environment([takes_number], codec=Reversing()) as environment:
        handle = environment.client.start_workflow(takes_number, 7)
        assert handle.result(timeout=30) == 7
        assert handle.get().raw_output == Reversing().seal("7")


def test_what_cannot_be_unsealed_fails_the_call_and_stays_readable() -> None:
    with Client("memory:") as plain, Worker(plain, [takes_number, waits], codec=Reversing()):
        handle = plain.start_workflow(takes_number, 7)
        with pytest.raises(everstep.WorkflowFailedError) as caught:
            handle.result(timeout=30)
        assert caught.value.failure is not None
        assert caught.value.failure.error_type == "DecodeError"
        assert handle.get().raw_input == "7"
        waiting = plain.start_workflow(waits)
        waiting.raise_event("number", 3)
        with pytest.raises(everstep.WorkflowFailedError):
            waiting.result(timeout=30)


def test_what_an_activity_cannot_decode_is_not_tried_again() -> None:
    @everstep.activity
    def adds_one(number: int) -> int:
        return number + 1

    @everstep.workflow
    async def calls(ctx: WorkflowContext) -> list[Any]:
        try:
            await ctx.call_activity("adds_one", "text", retry=everstep.Retry(max_attempts=5, first_interval=60))
        except everstep.EverstepError as error:
            assert error.failure is not None
            return [error.code, error.failure.error_type, error.failure.non_retryable]
        return []

    # A second attempt would come in a minute, long after the test's patience.
    with Client("memory:") as client, Worker(client, [calls], [adds_one]):
        assert client.start_workflow(calls).result(timeout=30) == ["activity_failed", "DecodeError", True]


def test_an_activity_whose_output_cannot_be_encoded_is_not_run_again() -> None:
    ran = []

    @everstep.activity
    def gives_nothing_to_send() -> Any:
        ran.append(1)
        return object()

    @everstep.workflow
    async def calls(ctx: WorkflowContext) -> list[Any]:
        try:
            await ctx.call(gives_nothing_to_send, retry=everstep.Retry(max_attempts=5, first_interval=0.001))
        except everstep.ActivityError as error:
            return [error.error_type, error.failure.non_retryable if error.failure else None]
        return []

    with Client("memory:") as client, Worker(client, [calls], [gives_nothing_to_send]):
        assert client.start_workflow(calls).result(timeout=30) == ["InvalidArgumentError", True]
    assert ran == [1]


class Broken(Codec):
    def __init__(self, name: str, answer: Any) -> None:
        super().__init__()

        def raises(*_: Any) -> Any:
            if isinstance(answer, BaseException):
                raise answer
            return answer

        self.__class__ = type("Broken", (Codec,), {name: raises})  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("name", "answer", "reason"),
    [
        ("encode", RuntimeError("no words"), "input cannot be encoded: RuntimeError: no words"),
        ("seal", KeyError("no key"), "input cannot be encoded: KeyError: 'no key'"),
        ("seal", b"bytes", "input cannot be encoded: Broken gave bytes, not str"),
        ("encode", None, "input cannot be encoded: Broken gave NoneType, not str"),
        ("seal", "\ud800", "lone surrogate"),
    ],
)
def test_a_codec_that_cannot_write_says_so(name: str, answer: Any, reason: str) -> None:
    with (
        Client("memory:", codec=Broken(name, answer)) as client,
        pytest.raises(InvalidArgumentError, match=reason.replace("(", r"\(")),
    ):
        client.start_workflow("any", 1)


@pytest.mark.parametrize(
    ("name", "answer", "reason"),
    [
        ("unseal", RuntimeError("no key"), "cannot be unsealed: RuntimeError: no key"),
        ("decode", RuntimeError("no words"), "cannot be decoded: RuntimeError: no words"),
    ],
)
def test_a_codec_that_cannot_read_says_so(name: str, answer: Any, reason: str) -> None:
    with Client("memory:", codec=Broken(name, answer)) as client:
        handle = client.start_workflow("any", [1])
        with pytest.raises(DecodeError, match=reason) as caught:
            _ = handle.get().input
        assert caught.value.text == "[1]"
        assert isinstance(caught.value.__cause__, RuntimeError)


def test_a_failure_that_cannot_be_sealed_is_not_shown() -> None:
    @everstep.workflow
    async def fails(ctx: WorkflowContext) -> None:
        raise ValueError("secret")

    with Client("memory:", codec=Broken("seal", RuntimeError("no key"))) as client, Worker(client, [fails]):
        with pytest.raises(everstep.WorkflowFailedError) as caught:
            client.start_workflow(fails).result(timeout=30)
        assert caught.value.failure is not None
        assert caught.value.failure.error_type == "ValueError"
        assert caught.value.failure.message == "(Broken could not seal this: RuntimeError)"


@pytest.mark.parametrize("codec", [Codec, "json", object(), json])
def test_what_is_no_codec_is_refused(codec: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="codec must be"):
        Client("memory:", codec=codec)


# Other libraries for the JSON.


@dataclass
class Order:
    id: UUID
    at: datetime
    wait: timedelta
    price: Decimal
    tags: dict[UUID, list[float]]


ID = UUID("12345678-1234-5678-1234-567812345678")
ORDER = Order(
    ID, datetime(2026, 11, 21, tzinfo=timezone.utc), timedelta(seconds=1.5), Decimal("1.50"), {ID: [0.5, 1e300]}
)
BACKENDS = ["json", "orjson", "msgspec"]


def with_backend(name: Any) -> Codec:
    if name != "json":
        pytest.importorskip(name)
    return Codec(backend=name)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "value",
    [
        ORDER,
        [ORDER],
        {"a": ORDER},
        2**70,
        -(2**64),
        1e16,
        0.1,
        "é\u2028𝄞\x7f\n",
        None,
        [None, True, {}],
        {1: {2.5: None}},
        "",
    ],
    ids=repr,
)
def test_backends_mean_the_same(backend: str, value: Any) -> None:
    codec = with_backend(backend)
    text = codec.encode(value)
    assert json.loads(text) == json.loads(Codec().encode(value))
    assert codec.decode(text) == Codec().decode(text)
    if value is ORDER:
        assert codec.decode(text, Order) == ORDER


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("value", [math.nan, [math.inf], {"a": {1: math.nan}}, "\ud800", object(), {(1,): 2}], ids=repr)
def test_backends_refuse_the_same(backend: str, value: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="the value cannot be encoded"):
        with_backend(backend).encode(value)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("text", ["NaN", "{", "", "[1] 2", "\x00"], ids=repr)
def test_backends_read_the_same(backend: str, text: str) -> None:
    if text == "":
        assert with_backend(backend).decode(text) is None
        return
    with pytest.raises(DecodeError) as caught:
        with_backend(backend).decode(text)
    assert caught.value.text == text


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_workflow_runs_on_each_backend(backend: str) -> None:
    @everstep.activity
    def same(order: Order) -> Order:
        return order

    @everstep.workflow
    async def flow(ctx: WorkflowContext, order: Order) -> Order:
        return await ctx.call(same, order)

    codec = with_backend(backend)
    with Client("memory:", codec=codec) as client, Worker(client, [flow], [same], max_cached=0):
        assert client.start_workflow(flow, ORDER).result(timeout=30) == ORDER


def test_a_backend_that_is_not_there_says_so() -> None:
    with pytest.raises(InvalidArgumentError, match="backend must be"):
        Codec(backend="pickle")  # type: ignore[arg-type]
