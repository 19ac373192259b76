"""``ctx.all``, ``ctx.any`` and ``ctx.map``, without an engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import everstep
from everstep import Retry, WorkflowContext
from hosting import Script, ship


@everstep.activity
def double(n: int) -> int:
    return n * 2


@everstep.workflow
async def bill(ctx: WorkflowContext, n: int) -> str:
    return str(n)


def asked(commands: list[dict[str, Any]]) -> list[Any]:
    """Short forms of commands: the ref of what is given up, the input of what is asked for, the output of an end."""
    short: list[Any] = []
    for command in commands:
        if command["kind"] == "cancel":
            short.append(-command["ref"])
        else:
            short.append(command.get("input", command.get("output", command["kind"])))
    return short


def test_all_keeps_the_order() -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> Any:
        a, b = await ctx.all(ctx.call(ship, "a"), ctx.call(ship, "b"))
        many = await ctx.all([ctx.call(ship, name) for name in "cd"])
        return [a, b, many, await ctx.all([]), await ctx.all()]

    script = Script(flow)
    assert asked(script.start()) == ["a", "b"]
    assert script.done(2, "B") == []
    assert asked(script.done(1, "A")) == ["c", "d"]
    script.done(3, "C")
    assert asked(script.done(4, "D")) == [["A", "B", ["C", "D"], [], []]]


def test_all_raises_the_first_failure_and_leaves_the_rest() -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> Any:
        calls = [ctx.call(ship, name) for name in "abc"]
        try:
            await ctx.all(calls)
        except everstep.ActivityError as error:
            return [error.error_type, await calls[0], await calls[2]]

    script = Script(flow)
    script.start()
    assert script.failed(2, "Broken") == []
    script.done(3, "C")
    assert asked(script.done(1, "A")) == [["Broken", "A", "C"]]


def test_all_returns_exceptions() -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> Any:
        given_up = ctx.call(ship, "c")
        given_up.cancel()
        outcomes = await ctx.all(ctx.call(ship, "a"), ctx.call(ship, "b"), given_up, return_exceptions=True)
        assert type(outcomes) is tuple
        assert await ctx.all([], return_exceptions=True) == []
        return [type(each).__name__ if isinstance(each, BaseException) else each for each in outcomes]

    script = Script(flow)
    script.start()
    assert script.failed(2) == []
    assert asked(script.done(3, "B")) == [["ActivityError", "B", "CancelledError"]]


def test_the_same_awaitable_may_be_given_twice() -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> Any:
        async def branch() -> str:
            return await ctx.call(ship, "b")

        call, coroutine = ctx.call(ship, "a"), branch()
        both = await ctx.all(call, coroutine, call, coroutine)
        winner = await ctx.any(call, call)
        return [*both, winner is call, *(await ctx.all(call, call))]

    script = Script(flow)
    assert asked(script.start()) == ["a", "b"]
    script.done(1, "A")
    assert asked(script.done(2, "B")) == [["A", "B", "A", "B", True, "A", "A"]]


def test_groups_nest_and_take_what_is_done_already() -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> Any:
        early = ctx.call(ship, "early")
        await early
        inner = ctx.any(ctx.call(ship, "a"), ctx.call(ship, "b"))
        winner, pair, numbers = await ctx.all(
            inner, ctx.all(early, ctx.call(ship, "c")), ctx.map(double, [1], max_concurrency=1)
        )
        return [winner.result(), pair, numbers, (await ctx.any(ctx.call(ship, "d"), early)) is early]

    script = Script(flow)
    script.start()
    assert asked(script.done(1, "E")) == ["a", "b", "c", 1]
    assert asked(script.done(3, "B")) == [-2]
    script.done(4, "C")
    assert asked(script.done(5, 2)) == ["d", -6, ["B", ["E", "C"], [2], True]]


def test_any_cancels_the_rest() -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> Any:
        event, timer = ctx.wait_for_event("go", str), ctx.sleep(5)
        winner = await ctx.any(event, timer)
        return [winner is event, timer.cancelled()]

    script = Script(flow)
    script.start()
    assert asked(script.done(1, "now")) == [-2, [True, True]]


def test_any_without_cancelling_leaves_the_rest_even_when_it_is_cancelled() -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> Any:
        calls = [ctx.call(ship, name) for name in "ab"]
        try:
            await asyncio.wait_for(ctx.any(calls, cancel_rest=False), 1)
        except asyncio.TimeoutError:
            winner = await ctx.any(calls, cancel_rest=False)
        return [winner.result(), await calls[0]]

    script = Script(flow)
    assert asked(script.start()) == ["a", "b", "timer"]
    assert script.done(3) == []
    assert script.done(2, "B") == []
    assert asked(script.done(1, "A")) == [["B", "A"]]


def test_what_is_never_awaited_is_asked_for_all_the_same() -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> str:
        ctx.all(ctx.call(ship, "a"), ctx.call(ship, "b"))
        ctx.map(double, [1, 2], max_concurrency=1)
        return await ctx.call(ship, "c")

    script = Script(flow)
    assert asked(script.start()) == ["a", "b", 1, "c"]
    assert script.failed(1) == []
    assert asked(script.done(3, 2)) == [2]
    assert script.failed(5) == []
    assert asked(script.done(4, "C")) == ["C"]


def test_map_slides_its_window() -> None:
    read: list[int] = []

    def numbers() -> Iterator[int]:
        for n in range(5):
            read.append(n)
            yield n

    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> Any:
        return await ctx.map(double, numbers(), max_concurrency=2, timeout=3, retry=Retry(max_attempts=2))

    script = Script(flow)
    first, second = script.start()
    assert (first["name"], first["input"], first["timeout_ms"]) == ("double", 0, 3000)
    assert first["retry"]["max_attempts"] == second["retry"]["max_attempts"] == 2
    assert read == [0, 1]
    assert asked(script.done(2, 2)) == [2]
    assert read == [0, 1, 2]


def test_map_decodes_and_keeps_the_items_order() -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> Any:
        results = await ctx.map(double, range(5), max_concurrency=2)
        assert all(type(result) is int for result in results)
        return results

    script = Script(flow)
    assert asked(script.start()) == [0, 1]
    assert asked(script.done(2, 11)) == [2]
    assert asked(script.done(3, 12)) == [3]
    assert asked(script.done(1, 10)) == [4]
    assert script.done(5, 14) == []
    assert asked(script.done(4, 13)) == [[10, 11, 12, 13, 14]]


def test_map_takes_workflows_names_and_generators() -> None:
    @everstep.workflow
    def flow(ctx: WorkflowContext) -> Any:
        bills = yield ctx.map(bill, {7: "seven", 8: "eight"})
        named = yield ctx.map("pack", (name for name in "ab"), returns=tuple, max_concurrency=9)
        nothing = yield ctx.map(double, [], max_concurrency=1)
        return [bills, [type(each).__name__ for each in named], nothing]

    script = Script(flow)
    assert [(command["kind"], command["name"], command["input"]) for command in script.start()] == [
        ("child", "bill", 7),
        ("child", "bill", 8),
    ]
    script.done(1, "7")
    commands = script.done(2, "8")
    assert [(command["kind"], command["name"], command["input"]) for command in commands] == [
        ("activity", "pack", "a"),
        ("activity", "pack", "b"),
    ]
    script.done(3, [1])
    assert asked(script.done(4, [2])) == [[["7", "8"], ["tuple", "tuple"], []]]


def test_a_failure_in_map_gives_up_what_runs() -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> Any:
        try:
            await ctx.map(double, range(9), max_concurrency=3)
        except everstep.ActivityError as error:
            return error.error_type

    script = Script(flow)
    assert asked(script.start()) == [0, 1, 2]
    assert asked(script.done(1, 0)) == [3]
    assert asked(script.failed(3, "Broken")) == [-2, -4, "Broken"]


def test_map_returns_exceptions() -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> Any:
        outcomes = await ctx.map(double, range(3), max_concurrency=1, return_exceptions=True)
        return [each.error_type if isinstance(each, everstep.ActivityError) else each for each in outcomes]

    script = Script(flow)
    assert asked(script.start()) == [0]
    assert asked(script.failed(1, "Broken")) == [1]
    assert asked(script.done(2, 2)) == [2]
    assert asked(script.failed(3, "Torn")) == [["Broken", 2, "Torn"]]


def test_a_result_that_does_not_fit_fails_the_map() -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> Any:
        try:
            await ctx.map(double, range(2))
        except everstep.DecodeError as error:
            return error.text

    script = Script(flow)
    script.start()
    assert asked(script.done(1, "no number")) == [-2, '"no number"']


def test_a_timeout_around_map_gives_up_everything() -> None:
    read: list[int] = []

    def numbers() -> Iterator[int]:
        for n in range(9):
            read.append(n)
            yield n

    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> Any:
        try:
            await asyncio.wait_for(ctx.map(double, numbers(), max_concurrency=2), 5)
        except asyncio.TimeoutError:
            return await ctx.call(ship, "late")

    script = Script(flow)
    assert asked(script.start()) == [0, 1, "timer"]
    assert asked(script.done(1, 0)) == [2]
    assert asked(script.done(3)) == [-2, -4, "late"]
    assert script.done(2, 1) == []
    assert read == [0, 1, 2]
    assert asked(script.done(5, "L")) == ["L"]


def test_items_may_fail_and_continue_as_new_ends_a_map() -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> Any:
        def numbers() -> Iterator[int]:
            yield 0
            yield 1
            raise KeyError("no third item")

        def ends() -> Iterator[int]:
            yield 7
            ctx.continue_as_new("next")

        try:
            await ctx.map(double, numbers(), max_concurrency=2)
        except KeyError:
            await ctx.map(double, ends(), max_concurrency=1)

    script = Script(flow)
    assert asked(script.start()) == [0, 1]
    assert asked(script.done(2, 1)) == [-1, 7]
    assert script.done(3, 0) == [{"kind": "continue", "input": "next", "keep_events": True}]
    assert script.instances == 0


def test_items_that_cannot_be_encoded_stall() -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> Any:
        return await ctx.map("double", [1, object()])

    assert Script(flow).stall()["code"] == "encode_failed"


@pytest.mark.parametrize("limit", [None, 1, 3])
def test_a_rebuilt_map_asks_for_the_same(limit: int | None) -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> Any:
        return await ctx.map(double, (ctx.random.randrange(100) for _ in range(6)), max_concurrency=limit)

    jobs = [
        {"kind": "done", "ref": ref, "value": ref} for ref in ((4, 2, 6, 1, 3, 5) if limit is None else range(1, 7))
    ]
    live = Script(flow)
    commands = live.start()
    for job in jobs:
        commands += live.play(job)
    start = {"kind": "start", "name": "flow", "seed": "7"}
    assert Script(flow).play(start, *jobs, replay=True) == commands
    assert len(commands) == 7


def test_asyncio_gathers_a_map_too() -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> Any:
        limit = asyncio.Semaphore(1)

        async def one(n: int) -> int:
            async with limit:
                return await ctx.call(double, n)

        return await asyncio.gather(ctx.map(double, [1, 2]), *(one(n) for n in (3, 4)))

    script = Script(flow)
    assert asked(script.start()) == [1, 2, 3]
    assert asked(script.done(3, 30)) == [4]
    script.done(1, 10)
    script.done(4, 40)
    assert asked(script.done(2, 20)) == [[[10, 20], 30, 40]]


@pytest.mark.parametrize(
    "call",
    [
        lambda ctx: ctx.map(double, [1], max_concurrency=0),
        lambda ctx: ctx.map(double, [1], max_concurrency=-1),
        lambda ctx: ctx.map(double, [1], max_concurrency=1.5),
        lambda ctx: ctx.map(double, [1], max_concurrency=True),
        lambda ctx: ctx.map(double, [1], max_concurrency="2"),
        lambda ctx: ctx.map(double, 5),
        lambda ctx: ctx.map(len, []),
        lambda ctx: ctx.map("", []),
        lambda ctx: ctx.map(bill, [], timeout=1),
        lambda ctx: ctx.map(double, [], timeout=-1),
        lambda ctx: ctx.map(double, [], retry=3),
        lambda ctx: ctx.all(5),
        lambda ctx: ctx.any(5),
        lambda ctx: ctx.any(),
        lambda ctx: ctx.any([]),
    ],
)
def test_wrong_arguments_are_named(call: Callable[[Any], object]) -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> str:
        try:
            call(ctx)
        except everstep.InvalidArgumentError as error:
            return error.code
        return "taken"

    assert asked(Script(flow).start()) == ["invalid_argument"]
