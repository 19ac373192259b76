"""A codec that stores payloads encrypted with AES-GCM, by keys that can be changed. It needs the package cryptography."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Mapping

import everstep
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12
SEALED = re.compile(r'"aes-gcm:([A-Za-z0-9_-]{1,64}):([A-Za-z0-9+/=]+)"')


class Encrypting(everstep.Codec):
    """Every text encrypted and authenticated, as a JSON string that begins with the ID of its key.

    ``keys`` are by ID, of 16, 24 or 32 bytes each; ``current`` seals, all of them unseal. To change the key, give the new
    one to all programs first, then make it the current one; drop the old one when no stored payload needs it any more.
    What was not encrypted is refused: who can write to the store could else slip anything in. ``accept_clear`` lets it
    pass for as long as a store still holds payloads from before. ``inner`` is applied before encryption: compression
    makes nothing smaller after it.
    """

    def __init__(
        self,
        keys: Mapping[str, bytes],
        current: str,
        *,
        accept_clear: bool = False,
        inner: everstep.Codec | None = None,
    ) -> None:
        super().__init__()
        self._keys = {key_id: AESGCM(key) for key_id, key in keys.items()}
        if current not in self._keys or not all(
            re.fullmatch("[A-Za-z0-9_-]{1,64}", key_id) for key_id in keys
        ):
            raise ValueError("keys need IDs of letters, digits, _ and -, and current must be one of them")
        self._current = current
        self._accept_clear = accept_clear
        self._inner = inner

    def seal(self, text: str) -> str:
        if self._inner is not None:
            text = self._inner.seal(text)
        nonce = os.urandom(NONCE_BYTES)
        # The ID is authenticated too, so that nobody moves a text to another key.
        sealed = self._keys[self._current].encrypt(nonce, text.encode(), self._current.encode())
        return f'"aes-gcm:{self._current}:{base64.b64encode(nonce + sealed).decode()}"'

    def unseal(self, text: str) -> str:
        match = SEALED.fullmatch(text)
        if match is None:
            if self._accept_clear:
                return text
            raise ValueError("it is not encrypted")
        key_id, encoded = match.groups()
        key = self._keys.get(key_id)
        if key is None:
            raise KeyError(f"no key {key_id!r}")
        sealed = base64.b64decode(encoded, validate=True)
        clear = key.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], key_id.encode()).decode()
        return clear if self._inner is None else self._inner.unseal(clear)
