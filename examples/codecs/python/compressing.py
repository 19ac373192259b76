"""A codec that stores large payloads compressed."""

from __future__ import annotations

import base64
import zlib

import everstep

PREFIX = '"zlib:'


class Compressing(everstep.Codec):
    """Texts of at least ``above`` characters as zlib in base64, within a JSON string; shorter ones as they are.

    Programs with and without it may share a store in one direction: this one reads what was written without it.
    """

    def __init__(self, *, above: int = 1024, level: int = 6) -> None:
        super().__init__()
        self._above = above
        self._level = level

    def seal(self, text: str) -> str:
        # A clear text that looks like a packed one must not be taken for one.
        if len(text) < self._above and not text.startswith(PREFIX):
            return text
        packed = zlib.compress(text.encode(), self._level)
        return f'{PREFIX}{base64.b64encode(packed).decode()}"'

    def unseal(self, text: str) -> str:
        if not text.startswith(PREFIX):
            return text
        return zlib.decompress(base64.b64decode(text[len(PREFIX) : -1], validate=True)).decode()
