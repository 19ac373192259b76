"""Plain data from values, by their type: what JSON has a word for, and nothing else.

``json`` asks for it where it meets a type that it does not know. Other encoders are given plain data from the start, so
that what they do with a type of their own makes no difference.
"""

from __future__ import annotations

import collections
import collections.abc
from base64 import b64encode
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from enum import Enum
from math import isfinite
from typing import Any

from . import libraries
from .payload import MAKERS, Convert

ATOMS: frozenset[type] = frozenset((str, int, bool, type(None)))
"""The types whose values are plain data as they are."""


def plain(value: Any) -> Any:
    """A value as plain data. Raises ``TypeError`` or ``ValueError`` where it has none."""
    return value if type(value) in ATOMS else MAKERS[type(value)](value)


def _same(value: Any) -> Any:
    return value


def _float(value: float) -> float:
    if not isfinite(value):
        raise ValueError(f"{value!r} is no JSON")
    return float(value)


def _list(values: Any) -> list[Any]:
    return [value if type(value) in ATOMS else MAKERS[type(value)](value) for value in values]


def _dict(values: Any) -> dict[str, Any]:
    return {
        key if type(key) is str else key_text(key): value if type(value) in ATOMS else MAKERS[type(value)](value)
        for key, value in values.items()
    }


def key_text(key: Any) -> str:
    """The text of a key, as ``json`` writes it for the types that it knows."""
    if isinstance(key, Enum):
        return key_text(key.value)
    if isinstance(key, str):
        return str.__str__(key)
    if key is True or key is False or key is None:
        return {True: "true", False: "false", None: "null"}[key]
    if isinstance(key, int):
        return int.__repr__(key)
    if isinstance(key, float):
        return float.__repr__(_float(key))
    made = MAKERS[type(key)](key)
    if not isinstance(made, (str, int, float)):
        raise TypeError(f"{type(key).__name__} cannot be the key of a JSON object")
    return key_text(made)


def _bytes(value: bytes | bytearray | memoryview) -> str:
    return b64encode(value).decode("ascii")


def _enum(member: Any) -> Any:
    return plain(member.value)


_EXACT: dict[type, Convert] = {
    **dict.fromkeys(ATOMS, _same),
    float: _float,
    list: _list,
    dict: _dict,
    datetime: datetime.isoformat,
    date: date.isoformat,
    time: time.isoformat,
    timedelta: timedelta.total_seconds,
}

_BASES: tuple[tuple[type | tuple[type, ...], Convert], ...] = (
    (Enum, _enum),
    (str, str.__str__),
    (int, int.__int__),
    (float, _float),
    ((datetime, date, time), lambda value: value.isoformat()),
    (timedelta, timedelta.total_seconds),
    ((bytes, bytearray, memoryview), _bytes),
    (collections.abc.Mapping, _dict),
    ((list, tuple, collections.deque, collections.abc.Set, collections.abc.ValuesView), _list),
)


def compile_maker(kind: type) -> Convert:
    """What makes plain data of the values of a type. Raises ``TypeError`` for a type that has none."""
    maker = _EXACT.get(kind)
    if maker is not None:
        return maker
    dump = libraries.maker_of(kind)
    if dump is not None:
        # A library has words of its own for most types, and lets NaN pass.
        return lambda model: plain(dump(model))
    if is_dataclass(kind):
        return _record(kind, [field.name for field in fields(kind)])
    if libraries.is_attrs(kind):
        return _record(kind, [field.name for field in kind.__attrs_attrs__])  # type: ignore[attr-defined]
    for bases, maker in _BASES:
        if issubclass(kind, bases):
            return maker
    if issubclass(kind, libraries.text_classes()):
        return str
    raise TypeError(f"{kind.__name__} cannot be encoded as JSON; use a dataclass or built-in types")


def _record(kind: type, names: list[str]) -> Convert:
    # A function of its own per class, as dataclasses make their methods: a loop takes three times as long.
    items = ", ".join(f"{name!r}: x if type(x := record.{name}) in ATOMS else MAKERS[type(x)](x)" for name in names)
    scope: dict[str, Any] = {"ATOMS": ATOMS, "MAKERS": MAKERS}
    exec(f"def plain_{kind.__name__}(record):\n    return {{{items}}}", scope)  # noqa: S102 - names are identifiers
    return scope[f"plain_{kind.__name__}"]  # type: ignore[no-any-return]
