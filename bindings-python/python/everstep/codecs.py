"""Codecs: how values become the text of payloads, and texts become values again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from .errors import DecodeError, InvalidArgumentError
from .payload import ABSENT, Decoder, RawPayload, convert, decoder_of, encode, parse, sendable
from .wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Backend = Literal["json", "orjson", "msgspec"]


class Codec:
    """How values become payloads and payloads values. As it is, it writes JSON and decodes by annotation.

    Derive from it and give it to ``Client`` (and to ``Worker``, which else takes its client's). There are two pairs of
    methods, and a codec has a pair of its own or leaves it as it is:

    - ``seal`` and ``unseal`` turn the text of a payload into another and back, to compress or encrypt it. They apply to
      every input, output, event and custom status, and to the message and the stack of every failure.
    - ``encode`` and ``decode`` turn a value into text and text into a value, for a form that is not JSON.

    What a codec never sees, and so is never sealed: names of workflows, activities and events, instance IDs, versions,
    tags, the types of errors (retry policies match on them), reasons of pauses and of stalled turns.

    A sealed text best is a JSON string, as other SDKs and tools take every payload for JSON. Sealing the same text
    twice may give two texts: stored payloads are never compared. ``unseal`` is given whatever is stored, also what
    another codec or none has written: it raises, which is ``DecodeError`` to the reader, or lets the text pass. Methods
    are called by many threads, also by the one that runs all workflows: they must be quick and wait for nothing.

    ``backend`` is the library that does the JSON; the payloads mean the same with each. It is never chosen by what is
    installed, as programs that share a store would differ. ``"msgspec"`` encodes and decodes. ``"orjson"`` encodes
    alone: it would read integers beyond 64 bits as floats. Raises ``InvalidArgumentError`` if it is not installed.
    """

    _json_backend: tuple[Callable[[Any, str], str], Callable[[str], Any]] = (encode, parse)

    def __init__(self, *, backend: Backend = "json") -> None:
        if backend != "json":
            from .backends import backend_of

            self._json_backend = backend_of(backend)

    def encode(self, value: Any) -> str:
        """The text of a value. Raises ``InvalidArgumentError``; whatever else it raises becomes one."""
        return self._json_backend[0](value, "the value")

    def decode(self, text: str, type: Any = Any) -> Any:
        """The value of a text, in the form of an annotation; ``Any`` where there is none.

        Raises ``DecodeError``; whatever else it raises becomes one.
        """
        return convert(self._json_backend[1](text), decoder_of(type))

    def seal(self, text: str) -> str:
        """What is stored of a payload's text."""
        return text

    def unseal(self, text: str) -> str:
        """The text that was sealed. Raises what it likes."""
        return text


class CodecWire(Wire):
    """A codec that does not leave JSON as it is: every payload crosses as a string."""

    mode = "text"

    def __init__(self, codec: Codec) -> None:
        super().__init__(*codec._json_backend)
        self._codec = codec
        self._writes_json = type(codec).encode is Codec.encode
        self._reads_json = type(codec).decode is Codec.decode
        if type(codec).seal is not Codec.seal or type(codec).unseal is not Codec.unseal:
            self.conceal, self.reveal = self._conceal, self._reveal

    def decoder(self, annotation: Any) -> Decoder | None:
        if self._reads_json:
            return super().decoder(annotation)
        return None if annotation is Any else Decoder(annotation)

    def prepare(self, *decoders: Decoder | None) -> None:
        # A codec with words of its own may know types that JSON does not.
        if self._reads_json:
            super().prepare(*decoders)

    def text(self, value: Any, name: str) -> str | None:
        if value is ABSENT:
            return None
        try:
            if type(value) is RawPayload:
                text = value.text
            elif self._writes_json:
                text = self._encode(value, name)
            else:
                text = self._codec.encode(value)
            sealed: object = self._codec.seal(text)
        except InvalidArgumentError:
            raise
        except Exception as error:
            raise InvalidArgumentError(f"{name} cannot be encoded: {type(error).__name__}: {error}") from error
        if not isinstance(sealed, str):
            kind = type(self._codec).__name__
            raise InvalidArgumentError(f"{name} cannot be encoded: {kind} gave {type(sealed).__name__}, not str")
        return sendable(sealed, name)

    def member(self, key: str, value: Any, name: str) -> str:
        text = self.text(value, name)
        return "" if text is None else f',"{key}_text":{encode(text, name)}'

    def value(self, text: str | None, decoder: Decoder | None = None) -> Any:
        if not text:
            return self.absent(decoder)
        try:
            clear = self._codec.unseal(text)
        except Exception as error:
            raise DecodeError(_failed("unsealed", error), text=text) from error
        try:
            if self._reads_json:
                return convert(self._parse(clear), decoder)
            return self._codec.decode(clear, Any if decoder is None else decoder.annotation)
        except DecodeError as error:
            error.text = clear
            raise
        except InvalidArgumentError:
            raise
        except Exception as error:
            raise DecodeError(_failed("decoded", error), text=clear) from error

    def take(self, job: Mapping[str, Any], key: str, decoder: Decoder | None) -> Any:
        text = job.get(key + "_text")
        return ABSENT if text is None else self.value(text, decoder)

    def absent(self, decoder: Decoder | None) -> Any:
        return convert(None, decoder) if self._reads_json else None

    def _conceal(self, text: str) -> str:
        try:
            return self._codec.seal(text)
        except Exception as error:
            # Better no message than one that should not have been seen.
            return f"({type(self._codec).__name__} could not seal this: {type(error).__name__})"

    def _reveal(self, text: str) -> str:
        try:
            return self._codec.unseal(text)
        except Exception:
            # What the engine says of timeouts and the like was never sealed.
            return text


def _failed(what: str, error: Exception) -> str:
    return f"the payload cannot be {what}: {type(error).__name__}: {error}"


def wire_of(codec: object) -> Wire:
    """What carries the payloads of a codec. Raises ``InvalidArgumentError``."""
    if not isinstance(codec, Codec):
        kind = f"the class {codec.__name__}" if isinstance(codec, type) else type(codec).__name__
        raise InvalidArgumentError(f"codec must be an object of an everstep.Codec, not {kind}")
    if all(getattr(type(codec), name) is getattr(Codec, name) for name in ("encode", "decode", "seal", "unseal")):
        from .backends import loads_of

        encode, parse = codec._json_backend
        return Wire(encode, parse, loads_of(parse))
    return CodecWire(codec)
