"""Decoders compiled from annotations: parsed JSON in, typed values out."""

from __future__ import annotations

import collections.abc
import types
import typing
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, Union
from uuid import UUID

from .errors import InvalidArgumentError
from .payload import Decoder, Mismatch

HOOKS: list[Callable[[Any], Decoder | None]] = []
"""Further kinds of annotations: each is asked for a decoder before a class is refused."""

_SCALARS = (str, int, float, bool)
_LISTS = (
    list,
    collections.abc.Sequence,
    collections.abc.MutableSequence,
    collections.abc.Iterable,
    collections.abc.Collection,
)
_DICTS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
_ANYTHING = (Any, object, typing.Generator, collections.abc.Generator)
_UNIONS = (Union, types.UnionType)
_cache: dict[Any, Decoder | None] = {}


def compile_decoder(annotation: Any) -> Decoder | None:
    """The decoder of an annotation; none where every value fits. Raises ``InvalidArgumentError``."""
    try:
        return _cache[annotation]
    except KeyError:
        pass
    except TypeError:
        return _compile(annotation)
    # A dataclass may hold itself: its decoder is known before its fields are.
    decoder: Decoder | None
    if isinstance(annotation, type) and is_dataclass(annotation):
        decoder = _Record(annotation)
        _cache[annotation] = decoder
        try:
            decoder.compile()
        except BaseException:
            del _cache[annotation]
            raise
        return decoder
    decoder = _compile(annotation)
    _cache[annotation] = decoder
    return decoder


def _compile(annotation: Any) -> Decoder | None:
    if annotation in _ANYTHING or isinstance(annotation, typing.TypeVar):
        return None
    if annotation is None or annotation is type(None):
        return _nothing
    origin = typing.get_origin(annotation)
    if origin is not None:
        return _compile_generic(annotation, origin, typing.get_args(annotation))
    if isinstance(annotation, typing.NewType):
        return compile_decoder(annotation.__supertype__)
    if not isinstance(annotation, type):
        raise _unknown(annotation)
    if annotation in _SCALARS:
        return _scalar(annotation)
    if annotation in _LISTS or annotation is tuple:
        return _shape(list, "a list", None if annotation is not tuple else tuple)
    if annotation in _DICTS or typing.is_typeddict(annotation):
        return _shape(dict, "an object", None)
    if annotation in (set, frozenset):
        return _collection(None, annotation)
    if issubclass(annotation, Enum):
        return _called(annotation, "one of " + ", ".join(repr(item.value) for item in annotation))
    if annotation in _PARSED:
        return _parsed(annotation)
    for hook in HOOKS:
        decoder = hook(annotation)
        if decoder is not None:
            return decoder
    raise _unknown(annotation)


def _compile_generic(annotation: Any, origin: Any, args: tuple[Any, ...]) -> Decoder | None:
    if origin in _UNIONS:
        return _union(args)
    if origin is typing.Literal:
        return _literal(args)
    if origin is typing.Annotated or origin in (typing.Final, typing.ClassVar):
        return compile_decoder(args[0])
    if origin in _LISTS:
        return _collection(compile_decoder(args[0]), list)
    if origin in (set, frozenset, collections.abc.Set):
        return _collection(compile_decoder(args[0]), frozenset if origin is frozenset else set)
    if origin is tuple:
        if len(args) == 2 and args[1] is Ellipsis:
            return _collection(compile_decoder(args[0]), tuple)
        return _tuple([compile_decoder(arg) for arg in args])
    if origin in _DICTS:
        return _mapping(args[0], compile_decoder(args[1]))
    if isinstance(origin, type) and is_dataclass(origin):
        return compile_decoder(origin)
    raise _unknown(annotation)


def _unknown(annotation: Any) -> InvalidArgumentError:
    name = getattr(annotation, "__name__", None) or repr(annotation)
    return InvalidArgumentError(
        f"{name} is no type that payloads are decoded as; use a dataclass, built-in types, or Any and convert yourself"
    )


def _kind(value: Any) -> str:
    kinds = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", type(None): "null"}
    return kinds.get(type(value), "a number")


def _wrong(place: str, expected: str, value: Any) -> Mismatch:
    return Mismatch(f"{place.lstrip('.') or 'the value'} must be {expected}, not {_kind(value)}")


def _nothing(value: Any, place: str) -> None:
    if value is not None:
        raise _wrong(place, "null", value)


def _scalar(kind: Any) -> Decoder:
    expected = {str: "a string", int: "an integer", float: "a number", bool: "a boolean"}[kind]

    def decode(value: Any, place: str) -> Any:
        if type(value) is kind:
            return value
        if kind is float and type(value) is int:
            return float(value)
        # Other languages have one kind of number and may write 3.0 for 3.
        if kind is int and type(value) is float and value.is_integer():
            return int(value)
        raise _wrong(place, expected, value)

    return decode


def _shape(kind: type, expected: str, into: Callable[[Any], Any] | None) -> Decoder:
    def decode(value: Any, place: str) -> Any:
        if type(value) is not kind:
            raise _wrong(place, expected, value)
        return value if into is None else into(value)

    return decode


def _called(kind: Callable[[Any], Any], expected: str) -> Decoder:
    def decode(value: Any, place: str) -> Any:
        try:
            return kind(value)
        except (ValueError, TypeError):
            raise _wrong(place, expected, value) from None

    return decode


