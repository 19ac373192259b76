"""What brings parsed JSON into the form of one type: the leaves and the containers of annotations."""

from __future__ import annotations

import collections
import re
import typing
from base64 import b64decode
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from enum import Enum
from typing import Any

from . import libraries
from .encoding import key_text, plain
from .payload import Convert, Mismatch

SCALARS = frozenset((str, int, float, bool))
_EXACT_INTEGERS = 2.0**53
_MOST_NAMED = 20


def is_scalar(annotation: Any) -> bool:
    """Whether a value of exactly this type is what it should be. Some annotations have no hash."""
    # On Python 3.10 `list[…]` passes for a class, and what stands in it may have no hash.
    return isinstance(annotation, type) and typing.get_origin(annotation) is None and annotation in SCALARS


def kind_of(value: Any) -> str:
    """What JSON calls a parsed value."""
    kinds = {dict: "object", list: "list", str: "string", bool: "boolean", type(None): "null"}
    return kinds.get(type(value), "number")


def wrong(expected: str, value: Any) -> Mismatch:
    """The mismatch of a value that is something else."""
    return Mismatch(f"expected {expected}, got {kind_of(value)}")


def nothing(value: Any) -> None:
    """Takes null alone."""
    if value is not None:
        raise wrong("null", value)


def _scalar(kind: type) -> Convert:
    def decode(value: Any) -> Any:
        if type(value) is kind:
            return value
        if kind is float and type(value) is int:
            try:
                return float(value)
            except OverflowError:
                raise Mismatch("expected float, got an integer beyond its range") from None
        # Other languages have one kind of number and may write 3.0 for 3.
        if kind is int and type(value) is float and value.is_integer() and abs(value) < _EXACT_INTEGERS:
            return int(value)
        raise wrong(kind.__name__, value)

    return decode


def _from_text(expected: str, build: Callable[[str], Any]) -> Convert:
    def decode(value: Any) -> Any:
        if type(value) is not str:
            raise wrong(expected, value)
        try:
            return build(value)
        except (ValueError, OverflowError):
            raise Mismatch(f"expected {expected}, got another string") from None

    return decode


def _decimal(kind: type) -> Convert:
    def decode(value: Any) -> Any:
        # A number with a point has been a binary one already, and lost what Decimal is for.
        if type(value) is str:
            try:
                return kind(value)
            except ArithmeticError:
                raise Mismatch("expected Decimal, got another string") from None
        if type(value) is int:
            return kind(value)
        raise wrong("Decimal (a string or a whole number)", value)

    return decode


def _timedelta(value: Any) -> timedelta:
    if type(value) is not int and type(value) is not float:
        raise wrong("timedelta (seconds)", value)
    try:
        return timedelta(seconds=value)
    except OverflowError:
        raise Mismatch("expected timedelta (seconds), got a number beyond its range") from None


def _uuid(kind: type) -> Convert:
    def build(text: str) -> Any:
        if len(text) != 36:
            raise ValueError
        return kind(text)

    return _from_text("UUID", build)


_TIME = re.compile(r"(.*\d\d:\d\d(?::\d\d)?)(?:[.,](\d+))?(Z|[+-]\d\d:?\d\d)?", re.ASCII | re.DOTALL)


def _iso(kind: type[datetime | time], text: str) -> Any:
    """An ISO time of another language: ``Z``, and any number of digits for the fraction of a second."""
    match = _TIME.fullmatch(text.upper())
    if match is None:
        raise ValueError
    whole, fraction, zone = match.groups()
    zone = "+00:00" if zone == "Z" else zone or ""
    if len(zone) == 5:
        zone = f"{zone[:3]}:{zone[3:]}"
    return kind.fromisoformat(f"{whole}{f'.{fraction[:6]:0<6}' if fraction else ''}{zone}")


def _datetime(text: str) -> datetime:
    # The shape is checked as newer Pythons take more forms than older ones.
    if len(text) < 16 or text[4] != "-" or text[7] != "-" or text[13] != ":":
        raise ValueError
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return _iso(datetime, text)  # type: ignore[no-any-return]


