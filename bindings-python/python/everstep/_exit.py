"""Ends threads of the package with the program."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

POLL_MS = 200


def before_exit(stop: Callable[[], None]) -> int | None:
    """Has ``stop`` called when the interpreter exits, before it waits for its threads.

    Where that cannot be had, gives how often in milliseconds a thread must look itself whether the main thread has
    ended.
    """
    try:
        # As concurrent.futures does it; `atexit` would come after the wait.
        threading._register_atexit(stop)  # type: ignore[attr-defined]
    except (AttributeError, RuntimeError):
        return POLL_MS
    return None
