"""Payloads: values as JSON text, and back by the annotation that asked for them.

Encoding goes by the type of the value, decoding by the annotation; ``encoding`` and ``decoding`` say which types there
are. NaN and the infinities are refused, because JSON has no word for them. Decoding is strict about what an annotation
says and names the place where a value breaks it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from json.encoder import encode_basestring
from typing import Any

from .errors import DecodeError, InvalidArgumentError

Convert = Callable[[Any], Any]
"""Takes a parsed value; gives the typed value or raises ``Mismatch``."""


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
    """Text that is a payload already: nothing encodes it. A codec that seals seals it too, so that it is read like any
    other.
    """

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        if not isinstance(text, str):
            raise InvalidArgumentError(f"a raw payload must be a str, not {type(text).__name__}")
        self.text = text

    def __repr__(self) -> str:
        return f"RawPayload({len(self.text)} characters)"


class Mismatch(Exception):
    """A parsed value is not what the annotation says. It gathers its place on the way up."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self._place: list[str] = []

    def within(self, part: str) -> Mismatch:
        """The same, one level further up."""
        self._place.append(part)
        return self

    def __str__(self) -> str:
        place = "".join(reversed(self._place)).removeprefix(".")
        return f"{place}: {self.reason}" if place else self.reason


class Decoder:
    """An annotation, and how a parsed value is brought into its form. It is compiled when it is first used."""

    __slots__ = ("annotation", "convert")

    def __init__(self, annotation: Any) -> None:
        self.annotation = annotation
        self.convert: Convert | None = self._first

    def compile(self) -> None:
        """Compiles it now. Raises ``InvalidArgumentError`` for what payloads are not decoded as."""
        if self.convert == self._first:
            from .decoding import compile_decoder

            self.convert = compile_decoder(self.annotation)

    def _first(self, value: Any) -> Any:
        self.compile()
        return value if self.convert is None else self.convert(value)


class _Makers(dict[type, Convert]):
    """What makes plain data of a value, by its type; a type that is met for the first time is compiled."""

    def __missing__(self, kind: type) -> Convert:
        # Imported when it is needed: what it imports is half of what importing this module would take.
        from .encoding import compile_maker

        self[kind] = maker = compile_maker(kind)
        return maker


MAKERS = _Makers()


def _plain(value: Any) -> Any:
    """What ``json`` cannot encode itself, as plain data."""
    return MAKERS[type(value)](value)


def _reusable_encoder() -> Callable[[Any], str]:
    # JSONEncoder.encode builds its C encoder anew for every value, which costs more than a small payload. Without
    # markers a circle is met as too deep; with them two threads could not encode one object at the same time.
    make: Any = json.encoder.c_make_encoder  # type: ignore[attr-defined]
    if make is None:
        return json.JSONEncoder(
            ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":"), default=_plain
        ).encode
    iterate = make(None, _plain, encode_basestring, None, ":", ",", False, False, False)
    join = "".join

    def encode_with(value: Any) -> str:
        return join(iterate(value, 0))

    return encode_with


_encode = _reusable_encoder()


def encode(value: Any, name: str = "value") -> str:
    """Encodes a value. Raises ``InvalidArgumentError``, naming the argument."""
    try:
        try:
            text = _encode(value)
        except TypeError:
            # JSON's keys are strings: others are made to such where that can be undone.
            text = _encode(_plain(value))
        if not text.isascii():
            text.encode()
        return text
    except Exception as error:
        raise _unencodable(name, error) from error


def _unencodable(name: str, error: Exception) -> InvalidArgumentError:
    if isinstance(error, UnicodeEncodeError):
        reason = "it holds a lone surrogate, which is no character"
    elif isinstance(error, RecursionError):
        reason = "it is nested too deeply, or holds itself"
    elif isinstance(error, (TypeError, ValueError)):
        reason = str(error)
    else:
        reason = f"{type(error).__name__}: {error}"
    return InvalidArgumentError(f"{name} cannot be encoded: {reason}")


def sendable(text: str, name: str) -> str:
    """A text that is sent as it stands. Raises ``InvalidArgumentError`` for one that has no UTF-8."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise _unencodable(name, error) from None
    return text


def encode_text(text: str) -> str:
    """A JSON string of this text."""
    return encode_basestring(text)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


MARK = "__durabletask_autoobject__"
"""What Dapr's Python SDK adds to the JSON of a dataclass, with ``true`` as its value, so as to know it again."""


def _unmarked(found: dict[str, Any]) -> dict[str, Any]:
    if found.get(MARK) is True:
        del found[MARK]
    return found


_loads = json.JSONDecoder(parse_constant=_no_constant).decode
_loads_marked = json.JSONDecoder(parse_constant=_no_constant, object_hook=_unmarked).decode


def loads(text: str) -> Any:
    """Parses a batch of tasks, and the payloads in it. Raises ``ValueError``."""
    # A search costs nearly nothing beside the parsing, a hook doubles it.
    return json.loads(text, object_hook=_unmarked) if MARK in text else json.loads(text)


def parse(text: str) -> Any:
    """Parses a payload. Raises ``DecodeError`` that keeps the text. An empty one reads as null."""
    if not text:
        return None
    try:
        return (_loads_marked if MARK in text else _loads)(text)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise DecodeError(f"the payload is no JSON: {reason}", text=text) from error


def convert(value: Any, decoder: Decoder | None) -> Any:
    """Brings a parsed value into its annotated form. Raises ``DecodeError`` that keeps the payload."""
    if decoder is None or decoder.convert is None:
        return value
    try:
        return decoder.convert(value)
    except (Mismatch, RecursionError) as error:
        raise unfit(value, decoder, error) from error.__cause__


def unfit(value: Any, decoder: Decoder, error: Mismatch | RecursionError) -> DecodeError:
    """The error for a parsed value that does not fit its annotation."""
    from .decoding import name_of

    if isinstance(error, RecursionError):
        return DecodeError("the payload is nested too deeply", text=json.dumps(value))
    return DecodeError(f"the payload does not fit {name_of(decoder.annotation)}: {error}", text=json.dumps(value))


def decode(text: str | None, decoder: Decoder | None = None) -> Any:
    """Decodes a payload; an absent one reads as null. Raises ``DecodeError``."""
    return convert(None if text is None else parse(text), decoder)


def decoder_of(annotation: Any) -> Decoder | None:
    """The decoder of an annotation; none where every value fits."""
    return None if annotation is Any else Decoder(annotation)
