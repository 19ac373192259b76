"""Payloads: values as JSON text, and back by the annotation that asked for them.

Encoding takes what ``json`` takes and dataclasses, enums, dates, ``UUID``, ``Decimal`` and sets. NaN and the infinities
are refused, because JSON has no word for them. Decoding is strict about what an annotation says and names the place
where a value breaks it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from enum import Enum
from json.encoder import encode_basestring
from typing import Any

from .errors import DecodeError, InvalidArgumentError

Decoder = Callable[[Any, str], Any]
"""Takes a parsed value and its place in the payload; gives the typed value or raises ``Mismatch``."""


class Absent:
    """The type of ``ABSENT``."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "ABSENT"

    def __bool__(self) -> bool:
        return False


ABSENT = Absent()
"""No payload at all, which is not the same as ``None``."""


class RawPayload:
    """Text that is a payload already. It is sent as it stands, JSON or not."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        if not isinstance(text, str):
            raise InvalidArgumentError(f"a raw payload must be a str, not {type(text).__name__}")
        self.text = text

    def __repr__(self) -> str:
        return f"RawPayload({len(self.text)} characters)"


class Mismatch(Exception):
    """A parsed value is not what the annotation says."""


def _is_text(value: object) -> bool:
    """Whether its text says all of it."""
    from decimal import Decimal
    from uuid import UUID

    return isinstance(value, (UUID, Decimal))


def _plain(value: Any) -> Any:
    """What ``json`` cannot encode itself, one level deep: it asks again for what is inside."""
    # Imported when they are needed, as they are half of what importing this module would take.
    from dataclasses import fields, is_dataclass

    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if _is_text(value):
        return str(value)
    if isinstance(value, (set, frozenset)):
        return list(value)
    raise TypeError(f"{type(value).__name__} cannot be encoded as JSON")


_encoder = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, check_circular=True, separators=(",", ":"), default=_plain
)
_make_encoder = json.encoder.c_make_encoder  # type: ignore[attr-defined]


def _reusable_encoder() -> Callable[[Any], str]:
    # JSONEncoder.encode builds its C encoder anew for every value, which costs more than a small payload.
    if _make_encoder is None:
        return _encoder.encode
    iterate = _make_encoder({}, _plain, encode_basestring, None, ":", ",", False, False, False)
    join = "".join

    def encode_with(value: Any) -> str:
        return join(iterate(value, 0))

    return encode_with


_encode = _reusable_encoder()
_PLAIN = frozenset((dict, list, str, int))


def encode(value: Any, name: str = "value") -> str:
    """Encodes a value. Raises ``InvalidArgumentError``, naming the argument."""
    global _encode
    try:
        text = _encode(value)
        if not text.isascii():
            text.encode()
        return text
    except (TypeError, ValueError, RecursionError) as error:
        # The encoder marks what it is inside of; after an error it would find marks of that.
        _encode = _reusable_encoder()
        if isinstance(error, UnicodeEncodeError):
            reason = "it holds a lone surrogate, which is no character"
        elif isinstance(error, RecursionError):
            reason = "it is nested too deeply"
        else:
            reason = str(error)
        raise InvalidArgumentError(f"{name} cannot be encoded: {reason}") from error


def encode_text(text: str) -> str:
    """A JSON string of this text."""
    return encode_basestring(text)


def payload_text(value: Any, name: str) -> str | None:
    """The payload that a value becomes: none for ``ABSENT``, its own text for a ``RawPayload``, else JSON."""
    if value is ABSENT:
        return None
    if type(value) is RawPayload:
        return value.text
    return encode(value, name)


def member(key: str, value: Any, name: str) -> str:
    """``,"key":payload`` as the bridge protocol embeds it; nothing for an absent one."""
    # Plain data, which is nearly all there is, takes the short way.
    if type(value) in _PLAIN:
        return f',"{key}":{encode(value, name)}'
    if value is ABSENT:
        return ""
    if type(value) is RawPayload:
        return f',"{key}_text":{encode(value.text, name)}'
    return f',"{key}":{encode(value, name)}'


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


_loads = json.JSONDecoder(parse_constant=_no_constant).decode


def parse(text: str) -> Any:
    """Parses a payload. Raises ``DecodeError`` that keeps the text. An empty one reads as null."""
    if not text:
        return None
    try:
        return _loads(text)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise DecodeError(f"the payload is no JSON: {reason}", text=text) from error


def convert(value: Any, decoder: Decoder | None) -> Any:
    """Brings a parsed value into its annotated form. Raises ``DecodeError`` that keeps the payload."""
    if decoder is None:
        return value
    try:
        return decoder(value, "")
    except Mismatch as error:
        raise DecodeError(f"the payload does not fit: {error}", text=json.dumps(value)) from None
    except RecursionError:
        raise DecodeError("the payload is nested too deeply", text=json.dumps(value)) from None


def decode(text: str | None, decoder: Decoder | None = None) -> Any:
    """Decodes a payload; an absent one reads as null. Raises ``DecodeError``."""
    return convert(None if text is None else parse(text), decoder)


def taken(job: dict[str, Any], key: str) -> Any:
    """The parsed payload under ``key`` of a job or task, or under its twin; ``ABSENT`` if there is none."""
    value = job.get(key, ABSENT)
    if value is not ABSENT:
        return value
    text = job.get(key + "_text")
    return ABSENT if text is None else parse(text)


def decoder_of(annotation: Any) -> Decoder | None:
    """The decoder of an annotation; none where every value fits. Raises ``InvalidArgumentError``."""
    from .decoding import compile_decoder

    return compile_decoder(annotation)
