"""Decoders of types with named fields: dataclasses, attrs classes, TypedDict, NamedTuple.

Keys that a record does not have are ignored, so that a program of today reads what one of tomorrow wrote; a TypedDict
keeps them. Fields that are absent take their default.
"""

from __future__ import annotations

import dataclasses
import typing
from dataclasses import dataclass
from typing import Any

from .converters import is_scalar, wrong
from .errors import InvalidArgumentError
from .payload import ABSENT, Convert, Mismatch

_NEEDED: Any = object()
"""In place of a default: the payload must have the field."""


@dataclass(frozen=True)
class _Field:
    """One argument of a class's constructor, and the key it comes from."""

    name: str
    argument: str
    annotation: Any
    default: Any = _NEEDED
    factory: bool = False
    """Whether ``default`` makes it."""
    keyword: bool = True


def is_typed_dict(kind: Any) -> bool:
    """Whether it is a ``TypedDict``, of ``typing`` or its extensions."""
    return isinstance(kind, type) and issubclass(kind, dict) and hasattr(kind, "__required_keys__")


def is_named_tuple(kind: type) -> bool:
    """Whether it is a ``NamedTuple``."""
    return issubclass(kind, tuple) and hasattr(kind, "_field_defaults")


def hints_of(kind: type, args: tuple[Any, ...]) -> dict[str, Any]:
    """The annotations of a class's fields, with the arguments of a generic one put in.

    Raises ``InvalidArgumentError``.
    """
    from .decoding import substituted

    try:
        # Python 3.10 takes the mark of a dataclass for no type.
        names = {kind.__name__: kind, "KW_ONLY": object}
        hints = typing.get_type_hints(kind, localns=names, include_extras=True)
    except Exception as error:
        raise InvalidArgumentError(
            f"the fields of {kind.__name__} cannot be resolved: {error}; define it at module level and import"
            " what it names outside TYPE_CHECKING"
        ) from error
    known = _arguments(kind, args)
    for base in reversed(kind.__mro__):
        mine = known.get(base)
        if mine:
            for name in getattr(base, "__annotations__", {}):
                hints[name] = substituted(hints[name], mine)
    return hints


def _arguments(kind: type, args: tuple[Any, ...]) -> dict[type, dict[Any, Any]]:
    """What each generic class that a class derives from has for its type variables."""
    from .decoding import substituted

    mine = dict(zip(getattr(kind, "__parameters__", ()), args, strict=False))
    known = {kind: mine}
    for base in getattr(kind, "__orig_bases__", ()):
        origin = typing.get_origin(base)
        if isinstance(origin, type) and origin is not typing.Generic:
            known |= _arguments(origin, tuple(substituted(arg, mine) for arg in typing.get_args(base)))
        elif isinstance(base, type):
            known |= _arguments(base, ())
    return known


def _dataclass_fields(kind: Any, hints: dict[str, Any]) -> list[_Field]:
    missing = dataclasses.MISSING
    for name, field in kind.__dataclass_fields__.items():
        if field._field_type is dataclasses._FIELD_INITVAR and field.default is missing:  # type: ignore[attr-defined]
            raise InvalidArgumentError(
                f"{kind.__name__} cannot be decoded: its InitVar {name!r} is in no payload; give it a default"
            )
    made = kind.__dataclass_params__.init
    fields = []
    for field in dataclasses.fields(kind):
        if field.init:
            factory = field.default_factory is not missing
            default = field.default_factory if factory else field.default
            default = _NEEDED if default is missing else default
            keyword = not made or bool(field.kw_only)
            fields.append(_Field(field.name, field.name, hints[field.name], default, factory, keyword))
    return fields


def _attrs_fields(kind: Any, hints: dict[str, Any]) -> list[_Field]:
    fields = []
    for attribute in kind.__attrs_attrs__:
        if attribute.init:
            argument = attribute.alias or attribute.name.lstrip("_")
            # attrs knows best how its defaults are made: what is absent is not passed.
            default = _NEEDED if repr(attribute.default) == "NOTHING" else ABSENT
            fields.append(_Field(attribute.name, argument, hints.get(attribute.name, Any), default))
    return fields


def _compiled(kind: type, name: str, annotation: Any) -> Convert | None:
    from .decoding import compile_decoder

    try:
        return compile_decoder(annotation)
    except InvalidArgumentError as error:
        raise InvalidArgumentError(f"{kind.__name__}.{name}: {error.message}") from error


def compile_record(kind: type, args: tuple[Any, ...]) -> Convert:
    """The decoder of a dataclass or attrs class. Raises ``InvalidArgumentError``."""
    hints = hints_of(kind, args)
    fields = _dataclass_fields(kind, hints) if dataclasses.is_dataclass(kind) else _attrs_fields(kind, hints)
    return _Program(kind, fields).build()


