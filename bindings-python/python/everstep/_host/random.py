"""Random numbers and UUIDs that are the same at every replay, and in every language."""

from __future__ import annotations

import random
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

_MASK = (1 << 64) - 1


class WorkflowRandom(random.Random):
    """SplitMix64 behind the methods of ``random.Random``."""

    def __init__(self, seed: int) -> None:
        self._state = seed & _MASK
        super().__init__(seed)

    def seed(self, a: Any = None, version: int = 2) -> None:
        """Starts over from an integer."""
        if not isinstance(a, int):
            raise TypeError("a workflow's random numbers take an int as seed")
        self._state = a & _MASK
        self.gauss_next = None

    def next_u64(self) -> int:
        """The next 64 bits."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        z = self._state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        return z ^ (z >> 31)

    def random(self) -> float:
        """The next number in [0, 1)."""
        return (self.next_u64() >> 11) / 9007199254740992.0

    def getrandbits(self, k: int, /) -> int:
        """The next ``k`` bits."""
        if k < 0:
            raise ValueError("number of bits must be non-negative")
        bits, have = 0, 0
        while have < k:
            bits = (bits << 64) | self.next_u64()
            have += 64
        return bits >> (have - k)

    def getstate(self) -> Any:
        """The state, for ``setstate``."""
        return self._state

    def setstate(self, state: Any) -> None:
        """Goes back to a state."""
        self._state = int(state) & _MASK


class WorkflowUuids:
    """UUID v5 of 1, 2, 3 … in the run's name space."""

    __slots__ = ("_count", "_space")

    def __init__(self, execution_id: str) -> None:
        # Python reads more forms of a UUID than other languages do; only the usual one counts.
        self._space = uuid5(NAMESPACE_OID, execution_id)
        if len(execution_id) == 36:
            try:
                space = UUID(execution_id)
            except ValueError:
                space = None
            if space is not None and str(space) == execution_id.lower():
                self._space = space
        self._count = 0

    def next(self) -> UUID:
        """The next one."""
        self._count += 1
        return uuid5(self._space, str(self._count))
