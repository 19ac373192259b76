"""From annotations to what brings parsed JSON into their form. Compiled once per annotation."""

from __future__ import annotations

import collections
import collections.abc
import re
import sys
import threading
import types
import typing
from dataclasses import is_dataclass
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any, Union

from . import converters, libraries
from .errors import InvalidArgumentError
from .records import compile_named_tuple, compile_record, compile_typed_dict, is_named_tuple, is_typed_dict

if TYPE_CHECKING:
    from .payload import Convert

_LISTS = (
    list,
    collections.abc.Sequence,
    collections.abc.MutableSequence,
    collections.abc.Iterable,
    collections.abc.Collection,
)
_SETS = (set, collections.abc.Set, collections.abc.MutableSet)
_DICTS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
_BUILDERS: dict[Any, Any] = {
    **dict.fromkeys(_LISTS, list),
    **dict.fromkeys(_SETS, set),
    frozenset: frozenset,
    collections.deque: collections.deque,
    tuple: tuple,
}
_ANYTHING = (Any, object, typing.Hashable, collections.abc.Hashable)
_UNIONS = (Union, types.UnionType)
_QUALIFIERS = frozenset(("Annotated", "ClassVar", "Final", "NotRequired", "ReadOnly", "Required"))
"""What says something of a place and nothing of its values."""

_cache: dict[Any, Convert | None] = {}
_open: dict[Any, _Later] = {}
_lock = threading.RLock()


class _Later:
    """Stands for a decoder that is being compiled: a type may hold itself."""

    __slots__ = ("convert", "used")

    def __init__(self) -> None:
        self.convert: Convert | None = None
        self.used = False

    def __call__(self, value: Any) -> Any:
        return value if self.convert is None else self.convert(value)


def compile_decoder(annotation: Any) -> Convert | None:
    """The decoder of an annotation; none where every value fits. Raises ``InvalidArgumentError``."""
    try:
        return _cache[annotation]
    except KeyError:
        pass
    except TypeError:
        return _compile(annotation)
    with _lock:
        if annotation in _cache:
            return _cache[annotation]
        if annotation in _open:
            return _open[annotation]
        later = _open[annotation] = _Later()
        try:
            later.convert = _cache[annotation] = _compile(annotation)
        finally:
            del _open[annotation]
        return later.convert


def bare(annotation: Any) -> Any:
    """An annotation without what says nothing of its values: names of its own, qualifiers, remarks."""
    while True:
        origin = typing.get_origin(annotation)
        if isinstance(annotation, typing.NewType):
            annotation = annotation.__supertype__
        elif getattr(origin, "_name", None) in _QUALIFIERS or origin is typing.Annotated:
            if libraries.is_constrained(annotation):
                return annotation
            annotation = typing.get_args(annotation)[0]
        elif type(annotation).__name__ == "TypeAliasType":
            annotation = _value_of(annotation)
        elif type(origin).__name__ == "TypeAliasType":
            known = dict(zip(origin.__type_params__, typing.get_args(annotation), strict=False))
            annotation = substituted(_value_of(origin), known)
        elif isinstance(annotation, typing.TypeVar):
            # Of several constraints nobody says here which holds.
            annotation = annotation.__bound__ or Any
        else:
            return annotation


def _value_of(alias: Any) -> Any:
    """What a ``type`` statement gives a name to; before there was one, its own name was a string in it."""
    value = alias.__value__
    if isinstance(value, type):
        return value
    holder = types.SimpleNamespace(__annotations__={"value": value})
    module = sys.modules.get(alias.__module__)
    return typing.get_type_hints(holder, vars(module) if module else {}, include_extras=True)["value"]


def substituted(annotation: Any, known: dict[Any, Any]) -> Any:
    """An annotation with its type variables replaced."""
    if isinstance(annotation, typing.TypeVar):
        return known.get(annotation, annotation)
    free = getattr(annotation, "__parameters__", ())
    # Not by `isinstance`, for which `list[T]` is a class on Python 3.10.
    is_class = issubclass(type(annotation), type)
    if not free or is_class or not any(parameter in known for parameter in free):
        return annotation
    return annotation[tuple(known.get(parameter, parameter) for parameter in free)]


def name_of(annotation: Any) -> str:
    """An annotation as its reader wrote it, without modules."""
    if annotation is None or annotation is type(None):
        return "null"
    if isinstance(annotation, type) and typing.get_origin(annotation) is None:
        return annotation.__name__
    return re.sub(r"\b(?:\w+\.)+(?:<locals>\.)?", "", repr(annotation))


def unknown(annotation: Any) -> InvalidArgumentError:
    """The error for what payloads are not decoded as."""
    if isinstance(annotation, (str, typing.ForwardRef)):
        name = annotation if isinstance(annotation, str) else annotation.__forward_arg__
        return InvalidArgumentError(f"{name!r} cannot be resolved; define it at module level and import what it names")
    return InvalidArgumentError(
        f"{name_of(annotation)} is no type that payloads are decoded as; use a dataclass, built-in types, a model of a"
        " library that is imported, or Any and convert yourself"
    )