class _Program:
    """A function of its own per class, as dataclasses make their methods: a loop takes twice as long."""

    def __init__(self, kind: type, fields: list[_Field]) -> None:
        self.kind = kind
        self.fields = fields
        self.scope: dict[str, Any] = {
            "ABSENT": ABSENT,
            "Mismatch": Mismatch,
            "kind": kind,
            "wrong": wrong,
        }
        self.passed: list[str] = []

    def build(self) -> Convert:
        lines = [
            "def decode(value):",
            "    if type(value) is not dict:",
            f"        raise wrong({self.kind.__name__!r}, value)",
            "    at, more = '', {}" if self._any_omitted() else "    at = ''",
            "    try:",
            "        pass",
        ]
        for index, field in enumerate(self.fields):
            lines += [f"        {line}" for line in self._field(index, field)]
        lines += [
            "    except KeyError:",
            "        raise Mismatch('expected a value, got none').within(at) from None",
            "    except Mismatch as error:",
            "        error.within(at)",
            "        raise",
            "    try:",
            f"        return kind({', '.join(self.passed)})",
            "    except RecursionError:",
            "        raise",
            "    except Exception as error:",
            f"        raise Mismatch(f'{self.kind.__name__} refused it: {{error}}') from error",
        ]
        exec("\n".join(lines), self.scope)  # noqa: S102 - names are identifiers
        decode: Any = self.scope["decode"]
        decode.names = frozenset(field.name for field in self.fields)
        return decode  # type: ignore[no-any-return]

    def _any_omitted(self) -> bool:
        omitted = any(field.default is ABSENT for field in self.fields)
        if omitted:
            self.passed.append("**more")
        return omitted

    def _field(self, index: int, field: _Field) -> list[str]:
        held = f"v{index}"
        lines = [f"at = {'.' + field.name!r}"]
        converted = self._converted(index, field, held)
        if field.default is _NEEDED:
            lines += [f"{held} = value[{field.name!r}]", *converted]
        else:
            lines += [f"{held} = value.get({field.name!r}, ABSENT)", f"if {held} is not ABSENT:"]
            lines += [f"    {line}" for line in converted or ["pass"]]
            if field.default is ABSENT:
                return [*lines, f"    more[{field.argument!r}] = {held}"]
            self.scope[f"d{index}"] = field.default
            lines += ["else:", f"    {held} = d{index}{'()' if field.factory else ''}"]
        argument = f"{field.argument}={held}" if field.keyword else held
        # What is passed by position comes first.
        self.passed.insert(len(self.passed) if field.keyword else self._positions(), argument)
        return lines

    def _positions(self) -> int:
        return sum("=" not in argument and "*" not in argument for argument in self.passed)

    def _converted(self, index: int, field: _Field, held: str) -> list[str]:
        """The lines that bring a value into its form; what is exact already is not handed on."""
        from .decoding import bare

        annotation = bare(field.annotation)
        convert = _compiled(self.kind, field.name, annotation)
        if convert is None:
            return []
        conditions = []
        args = [bare(arg) for arg in typing.get_args(annotation)]
        if len(args) == 2 and type(None) in args and typing.get_origin(annotation) is not tuple:
            inner = next((arg for arg in args if arg is not type(None)), None)
            if _is_optional(annotation) and inner is not None:
                conditions.append(f"{held} is not None")
                annotation = inner
                convert = _compiled(self.kind, field.name, annotation)
        if is_scalar(annotation):
            conditions.append(f"type({held}) is not {annotation.__name__}")
        self.scope[f"c{index}"] = convert
        line = f"{held} = c{index}({held})"
        return [f"if {' and '.join(conditions)}:", f"    {line}"] if conditions else [line]


def _is_optional(annotation: Any) -> bool:
    import types

    return typing.get_origin(annotation) in (typing.Union, types.UnionType)


def compile_typed_dict(kind: Any, args: tuple[Any, ...]) -> Convert:
    """The decoder of a ``TypedDict``: other keys stay. Raises ``InvalidArgumentError``."""
    name = kind.__name__
    fields: list[tuple[str, Convert | None, bool]] = []
    for key, hint in hints_of(kind, args).items():
        # With annotations that are strings the class itself does not know which keys it needs.
        word = getattr(typing.get_origin(hint), "_name", None)
        needed = word == "Required" or (word != "NotRequired" and key in kind.__required_keys__)
        fields.append((key, _compiled(kind, key, hint), needed))

    def decode(value: Any) -> Any:
        if type(value) is not dict:
            raise wrong(name, value)
        made = dict(value)
        for key, convert, needed in fields:
            if key not in value:
                if needed:
                    raise Mismatch("expected a value, got none").within(f".{key}")
            elif convert is not None:
                try:
                    made[key] = convert(value[key])
                except Mismatch as error:
                    error.within(f".{key}")
                    raise
        return made

    decode.names = frozenset(key for key, _, _ in fields)  # type: ignore[attr-defined]
    return decode


def compile_named_tuple(kind: Any, args: tuple[Any, ...]) -> Convert:
    """The decoder of a ``NamedTuple``, from a list or from an object. Raises ``InvalidArgumentError``."""
    hints = hints_of(kind, args)
    fields = [(name, _compiled(kind, name, hints.get(name, Any))) for name in kind._fields]
    least = len(fields) - len(kind._field_defaults)
    by_name = compile_fields(kind, fields)

    def decode(values: Any) -> Any:
        if type(values) is dict:
            return by_name(values)
        if type(values) is not list:
            raise wrong(kind.__name__, values)
        if not least <= len(values) <= len(fields):
            raise Mismatch(f"expected {kind.__name__}, got a list of {len(values)}")
        made = []
        for (_, convert), value in zip(fields, values, strict=False):
            try:
                made.append(value if convert is None else convert(value))
            except Mismatch as error:
                error.within(f"[{len(made)}]")
                raise
        return kind(*made)

    return decode


def compile_fields(kind: Any, fields: list[tuple[str, Convert | None]]) -> Convert:
    """A tuple from an object with the names of its fields."""

    def decode(values: dict[str, Any]) -> Any:
        made = {}
        for name, convert in fields:
            if name in values:
                try:
                    made[name] = values[name] if convert is None else convert(values[name])
                except Mismatch as error:
                    error.within(f".{name}")
                    raise
            elif name not in kind._field_defaults:
                raise Mismatch("expected a value, got none").within(f".{name}")
        return kind(**made)

    return decode
