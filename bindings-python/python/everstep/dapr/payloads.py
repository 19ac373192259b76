"""Payloads as Dapr's Python SDK writes and reads them.

A dataclass, a named tuple or a ``SimpleNamespace`` is an object with a marker, and is read back as a
``SimpleNamespace``. A model, which is what has pydantic's ``model_dump`` and ``model_validate``, is a plain object, and
is read back as a model where the annotation of an input says so. ``None`` is no payload at all.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import typing
from types import SimpleNamespace, UnionType
from typing import TYPE_CHECKING, Any

from ..codecs import Codec
from ..payload import ABSENT, MARK, Absent, RawPayload

if TYPE_CHECKING:
    from collections.abc import Callable

AUTO_SERIALIZED = MARK
"""The member that marks an object to be read as a ``SimpleNamespace``."""


def is_model_class(kind: object) -> bool:
    """Whether this is a class with pydantic's protocol."""
    return (
        inspect.isclass(kind)
        and callable(getattr(kind, "model_dump", None))
        and callable(getattr(kind, "model_validate", None))
    )


def _takes_mode(kind: Any) -> bool:
    try:
        parameters = inspect.signature(kind.model_dump).parameters.values()
    except (TypeError, ValueError):
        return False
    return any(each.name == "mode" or each.kind is each.VAR_KEYWORD for each in parameters)


def _marked(members: dict[str, Any]) -> dict[str, Any]:
    return {**members, AUTO_SERIALIZED: True}


class _Encoder(json.JSONEncoder):
    def encode(self, o: Any) -> str:
        # Inside of others a named tuple is a list: only the one that is the payload is met here.
        members = getattr(o, "_asdict", None)
        if members is not None and isinstance(o, tuple) and hasattr(o, "_fields"):
            o = _marked(members())
        return super().encode(o)

    def default(self, o: Any) -> Any:
        if is_model_class(type(o)):
            return o.model_dump(mode="json") if _takes_mode(type(o)) else o.model_dump()
        if dataclasses.is_dataclass(o) and not isinstance(o, type):
            return _marked(dataclasses.asdict(o))
        if isinstance(o, SimpleNamespace):
            return _marked(vars(o))
        return super().default(o)


def _unmarked(members: dict[str, Any]) -> Any:
    return SimpleNamespace(**members) if members.pop(AUTO_SERIALIZED, False) else members


_encoder = _Encoder()
_decoder = json.JSONDecoder(object_hook=_unmarked)


def to_json(value: Any) -> str:
    """The text of a value. Raises ``TypeError`` for what has none."""
    return _encoder.encode(value)


def from_json(text: str) -> Any:
    """The value of a text; an empty one reads as ``None``. Raises ``ValueError``."""
    return _decoder.decode(text) if text else None


def payload(value: Any) -> RawPayload | Absent:
    """A value as it is sent; ``None`` is left out. Raises ``TypeError``."""
    return ABSENT if value is None else RawPayload(to_json(value))


class MarkerCodec(Codec):
    """Reads payloads as Dapr's SDK does. What is written through this module is text already."""

    def decode(self, text: str, type: Any = Any) -> Any:
        """The value of a text; the annotations of a workflow or activity are looked at by ``InputOf``."""
        return from_json(text)


class InputOf:
    """Whether a function takes an input after its context, and the model that it is annotated with."""

    __slots__ = ("model", "taken")

    def __init__(self, function: Callable[..., Any]) -> None:
        self.model: type[Any] | None = None
        try:
            parameters = list(inspect.signature(function).parameters.values())
        except (TypeError, ValueError):
            parameters = []
        self.taken = len(parameters) > 1
        if self.taken:
            self.model = _model_of(function, parameters[1])

    def arguments(self, value: Any) -> tuple[Any, ...]:
        """What follows the context in a call. Raises ``TypeError``, and what the model raises."""
        if not self.taken:
            return ()
        if value is None or self.model is None or isinstance(value, self.model):
            return (value,)
        members = vars(value) if isinstance(value, SimpleNamespace) else value
        if not isinstance(members, dict):
            raise TypeError(f"{type(value).__name__} cannot be made a {self.model.__name__}; an object is expected")
        return (self.model.model_validate(members),)


def _model_of(function: Callable[..., Any], parameter: inspect.Parameter) -> type[Any] | None:
    annotation = parameter.annotation
    if isinstance(annotation, str):
        try:
            annotation = typing.get_type_hints(function).get(parameter.name)
        except Exception:
            # What cannot be looked up is no reason to refuse the function.
            return None
    if typing.get_origin(annotation) in (typing.Union, UnionType):
        others = [each for each in typing.get_args(annotation) if each is not type(None)]
        annotation = others[0] if len(others) == 1 else None
    return annotation if is_model_class(annotation) else None
