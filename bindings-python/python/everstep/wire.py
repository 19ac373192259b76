"""Payloads as they cross to the core: in, out, and within errors. One object per codec."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import DecodeError
from .payload import ABSENT, Decoder, Mismatch, RawPayload, convert, encode, loads, parse, sendable, unfit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_PLAIN = frozenset((dict, list, str, int))


class Wire:
    """Plain JSON: payloads lie in a batch's text as they are, and are parsed with it."""

    mode = "inline"
    """What a worker says of its payloads when it opens."""

    def __init__(
        self,
        encode: Callable[[Any, str], str] = encode,
        parse: Callable[[str], Any] = parse,
        loads: Callable[[str], Any] = loads,
    ) -> None:
        self._encode = encode
        self._parse = parse
        self.loads = loads
        """Parses a batch of tasks."""
        self.conceal: Callable[[str], str] | None = None
        """Seals a text of a failure, where the codec seals."""
        self.reveal: Callable[[str], str] | None = None
        """Unseals one; what is not sealed stays."""

    def decoder(self, annotation: Any) -> Decoder | None:
        """The decoder of an annotation; none where every value fits. Raises ``InvalidArgumentError``."""
        if annotation is Any:
            return None
        decoder = Decoder(annotation)
        decoder.compile()
        return decoder

    def prepare(self, *decoders: Decoder | None) -> None:
        """Compiles decoders now. Raises ``InvalidArgumentError``."""
        for decoder in decoders:
            if decoder is not None:
                decoder.compile()

    def text(self, value: Any, name: str) -> str | None:
        """The payload that a value becomes; none for ``ABSENT``. Raises ``InvalidArgumentError``."""
        if value is ABSENT:
            return None
        if type(value) is RawPayload:
            return sendable(value.text, name)
        return self._encode(value, name)

    def member(self, key: str, value: Any, name: str) -> str:
        """``,"key":payload`` as the bridge protocol embeds it; nothing for an absent one."""
        # Plain data, which is nearly all there is, takes the short way.
        if type(value) in _PLAIN:
            return f',"{key}":{self._encode(value, name)}'
        if value is ABSENT:
            return ""
        if type(value) is RawPayload:
            return f',"{key}_text":{encode(value.text, name)}'
        return f',"{key}":{self._encode(value, name)}'

    def value(self, text: str | None, decoder: Decoder | None = None) -> Any:
        """Decodes a payload; an absent or empty one reads as null. Raises ``DecodeError``."""
        if not text:
            return self.absent(decoder)
        try:
            return convert(self._parse(text), decoder)
        except DecodeError as error:
            error.text = text
            raise

    def take(self, job: Mapping[str, Any], key: str, decoder: Decoder | None) -> Any:
        """Decodes the payload under ``key`` of a job or task, or under its twin; ``ABSENT`` if there is none."""
        if key in job:
            value = job[key]
        else:
            text = job.get(key + "_text")
            if text is None:
                return ABSENT
            value = self._parse(text)
        if decoder is None or decoder.convert is None:
            return value
        try:
            return decoder.convert(value)
        except (Mismatch, RecursionError) as error:
            raise unfit(value, decoder, error) from error.__cause__

    def absent(self, decoder: Decoder | None) -> Any:
        """What a payload that is not there reads as. Raises ``DecodeError`` where null does not fit."""
        return convert(None, decoder)


JSON = Wire()
