"""Names workflows that do not give their turn back, and interrupts them.

The watchdog sleeps without a timeout while no workflow runs, so an idle worker wakes for nothing.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from time import monotonic
from typing import TYPE_CHECKING, Any

from ..errors import WorkflowBlocked
from .host import Abandoned

if TYPE_CHECKING:
    from collections.abc import Callable

    from .host import WorkflowHost

WARN_AFTER = 2.0
INTERRUPT_AFTER = 10.0
REPLACE_AFTER = 12.0
LOOK_EVERY = 1.0


class Watchdog:
    """Watches one workflow thread."""

    def __init__(self, host: WorkflowHost, replace: Callable[[list[str], list[dict[str, Any]]], int]) -> None:
        self._host = host
        self._replace = replace
        self._lock = threading.Lock()
        self._awake = threading.Event()
        self._stopped = False
        self._interrupting = False
        self._thread: threading.Thread | None = None
        self._watched: int | None = None
        self.asleep = True
        """Whether ``wake`` must be called before work begins."""

    def start(self, watched: threading.Thread) -> None:
        """Begins to watch a thread."""
        self._watched = watched.ident
        self._thread = threading.Thread(target=self._watch, name="everstep-watchdog", daemon=False)
        self._thread.start()

    def wake(self) -> None:
        """Work begins."""
        self.asleep = False
        self._awake.set()

    def stop(self) -> None:
        """Ends the watch."""
        self._stopped = True
        self._awake.set()

    def join(self) -> None:
        """Waits until the watchdog's thread has ended."""
        if self._thread is not None:
            self._thread.join()

    def settle(self) -> bool:
        """Called by the workflow thread after a long job: takes an interrupt that is on its way; says if one was."""
        with self._lock:
            self._check_owner()
            if not self._interrupting:
                return False
            self._interrupting = False
        try:
            # The exception arrives between two instructions of this thread; nothing else waits here.
            deadline = monotonic() + 5
            while monotonic() < deadline:
                threading.Event().wait(0.005)
        except WorkflowBlocked:
            pass
        return True

    def delivered(self) -> None:
        """Called by the workflow thread when it has caught the interrupt."""
        with self._lock:
            self._check_owner()
            self._interrupting = False

    def _check_owner(self) -> None:
        if self._host.owner != threading.get_ident():
            raise Abandoned

    def _watch(self) -> None:
        while not self._stopped:
            self._awake.wait()
            self._awake.clear()
            warned = 0.0
            idle = 0
            # Two looks at nothing: sleep until there is work again.
            while idle < 2 and not self._stopped:
                self._awake.wait(LOOK_EVERY)
                self._awake.clear()
                since = self._host.since
                if not since:
                    idle += 1
                    continue
                idle = 0
                blocked = monotonic() - since
                if blocked > WARN_AFTER and warned != since:
                    warned = since
                    self._warn(blocked)
                if blocked > REPLACE_AFTER:
                    self._give_up(since)
                elif blocked > INTERRUPT_AFTER:
                    self._interrupt(since)
            self.asleep = True
            # Work may have begun between the last look and this sleep.
            if self._host.since or self._stopped:
                self._awake.set()

    def _warn(self, blocked: float) -> None:
        frame = sys._current_frames().get(self._watched or 0)
        stack = "".join(traceback.format_stack(frame)) if frame is not None else "  (no stack)\n"
        instance = self._host.at_work[0] if self._host.at_work else "?"
        logging.getLogger("everstep.worker").warning(
            "workflow instance %r has not given its turn back for %.0f s; move what blocks into an activity\n%s",
            instance,
            blocked,
            stack,
        )

    def _interrupt(self, since: float) -> None:
        import ctypes

        with self._lock:
            # The job may have ended meanwhile; then there is nothing to interrupt.
            if self._host.since != since or self._interrupting or self._watched is None:
                return
            self._interrupting = True
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._watched), ctypes.py_object(WorkflowBlocked))

    def _give_up(self, since: float) -> None:
        """The interrupt did not help: the thread sits in a call that is not Python. Another one takes its work."""
        with self._lock:
            if self._host.since != since:
                return
            answers, tasks = self._host.give_up()
            self._interrupting = False
            self._watched = self._replace(answers, tasks)