def _date(text: str) -> date:
    if len(text) != 10 or text[4] != "-" or text[7] != "-":
        raise ValueError
    return date.fromisoformat(text)


def _time(text: str) -> time:
    if text[2:3] != ":":
        raise ValueError
    try:
        return time.fromisoformat(text)
    except ValueError:
        return _iso(time, text)  # type: ignore[no-any-return]


def _bytes(text: str) -> bytes:
    return b64decode(text, validate=True)


_OF_CLASS: dict[type, Convert] = {
    **{kind: _scalar(kind) for kind in SCALARS},
    timedelta: _timedelta,
    datetime: _from_text("datetime (ISO 8601)", _datetime),
    date: _from_text("date (ISO 8601)", _date),
    time: _from_text("time (ISO 8601)", _time),
    bytes: _from_text("bytes (base64)", _bytes),
    bytearray: _from_text("bytearray (base64)", lambda text: bytearray(_bytes(text))),
}


def is_text(kind: type) -> bool:
    """Whether values of exactly this class are written as texts that may be the keys of an object."""
    return kind in (datetime, date, time, libraries.imported("uuid", "UUID"), libraries.imported("decimal", "Decimal"))


def of_class(kind: type) -> Convert | None:
    """The decoder of a class that is a leaf; none if it is not known."""
    if kind is libraries.imported("decimal", "Decimal"):
        return _decimal(kind)
    if kind is libraries.imported("uuid", "UUID"):
        return _uuid(kind)
    if libraries.is_path(kind):
        return _from_text(kind.__name__, kind)
    return _OF_CLASS.get(kind)


def _int_key(text: str) -> int:
    if not re.fullmatch(r"-?(0|[1-9][0-9]*)", text, re.ASCII):
        raise Mismatch("expected int as a key, got another string")
    return int(text)


