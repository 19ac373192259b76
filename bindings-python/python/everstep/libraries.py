"""Types of modules that cost memory or may not be installed, if the program has imported them; nothing here imports
one. Without its module there is neither a value nor an annotation of a type.

Models of other libraries keep their own rules: a pydantic model is written and read as its own JSON methods do it, a
msgspec ``Struct`` by ``to_builtins`` and ``convert``.
"""

from __future__ import annotations

import json
import sys
import typing
from typing import Any

from .payload import Convert, Mismatch

_MOST_ERRORS = 5
_MARKS = ("__pydantic_validator__", "__get_pydantic_core_schema__")
"""What tells a class that pydantic made, or that it knows."""


def imported(module: str, name: str) -> Any:
    """A class of a module; none if the program has not imported it."""
    return getattr(sys.modules.get(module), name, None)


def is_path(kind: type) -> bool:
    """Whether values of the class are paths."""
    path = imported("pathlib", "PurePath")
    return path is not None and issubclass(kind, path)


def text_classes() -> tuple[type, ...]:
    """Classes of the standard library whose values are written as their ``str``."""
    known = (imported("decimal", "Decimal"), imported("uuid", "UUID"), imported("pathlib", "PurePath"))
    return tuple(kind for kind in known if kind is not None)


def is_attrs(kind: type) -> bool:
    """Whether attrs made the class."""
    return "__attrs_attrs__" in dir(kind)


def is_constrained(annotation: Any) -> bool:
    """Whether an ``Annotated`` says something to pydantic."""
    return "pydantic" in sys.modules and any(
        type(remark).__module__.partition(".")[0] in ("pydantic", "annotated_types") or hasattr(remark, _MARKS[1])
        for remark in getattr(annotation, "__metadata__", ())
    )


def _holds_model(annotation: Any) -> bool:
    if isinstance(annotation, type) and any(hasattr(annotation, mark) for mark in _MARKS):
        return True
    return is_constrained(annotation) or any(map(_holds_model, typing.get_args(annotation)))


def decoder_of(annotation: Any) -> Convert | None:
    """The decoder of what a library has made, or of an annotation that holds such a model; none for all others."""
    if "pydantic" in sys.modules and _holds_model(annotation):
        return _by_pydantic(annotation)
    msgspec = sys.modules.get("msgspec")
    if msgspec is not None:
        kind = typing.get_origin(annotation) or annotation
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            return _by_msgspec(msgspec, annotation)
    return None


def maker_of(kind: type) -> Convert | None:
    """What makes plain data of a library's models; none for other types."""
    if "pydantic" in sys.modules and hasattr(kind, "__pydantic_serializer__"):
        # By alias, as that is what the model is read by.
        return lambda model: kind.__pydantic_serializer__.to_python(model, mode="json", by_alias=True)
    msgspec = sys.modules.get("msgspec")
    if msgspec is not None and issubclass(kind, msgspec.Struct):
        return lambda struct: msgspec.to_builtins(struct, str_keys=True)
    return None


def _by_pydantic(annotation: Any) -> Convert | None:
    pydantic: Any = sys.modules["pydantic"]
    try:
        adapter = pydantic.TypeAdapter(annotation)
    except (pydantic.PydanticSchemaGenerationError, pydantic.PydanticUserError):
        # It holds a type that pydantic does not know: its parts are decoded one by one.
        return None

    def decode(value: Any) -> Any:
        try:
            # As JSON, so that a strict model takes the strings that dates and the like are there.
            return adapter.validate_json(json.dumps(value))
        except pydantic.ValidationError as error:
            raise _invalid(error) from None

    return decode


def _invalid(error: Any) -> Mismatch:
    # Without the input: an error's message never shows a payload.
    errors = error.errors(include_url=False, include_context=False, include_input=False)
    if len(errors) == 1:
        mismatch = Mismatch(errors[0]["msg"])
        for part in reversed(errors[0]["loc"]):
            mismatch.within(f"[{part}]" if isinstance(part, int) else f".{part}")
        return mismatch
    told = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in errors[:_MOST_ERRORS]]
    return Mismatch("; ".join(told) + ("; …" if len(errors) > _MOST_ERRORS else ""))


def _by_msgspec(msgspec: Any, annotation: Any) -> Convert:
    def decode(value: Any) -> Any:
        try:
            return msgspec.convert(value, annotation, str_keys=True)
        except msgspec.ValidationError as error:
            reason, _, place = str(error).partition(" - at `$")
            raise Mismatch(reason).within(place.removesuffix("`")) from None

    return decode
