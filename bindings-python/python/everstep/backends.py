"""Other libraries than ``json`` for the JSON of a codec.

They are given plain data and nothing else, so that what they would do with NaN, with dates or with keys does not
matter: the payloads mean the same as those of ``json``. What they refuse ``json`` has the last word on.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from . import payload
from .encoding import plain
from .errors import InvalidArgumentError

Encode = Callable[[Any, str], str]
Parse = Callable[[str], Any]


def backend_of(name: str) -> tuple[Encode, Parse]:
    """What encodes a value, given its argument's name, and what parses a text. Raises ``InvalidArgumentError``."""
    try:
        if name == "orjson":
            return _orjson()
        if name == "msgspec":
            return _msgspec()
    except ImportError as error:
        raise InvalidArgumentError(f"backend {name!r} needs the package {name}: {error}; install it") from error
    raise InvalidArgumentError(f"backend must be 'json', 'orjson' or 'msgspec', not {name!r}")


def _orjson() -> tuple[Encode, Parse]:
    orjson: Any = import_module("orjson")
    return _encoder(orjson.dumps), payload.parse


def _msgspec() -> tuple[Encode, Parse]:
    msgspec: Any = import_module("msgspec")
    decode = msgspec.json.Decoder().decode

    def parse(text: str) -> Any:
        if payload.MARK in text:
            return payload.parse(text)
        try:
            return decode(text)
        except Exception:
            return payload.parse(text)

    return _encoder(msgspec.json.Encoder().encode), parse


def _encoder(dumps: Callable[[Any], bytes]) -> Encode:
    def encode(value: Any, name: str) -> str:
        try:
            return dumps(plain(value)).decode()
        except Exception:
            return payload.encode(value, name)

    return encode


def loads_of(parse: Parse) -> Callable[[str], Any]:
    """What parses a batch of tasks, for a codec whose payloads are JSON. Raises ``ValueError``."""
    return payload.loads if parse is payload.parse else parse
