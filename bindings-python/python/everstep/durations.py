"""Durations as users write them: seconds or a ``timedelta``."""

from __future__ import annotations

from datetime import timedelta

from .errors import InvalidArgumentError

Duration = int | float | timedelta
"""Seconds, or a ``timedelta``."""

_MOST_MS = 1 << 53


def milliseconds(value: Duration, name: str) -> int:
    """Whole milliseconds, rounded up so that nothing is early. Float noise below a microsecond is dropped."""
    if isinstance(value, timedelta):
        exact = value / timedelta(milliseconds=1)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        exact = value * 1000
    else:
        raise InvalidArgumentError(f"{name} must be seconds or a timedelta, not {type(value).__name__}")
    if not 0 <= exact < _MOST_MS:
        raise InvalidArgumentError(f"{name} must be between 0 seconds and 285,000 years")
    return -int(-round(exact, 3) // 1)
