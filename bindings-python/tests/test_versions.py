"""Versions as this language spells them; what they mean stands in ``conformance/cases/version_*.json``."""

from __future__ import annotations

import pytest

import everstep
from everstep import WorkflowContext


@everstep.workflow(name="answer")
async def answer(ctx: WorkflowContext) -> str:
    return "without"


@everstep.workflow(name="answer", version="v1")
async def answer_v1(ctx: WorkflowContext, nothing: None = None) -> str:
    return f"one {ctx.version}"


@everstep.workflow(name="answer", version="v2", latest=True)
async def answer_v2(ctx: WorkflowContext) -> str:
    return f"two {ctx.version}"


@everstep.workflow
async def asks(ctx: WorkflowContext) -> list[str]:
    ctx.start_child(answer_v1, instance_id="own-function")
    ctx.start_child("answer", instance_id="own-name")
    ctx.start_child("answer", version="v1", instance_id="own-version")
    return [
        await ctx.call(answer_v1),
        await ctx.call_child("answer", returns=str),
        await ctx.call_child("answer", version="v1", returns=str),
        *await ctx.map(answer_v1, [None]),
    ]


def test_a_function_starts_in_its_version_and_a_name_in_the_latest() -> None:
    # The latest comes first: it is marked.
    with everstep.Client("memory:") as client, everstep.Worker(client, [answer_v2, answer_v1]):
        assert client.start_workflow(answer_v1).result(timeout=30) == "one v1"
        assert client.start_workflow(answer_v1, version="v1").result(timeout=30) == "one v1"
        assert client.start_workflow(answer_v2).result(timeout=30) == "two v2"
        assert client.start_workflow("answer").result(timeout=30) == "two v2"
        assert client.start_workflow("answer", version="v1").result(timeout=30) == "one v1"
        for function in (answer, answer_v2):
            with pytest.raises(everstep.InvalidArgumentError, match="'v1'"):
                client.start_workflow(function, version="v1")


def test_children_run_the_version_of_their_function() -> None:
    with everstep.Client("memory:") as client, everstep.Worker(client, [asks, answer_v1, answer_v2]):
        assert client.start_workflow(asks).result(timeout=30) == ["one v1", "two v2", "one v1", "one v1"]
        for name, output in (("own-function", "one v1"), ("own-name", "two v2"), ("own-version", "one v1")):
            assert client.get_handle(name).result(timeout=30) == output


def test_what_cannot_be_told_apart_is_refused() -> None:
    @everstep.workflow(name="answer", version="v3", latest=True)
    async def other_latest(ctx: WorkflowContext) -> None: ...

    with everstep.Client("memory:") as client:
        for functions, text in (
            ([answer_v2, other_latest], "two latest versions"),
            ([answer_v1, answer_v1], "version 'v1' is given twice"),
            ([answer, answer], "'answer' is given twice"),
        ):
            with pytest.raises(everstep.InvalidArgumentError, match=text):
                everstep.Worker(client, functions)
        everstep.Worker(client, [answer, answer_v1, answer_v2])
    with pytest.raises(everstep.InvalidArgumentError, match="version"):
        everstep.workflow(version="")(answer)
