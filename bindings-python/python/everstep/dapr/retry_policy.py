"""Retry policies with the names of Dapr's SDK."""

from __future__ import annotations

from datetime import timedelta

from ..retry import Retry

_ZERO = timedelta(0)
_NO_LIMIT = timedelta(days=3650)


class RetryPolicy:
    """How often and when a failed activity or child workflow is tried again.

    ``max_number_of_attempts`` counts the first one. Absent limits are none. Raises ``ValueError``.
    """

    def __init__(
        self,
        *,
        first_retry_interval: timedelta,
        max_number_of_attempts: int,
        backoff_coefficient: float | None = 1.0,
        max_retry_interval: timedelta | None = None,
        retry_timeout: timedelta | None = None,
    ) -> None:
        for name, value in (
            ("first_retry_interval", first_retry_interval),
            ("max_retry_interval", max_retry_interval),
            ("retry_timeout", retry_timeout),
        ):
            if value is not None and value < _ZERO:
                raise ValueError(f"{name} must not be negative")
        if max_number_of_attempts < 1:
            raise ValueError("max_number_of_attempts must be at least 1; it counts the first attempt")
        if backoff_coefficient is not None and backoff_coefficient < 1:
            raise ValueError("backoff_coefficient must be at least 1")
        self._first_retry_interval = first_retry_interval
        self._max_number_of_attempts = max_number_of_attempts
        self._backoff_coefficient = backoff_coefficient
        self._max_retry_interval = max_retry_interval
        self._retry_timeout = retry_timeout
        self._obj = Retry(
            max_attempts=max_number_of_attempts,
            first_interval=first_retry_interval,
            backoff=1.0 if backoff_coefficient is None else backoff_coefficient,
            # Everstep's default is 100 seconds; here an absent limit is none.
            max_interval=_NO_LIMIT if max_retry_interval is None else max_retry_interval,
            total_timeout=retry_timeout,
        )

    @property
    def obj(self) -> Retry:
        """The same as everstep has it."""
        return self._obj

    @property
    def first_retry_interval(self) -> timedelta:
        """The pause before the second attempt."""
        return self._first_retry_interval

    @property
    def max_number_of_attempts(self) -> int:
        """How many attempts there are in all."""
        return self._max_number_of_attempts

    @property
    def backoff_coefficient(self) -> float | None:
        """What each further pause is multiplied by."""
        return self._backoff_coefficient

    @property
    def max_retry_interval(self) -> timedelta | None:
        """The longest pause."""
        return self._max_retry_interval

    @property
    def retry_timeout(self) -> timedelta | None:
        """No attempt begins later than this after the first one."""
        return self._retry_timeout