def _float_key(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise Mismatch("expected float as a key, got another string") from None


def _word_key(words: dict[str, Any], name: str) -> Convert:
    def decode(text: str) -> Any:
        if text not in words:
            raise Mismatch(f"expected {name} as a key, got another string")
        return words[text]

    return decode


KEYS: dict[Any, Convert] = {
    int: _int_key,
    float: _float_key,
    bool: _word_key({"true": True, "false": False}, "bool"),
    type(None): _word_key({"null": None}, "null"),
}


def first_of(decoders: list[Convert | None]) -> Convert | None:
    """A key by the first that takes it; strings as they are come last."""
    some = [decoder for decoder in decoders if decoder is not None]
    as_it_is = len(some) < len(decoders)

    def decode(text: str) -> Any:
        for decoder in some:
            try:
                return decoder(text)
            except Mismatch:
                continue
        if as_it_is:
            return text
        raise Mismatch("the key fits none of its types")

    return decode if some else None


def _one_of(members: list[tuple[Any, Any]], otherwise: Callable[[Any], Any] | None, keys: bool) -> Convert:
    """One of a few values, by its plain form. 1, 1.0 and true are three."""
    table: dict[Any, Any] = {}
    rest: list[tuple[Any, Any]] = []
    if keys:
        members = [(key_text(member), member) for _, member in members]
    for form, member in members:
        try:
            table.setdefault((type(form), form), member)
        except TypeError:
            rest.append((form, member))
    names = [repr(form) for form, _ in members]
    expected = "one of " + ", ".join(names[:_MOST_NAMED]) + (", …" if len(names) > _MOST_NAMED else "")

    def decode(value: Any) -> Any:
        kind = type(value)
        if kind is float and value.is_integer() and (float, value) not in table:
            value, kind = int(value), int
        try:
            return table[kind, value]
        except (KeyError, TypeError):
            pass
        for form, member in rest:
            if form == value:
                return member
        if otherwise is not None:
            try:
                return otherwise(value)
            except (ValueError, TypeError):
                pass
        raise wrong(expected, value)

    return decode


def enum(kind: type[Enum], keys: bool = False) -> Convert:
    """A member by its value; what ``_missing_`` and flags make of others counts too."""
    members = [(plain(member), member) for member in kind.__members__.values()]
    first = {type(form) for form, _ in members}

    def otherwise(value: Any) -> Any:
        if keys and int in first:
            value = _int_key(value)
        if type(value) is bool and bool not in first:
            raise ValueError
        return kind(value)

    return _one_of(members, otherwise, keys)


def literal(values: tuple[Any, ...], keys: bool = False) -> Convert:
    """One of the values."""
    return _one_of([(plain(value), value) for value in values], None, keys)


def optional(item: Convert) -> Convert:
    """A value or null."""

    def decode(value: Any) -> Any:
        return None if value is None else item(value)

    return decode


def _first_wrong(item: Convert, values: list[Any]) -> Mismatch:
    """Where in a list the mismatch is. Only asked when there is one."""
    for index, value in enumerate(values):
        try:
            item(value)
        except Mismatch as error:
            return error.within(f"[{index}]")
    return Mismatch("some item does not fit")


def collection(item: Convert | None, build: Any, name: str, of: Any = None) -> Convert:
    """A list of items, as the container that is asked for."""
    exact = is_scalar(of)

    def decode(values: Any) -> Any:
        if type(values) is not list:
            raise wrong(name, values)
        if item is not None:
            try:
                if exact:
                    values = [value if type(value) is of else item(value) for value in values]
                else:
                    values = [item(value) for value in values]
            except Mismatch:
                raise _first_wrong(item, values) from None
        if build is list:
            return values
        try:
            return build(values)
        except TypeError:
            raise Mismatch(f"expected {name}, got a list of what no set holds") from None

    return decode


def fixed_tuple(items: list[Convert | None], name: str) -> Convert:
    """A list of this length."""

    def decode(values: Any) -> Any:
        if type(values) is not list:
            raise wrong(name, values)
        if len(values) != len(items):
            raise Mismatch(f"expected {name}, got a list of {len(values)}")
        made = []
        for item, value in zip(items, values, strict=True):
            try:
                made.append(value if item is None else item(value))
            except Mismatch as error:
                raise error.within(f"[{len(made)}]") from None
        return tuple(made)

    return decode


def mapping(key: Convert | None, item: Convert | None, kind: Any) -> Convert:
    """An object; its keys are read from their text."""
    build = collections.OrderedDict if kind is collections.OrderedDict else None

    def decode(values: Any) -> Any:
        if type(values) is not dict:
            raise wrong("dict", values)
        if key is not None or item is not None:
            made: dict[Any, Any] = {}
            for name, value in values.items():
                try:
                    made[name if key is None else key(name)] = value if item is None else item(value)
                except Mismatch as error:
                    raise error.within(f".{name}") from None
            values = made
        return values if build is None else build(values)

    return decode


def union(
    name: str,
    nullable: bool,
    exact: frozenset[Any],
    listed: list[Convert],
    others: list[Convert],
    scalars: list[Convert],
) -> Convert:
    """One of several types; ``decoding`` says which comes first."""
    records: list[Any] = [decoder for decoder in others if hasattr(decoder, "names")]

    def order(value: Any) -> list[Convert]:
        if type(value) is dict and len(records) > 1:
            keys = value.keys()
            fit = sorted(records, key=lambda each: (len(keys - each.names), len(each.names - keys)))
            return [*fit, *(decoder for decoder in others if decoder not in records)]
        return others

    def decode(value: Any) -> Any:
        if value is None and nullable:
            return None
        kind = type(value)
        reasons = []
        for decoder in listed:
            try:
                return decoder(value)
            except Mismatch as error:
                reasons.append(str(error))
        if kind in exact and kind is not str:
            return value
        for decoder in order(value):
            try:
                return decoder(value)
            except Mismatch as error:
                reasons.append(str(error))
        if kind in exact:
            return value
        for decoder in scalars:
            try:
                return decoder(value)
            except Mismatch as error:
                reasons.append(str(error))
        raise Mismatch(f"expected {name}, got {kind_of(value)}; tried: {'; '.join(reasons)}")

    return decode
