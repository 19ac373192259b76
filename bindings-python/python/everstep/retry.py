"""Retry policies. They run in the core, as durable timers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .durations import milliseconds
from .errors import InvalidArgumentError

if TYPE_CHECKING:
    from .durations import Duration


@dataclass(frozen=True)
class Retry:
    """How often and when a failed activity or child workflow is tried again.

    Durations are seconds or a ``timedelta``. Absent limits are none. A type in ``non_retryable`` counts by its exact
    name; whatever derives from ``everstep.NonRetryableError`` is never tried again.
    """

    max_attempts: int | None = None
    """How many attempts there are in all, the first one included."""
    first_interval: Duration = 1.0
    """The pause before the second attempt."""
    backoff: float = 2.0
    """What each further pause is multiplied by."""
    max_interval: Duration | None = None
    """The longest pause; 100 seconds where it is absent."""
    total_timeout: Duration | None = None
    """No attempt begins later than this after the first one."""
    non_retryable: tuple[str | type[BaseException], ...] = ()
    """The error types that are not tried again."""

    def __post_init__(self) -> None:
        if self.max_attempts is not None and (type(self.max_attempts) is not int or self.max_attempts < 1):
            raise InvalidArgumentError(
                "max_attempts must be an int of at least 1; it counts the first attempt. leave it out for no limit"
            )
        if isinstance(self.backoff, bool) or not isinstance(self.backoff, (int, float)) or not 1 <= self.backoff <= 1e6:
            raise InvalidArgumentError("backoff must be a number from 1 to 1000000")
        given: object = self.non_retryable
        if isinstance(given, (str, type)):
            raise InvalidArgumentError("non_retryable must be a tuple of types or names; write (Type,)")
        self.text()

    def text(self) -> str:
        """The policy as the bridge protocol has it; built once."""
        text: str | None = self.__dict__.get("_text")
        if text is None:
            text = self._build()
            object.__setattr__(self, "_text", text)
        return text

    def _build(self) -> str:
        from .payload import encode

        policy: dict[str, object] = {
            "first_interval_ms": milliseconds(self.first_interval, "first_interval"),
            "backoff": self.backoff,
        }
        if self.max_attempts is not None:
            policy["max_attempts"] = self.max_attempts
        if self.max_interval is not None:
            policy["max_interval_ms"] = milliseconds(self.max_interval, "max_interval")
        if self.total_timeout is not None:
            policy["total_timeout_ms"] = milliseconds(self.total_timeout, "total_timeout")
        if self.non_retryable:
            policy["non_retryable"] = [kind if isinstance(kind, str) else kind.__name__ for kind in self.non_retryable]
        return encode(policy)
