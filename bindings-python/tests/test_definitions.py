"""Workflows and activities as their decorators take them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import everstep
from everstep import Retry
from hosting import Order, reserve, ship


def test_decorated_functions_stay_ordinary() -> None:
    assert reserve(Order("a")) == Order("a")
    assert asyncio.run(ship("a")) == "a"
    assert reserve.__name__ == "reserve"


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
