"""Every public name is documented, with the errors that it raises."""

from __future__ import annotations

import builtins
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import everstep
import everstep.errors
import everstep.testing
import pytest
import reference

# What gives no error of this library: it looks at what it holds, or ends it.
NO_ERRORS = re.compile(
    r"(Client|AsyncClient|Worker)\.(close|endpoint|is_closed|wait)|.*Handle\.\w+_id|RuntimeStatus\..*|Failure\..*"
)


def members(name: str, value: object) -> Iterator[tuple[str, object]]:
    """The public methods and properties of a class that it defines itself."""
    for key, member in vars(value).items():
        if not key.startswith("_") and (callable(member) or isinstance(member, property)):
            yield f"{name}.{key}", member


NAMES = cast("list[str]", everstep.__all__)
PUBLIC: list[tuple[str, object]] = [(name, getattr(everstep, name)) for name in NAMES]
TESTING: list[tuple[str, object]] = [
    (name, getattr(everstep.testing, name)) for name in everstep.testing.__all__
]
MEMBERS = [
    item for name, value in [*PUBLIC, *TESTING] if inspect.isclass(value) for item in members(name, value)
]


@pytest.mark.parametrize(("name", "value"), [*PUBLIC, *TESTING, *MEMBERS])
def test_it_says_what_it_is(name: str, value: object) -> None:
    text = inspect.getdoc(value) or ""
    assert len(text) > 10, f"{name} has no docstring"
    assert text.rstrip().endswith((".", "``", ":")), f"the docstring of {name} ends in the middle"


@pytest.mark.parametrize(
    ("name", "value"), [item for item in MEMBERS if re.match(r"(Async)?(Client|Worker|\w*Handle)\.", item[0])]
)
def test_an_operation_says_what_it_raises(name: str, value: object) -> None:
    if NO_ERRORS.fullmatch(name) or isinstance(value, property):
        return
    text = inspect.getdoc(value) or ""
    assert "Raises" in text or re.search(r"(See|As) ``[\w.]+``", text), f"{name} names no errors"


def test_what_is_said_to_be_raised_is_an_error() -> None:
    said = 0
    for name, value in [*PUBLIC, *MEMBERS]:
        for raised in re.findall(r"``(\w+(?:Error|Timeout))``", inspect.getdoc(value) or ""):
            assert hasattr(everstep, raised) or hasattr(builtins, raised), f"{name} names {raised}"
            said += 1
    assert said > 20


def test_all_is_all() -> None:
    scope: dict[str, object] = {}
    exec("from everstep import *", scope)
    assert set(NAMES) <= set(scope)
    assert {kind.__name__ for kind in everstep.errors.BY_CODE.values()} <= set(NAMES)


def test_the_pages_hold_every_name(tmp_path: Path) -> None:
    reference.write(tmp_path)
    names = (tmp_path / "everstep.html", tmp_path / "everstep" / "testing.html")
    text = "".join(path.read_text("utf-8") for path in names)
    for name, _ in [*PUBLIC, *TESTING, *MEMBERS]:
        assert f'id="{name}"' in text, name