_PARSED: dict[type, tuple[str, type | tuple[type, ...], Callable[[Any], Any]]] = {
    datetime: ("an ISO date and time", str, lambda text: datetime.fromisoformat(text.replace("Z", "+00:00"))),
    date: ("an ISO date", str, date.fromisoformat),
    time: ("an ISO time", str, time.fromisoformat),
    timedelta: ("a number of seconds", (int, float), lambda seconds: timedelta(seconds=seconds)),
    UUID: ("a UUID", str, UUID),
    Decimal: ("a decimal number", (str, int), Decimal),
}


def _parsed(kind: type) -> Decoder:
    expected, source, build = _PARSED[kind]

    def decode(value: Any, place: str) -> Any:
        if not isinstance(value, source) or isinstance(value, bool):
            raise _wrong(place, expected, value)
        try:
            return build(value)
        except (ValueError, OverflowError, InvalidOperation):
            raise Mismatch(f"{place.lstrip('.') or 'the value'} must be {expected}") from None

    return decode


def _collection(item: Decoder | None, build: Callable[[Any], Any]) -> Decoder:
    def decode(value: Any, place: str) -> Any:
        if type(value) is not list:
            raise _wrong(place, "a list", value)
        if item is not None:
            value = [item(each, f"{place}[{index}]") for index, each in enumerate(value)]
        return value if build is list else build(value)

    return decode


def _tuple(items: list[Decoder | None]) -> Decoder:
    def decode(value: Any, place: str) -> Any:
        if type(value) is not list or len(value) != len(items):
            raise _wrong(place, f"a list of {len(items)}", value)
        return tuple(
            each if item is None else item(each, f"{place}[{index}]")
            for index, (item, each) in enumerate(zip(items, value, strict=True))
        )

    return decode


def _mapping(key: Any, item: Decoder | None) -> Decoder:
    # JSON's keys are strings; an annotated int, enum or UUID is read from one.
    read_key: Callable[[str], Any] | None = None if key in (str, *_ANYTHING) else key

    def decode(value: Any, place: str) -> Any:
        if type(value) is not dict:
            raise _wrong(place, "an object", value)
        if item is not None:
            value = {name: item(each, f"{place}.{name}") for name, each in value.items()}
        if read_key is None:
            return value
        try:
            return {read_key(name): each for name, each in value.items()}
        except (ValueError, TypeError):
            raise Mismatch(f"a key of {place.lstrip('.') or 'the value'} is no {key.__name__}") from None

    if read_key is not None and not callable(read_key):
        raise _unknown(key)
    return decode


def _literal(values: tuple[Any, ...]) -> Decoder:
    def decode(value: Any, place: str) -> Any:
        for allowed in values:
            if allowed == value and type(allowed) is type(value):
                return value
        raise Mismatch(f"{place.lstrip('.') or 'the value'} must be one of {', '.join(map(repr, values))}")

    return decode


def _union(args: tuple[Any, ...]) -> Decoder | None:
    decoders = [(arg, compile_decoder(arg)) for arg in args]
    if any(decoder is None for _, decoder in decoders):
        return None
    # Exact scalars first, so that 1 in `float | int` stays an int.
    scalars = {arg for arg in args if arg in _SCALARS}
    if len(args) == 2 and type(None) in args:
        only = next(decoder for arg, decoder in decoders if arg is not type(None))

        def optional(value: Any, place: str) -> Any:
            return None if value is None else only(value, place)  # type: ignore[misc]

        return optional

    def decode(value: Any, place: str) -> Any:
        if type(value) in scalars:
            return value
        reasons = []
        for _, decoder in decoders:
            try:
                return decoder(value, place)  # type: ignore[misc]
            except Mismatch as error:
                reasons.append(str(error))
        raise Mismatch("; or ".join(reasons))

    return decode


class _Record:
    """The decoder of a dataclass: fields by name, unknown ones dropped, absent ones by their default."""

    __slots__ = ("fields", "kind")

    def __init__(self, kind: type) -> None:
        self.kind = kind
        self.fields: list[tuple[str, Decoder | None, bool]] = []

    def compile(self) -> None:
        try:
            hints = typing.get_type_hints(self.kind)
        except NameError as error:
            raise InvalidArgumentError(
                f"the fields of {self.kind.__name__} cannot be resolved: {error}; define it at module level and import"
                " what it names outside TYPE_CHECKING"
            ) from None
        for item in fields(self.kind):
            if item.init:
                needed = item.default is MISSING and item.default_factory is MISSING
                self.fields.append((item.name, compile_decoder(hints[item.name]), needed))

    def __call__(self, value: Any, place: str) -> Any:
        if type(value) is not dict:
            raise _wrong(place, f"an object ({self.kind.__name__})", value)
        arguments = {}
        for name, decoder, needed in self.fields:
            if name in value:
                item = value[name]
                arguments[name] = item if decoder is None else decoder(item, f"{place}.{name}")
            elif needed:
                raise Mismatch(f"{place.lstrip('.') or self.kind.__name__} has no {name!r}")
        try:
            return self.kind(**arguments)
        except (TypeError, ValueError) as error:
            raise Mismatch(f"{self.kind.__name__} refused it: {error}") from error