def _compile(annotation: Any) -> Convert | None:
    annotation = bare(annotation)
    if annotation in _ANYTHING:
        return None
    if annotation is None or annotation is type(None):
        return converters.nothing
    foreign = libraries.decoder_of(annotation)
    if foreign is not None:
        return foreign
    origin = typing.get_origin(annotation)
    if origin is not None:
        return _compile_generic(annotation, origin, typing.get_args(annotation))
    if not isinstance(annotation, type):
        raise unknown(annotation)
    return _compile_class(annotation)


def _compile_class(kind: type) -> Convert | None:
    if is_dataclass(kind) or libraries.is_attrs(kind):
        return compile_record(kind, ())
    if is_typed_dict(kind):
        return compile_typed_dict(kind, ())
    if is_named_tuple(kind):
        return compile_named_tuple(kind, ())
    if issubclass(kind, Enum):
        return converters.enum(kind)
    if kind in _BUILDERS:
        return converters.collection(None, _BUILDERS[kind], name_of(kind))
    if kind in _DICTS or kind is collections.OrderedDict:
        return converters.mapping(None, None, kind)
    decoder = converters.of_class(kind)
    if decoder is None:
        raise unknown(kind)
    return decoder


def _compile_generic(annotation: Any, origin: Any, args: tuple[Any, ...]) -> Convert | None:
    if origin in _UNIONS:
        return _union(annotation, args)
    if origin is typing.Literal:
        return converters.literal(args)
    if origin is tuple and not (len(args) == 2 and args[1] is Ellipsis):
        return converters.fixed_tuple([compile_decoder(arg) for arg in args], name_of(annotation))
    if origin in _BUILDERS:
        return converters.collection(compile_decoder(args[0]), _BUILDERS[origin], name_of(annotation), args[0])
    if origin in _DICTS or origin is collections.OrderedDict:
        return converters.mapping(_key(args[0]), compile_decoder(args[1]), origin)
    if isinstance(origin, type):
        if is_dataclass(origin) or libraries.is_attrs(origin):
            return compile_record(origin, args)
        if is_typed_dict(origin):
            return compile_typed_dict(origin, args)
        if is_named_tuple(origin):
            return compile_named_tuple(origin, args)
    raise unknown(annotation)


def _key(annotation: Any) -> Convert | None:
    """What reads a key of this annotation from its text."""
    annotation = bare(annotation)
    if annotation in _ANYTHING or annotation is str:
        return None
    if isinstance(annotation, type) and annotation in converters.KEYS:
        return converters.KEYS[annotation]
    if typing.get_origin(annotation) in _UNIONS:
        return converters.first_of([_key(arg) for arg in typing.get_args(annotation)])
    if typing.get_origin(annotation) is typing.Literal:
        return converters.literal(typing.get_args(annotation), keys=True)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return converters.enum(annotation, keys=True)
    if isinstance(annotation, type) and converters.is_text(annotation):
        return compile_decoder(annotation)
    raise InvalidArgumentError(f"{name_of(annotation)} cannot be a key in JSON; use str, int, an Enum, UUID or a date")


def _flat(args: tuple[Any, ...]) -> list[Any]:
    arms: list[Any] = []
    for arg in map(bare, args):
        arms += _flat(typing.get_args(arg)) if typing.get_origin(arg) in _UNIONS else [arg]
    return arms


def _union(annotation: Any, args: tuple[Any, ...]) -> Convert | None:
    """The first arm that takes a value strictly: what has few values before what has many, exact numbers before others,
    ``str`` after all that a string may stand for; of records the one that leaves the fewest keys unread, and then the
    fewest fields unfilled.
    """
    arms = _flat(args)
    _refuse_ambiguous(annotation, arms)
    decoders = {name_of(arm): (arm, compile_decoder(arm)) for arm in arms}
    if any(decoder is None for _, decoder in decoders.values()):
        return None
    nullable = type(None) in arms or None in arms
    some = [(arm, decoder) for arm, decoder in decoders.values() if arm not in (None, type(None))]
    if nullable and len(some) == 1:
        return converters.optional(some[0][1])  # type: ignore[arg-type]
    exact = frozenset(arm for arm in arms if converters.is_scalar(arm))
    listed = [decoder for arm, decoder in some if _is_listed(arm)]
    others = [decoder for arm, decoder in some if not converters.is_scalar(arm) and not _is_listed(arm)]
    scalars = [decoder for arm, decoder in some if converters.is_scalar(arm)]
    return converters.union(name_of(annotation), nullable, exact, listed, others, scalars)  # type: ignore[arg-type]


def _is_listed(arm: Any) -> bool:
    return typing.get_origin(arm) is typing.Literal or (isinstance(arm, type) and issubclass(arm, Enum))


def _refuse_ambiguous(annotation: Any, arms: list[Any]) -> None:
    """Some types look the same in JSON, whatever the value."""
    classes = [arm for arm in arms if isinstance(arm, type)]
    texts = [arm for arm in classes if arm in (str, bytes, bytearray) or libraries.is_path(arm)]
    numbers = [arm for arm in classes if arm in (int, float) or arm is timedelta]
    if len(texts) > 1 or (len(numbers) > 1 and timedelta in numbers):
        raise InvalidArgumentError(
            f"{name_of(annotation)} cannot be decoded: some of it looks the same in JSON; put them into dataclasses"
        )
