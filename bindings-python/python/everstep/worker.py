"""The worker: runs workflows and activities in this process."""

from __future__ import annotations

import json
import os
import re
import sys
import threading
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from ._exit import before_exit
from ._native import NativeWorker
from .durations import milliseconds
from .errors import ClosedError, EverstepError, FailedPreconditionError, InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from typing_extensions import Self

    from ._host.activities import ActivityHost
    from .aio import AsyncClient
    from .client import Client
    from .codecs import Codec
    from .durations import Duration

_MOST_BYTES = 1 << 20
_BATCH = re.compile(r'"batch":"([^"\\]*)"')
_EXIT_MS = 2_000


class Worker:
    """Runs workflows and activities of a client's component, until it is closed.

    Use it with ``with`` or ``async with``, or call ``start`` and ``close``, which block. Workflows run on one thread,
    sync activities on a pool of ``activity_threads``, async ones on an event loop of the worker's own. At most
    ``workflow_slots`` turns and ``activity_slots`` activities are at work at once; what finds no room waits at the
    engine. ``max_cached`` is how many instances stay in memory between turns (``EVERSTEP_MAX_CACHED``, else 10,000);
    with 0 every turn is a replay.
    ``codec`` writes and reads payloads; without one it is the client's.

    Raises ``InvalidArgumentError``, and what opening the component answers.
    """

    def __init__(
        self,
        client: Client | AsyncClient,
        workflows: Iterable[Callable[..., Any]] = (),
        activities: Iterable[Callable[..., Any]] = (),
        *,
        workflow_component: str | None = None,
        max_cached: int | None = None,
        activity_threads: int | None = None,
        workflow_slots: int = 256,
        activity_slots: int | None = None,
        shutdown_timeout: Duration = 10,
        codec: Codec | None = None,
    ) -> None:
        # These bring asyncio along, which costs more than all the rest: a program that only calls does not pay for it.
        from ._host.activities import Activities
        from ._host.host import WorkflowHost, Workflows
        from ._host.watchdog import Watchdog
        from .client import BaseClient

        if not isinstance(client, BaseClient):
            raise InvalidArgumentError(f"client must be an everstep client, not {type(client).__name__}")
        if callable(workflows) or callable(activities):
            raise InvalidArgumentError("workflows and activities must be lists; write [function]")
        self._client = client
        self._component = workflow_component
        self._wire = client._wire
        if codec is not None:
            from .codecs import wire_of

            self._wire = wire_of(codec)
        self._workflows = Workflows(workflows, self._wire)
        self._activities = Activities(activities, self._wire)
        self._max_cached = _cached(max_cached)
        self._threads = _count(activity_threads, "activity_threads", min(32, (os.cpu_count() or 1) + 4))
        self._workflow_slots = _count(workflow_slots, "workflow_slots", 256)
        self._activity_slots = _count(activity_slots, "activity_slots", max(256, 4 * self._threads))
        self._shutdown_ms = milliseconds(shutdown_timeout, "shutdown_timeout")
        self._native: NativeWorker | None = None
        self._host = WorkflowHost(self._workflows, self._wire)
        self._activity_host: ActivityHost | None = None
        self._watchdog = Watchdog(self._host, self._replace_workflow_thread)
        self._host.watchdog = self._watchdog
        self._workflow_thread: threading.Thread | None = None
        self._activity_thread: threading.Thread | None = None
        self._closed = threading.Event()
        self._closing = threading.Lock()
        self._process = os.getpid()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        from .completions import off_the_loop

        await off_the_loop(self.start, self.close)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        from .completions import off_the_loop

        await off_the_loop(self.close)

    @property
    def is_closed(self) -> bool:
        """Whether the worker is closed."""
        return self._closed.is_set()

    @property
    def is_ready(self) -> bool:
        """Whether tasks may come: always on the embedded engine, on Dapr while the sidecar's stream stands."""
        return self._native is not None and not self._closed.is_set() and self._native.is_ready()

    def wait_until_ready(self, timeout: Duration | None = None) -> None:
        """Blocks until tasks may come; returns at once on the embedded engine.

        Without a timeout it waits as long as it takes. Raises ``OperationTimeoutError``, which says why there is none;
        ``UnauthenticatedError`` and its like at once where waiting is of no use; ``ClosedError``;
        ``FailedPreconditionError`` if the worker has not started.
        """
        if self._closed.is_set():
            raise ClosedError("the worker is closed; make another one")
        if self._native is None:
            raise FailedPreconditionError("the worker has not started; call start() or use `with`")
        self._native.wait_until_ready(None if timeout is None else milliseconds(timeout, "timeout"))

    def start(self) -> None:
        """Opens the worker and starts its threads; returns when tasks may come.

        Raises ``ClosedError``, ``FailedPreconditionError`` if it has started already, ``StoreLockedError`` where
        another process owns the file.
        """
        from ._host.activities import ActivityHost

        if self._closed.is_set():
            raise ClosedError("the worker is closed; make another one")
        if self._native is not None:
            raise FailedPreconditionError("the worker has started already")
        self._native, _ = NativeWorker.open(self._client._native, self._component, self._open_request())
        self._activity_host = ActivityHost(
            self._activities, self._threads, self._activity_slots, self._native.complete, self._wire
        )
        _register(self)
        if self._workflows.declare():
            self._workflow_thread = self._start_thread("everstep-workflows", self._poll_workflows)
            self._watchdog.start(self._workflow_thread)
        if self._activities.names:
            self._activity_thread = self._start_thread("everstep-activities", self._poll_activities)

    def _open_request(self) -> str:
        """What the core opens this worker by."""
        request = {
            "v": 1,
            "host": f"python/{sys.version_info[0]}.{sys.version_info[1]}.{sys.version_info[2]}",
            "payloads": self._wire.mode,
            "workflows": self._workflows.declare(),
            "activities": self._activities.names,
            "max_cached": self._max_cached,
            "slots": {"workflows": self._workflow_slots, "activities": self._activity_slots},
        }
        return json.dumps(request)

    def close(self, timeout: Duration | None = None) -> None:
        """Takes no more tasks, waits for those at work up to ``shutdown_timeout``, and ends the threads.

        What did not finish in time is handed out again later, to this program's next run or another worker.
        """
        deadline = self._shutdown_ms if timeout is None else milliseconds(timeout, "timeout")
        if self._native is None or self._process != os.getpid():
            self._closed.set()
            return
        # The native call cannot be interrupted; waiting for a thread can, so Ctrl-C works meanwhile.
        closer = threading.Thread(target=self._close, args=(deadline,), name="everstep-close", daemon=False)
        closer.start()
        closer.join()

    def wait(self, timeout: Duration | None = None) -> bool:
        """Blocks until the worker is closed, by another thread or by Ctrl-C; says whether it is."""
        return self._closed.wait(None if timeout is None else milliseconds(timeout, "timeout") / 1000)

    def _close(self, deadline_ms: int, wait: bool = True) -> None:
        """Closes once. A poll thread must not ``wait``: whoever closes joins it."""
        native, activities = self._native, self._activity_host
        assert native is not None
        assert activities is not None
        if not self._closing.acquire(wait):
            return
        try:
            if self._closed.is_set():
                return
            activities.close()
            native.shutdown(deadline_ms)
            # While it is joined the watchdog may put another one in its place.
            while (thread := self._workflow_thread) is not None and thread is not threading.current_thread():
                thread.join(1.0)
                if not thread.is_alive() and thread is self._workflow_thread:
                    break
            self._watchdog.stop()
            self._watchdog.join()
            if self._activity_thread not in (None, threading.current_thread()):
                self._activity_thread.join()
            activities.stop()
            activities.join()
            self._host.close()
            _workers.discard(self)
            self._closed.set()
        finally:
            self._closing.release()

    def _start_thread(self, name: str, target: Callable[..., None], *args: Any) -> threading.Thread:
        thread = threading.Thread(target=target, args=args, name=name, daemon=False)
        thread.start()
        return thread

    def _replace_workflow_thread(self, answers: list[str], tasks: list[dict[str, Any]]) -> int:
        thread = self._start_thread("everstep-workflows", self._poll_workflows, answers, tasks)
        self._workflow_thread = thread
        assert thread.ident is not None
        return thread.ident

    def _poll_workflows(self, answers: list[str] | None = None, tasks: list[dict[str, Any]] | None = None) -> None:
        """Runs workflow tasks; first, in place of a thread that is stuck, what that one has left."""
        from ._host.host import Abandoned, batch_text

        native = self._native
        assert native is not None
        try:
            if answers is not None:
                self._complete(native, batch_text(answers))
            if tasks:
                self._complete(native, self._host.answer(tasks))
            self._run_workflows(native)
        except Abandoned:
            return

    def _run_workflows(self, native: NativeWorker) -> None:
        host, watchdog = self._host, self._watchdog
        try:
            while (text := native.poll_workflows(self._workflow_slots, _MOST_BYTES, _POLL_MS)) is not None:
                if text:
                    if watchdog.asleep:
                        watchdog.wake()
                    tasks = self._tasks(native, text)["tasks"]
                    if tasks:
                        self._complete(native, host.answer(tasks))
                else:
                    self._end_with_the_program()
        except EverstepError as error:
            self._stop_after(error)

    def _poll_activities(self) -> None:
        native, activities = self._native, self._activity_host
        assert native is not None
        assert activities is not None
        try:
            while (text := native.poll_activities(activities.room(), _MOST_BYTES, _POLL_MS)) is not None:
                if text:
                    batch = self._tasks(native, text)
                    activities.take(batch["tasks"], batch["cancel"])
                else:
                    self._end_with_the_program()
        except EverstepError as error:
            self._stop_after(error)

    def _end_with_the_program(self) -> None:
        """Without a hook at the interpreter's exit the polls look now and then whether the program has ended."""
        if not threading.main_thread().is_alive():
            self._close(_EXIT_MS, wait=False)

    def _stop_after(self, error: EverstepError) -> None:
        """The tasks have no source any more: whoever waits for the worker is let go."""
        import logging

        logging.getLogger("everstep.worker").error("the worker has stopped", exc_info=error)
        self._close(0, wait=False)

    def _tasks(self, native: NativeWorker, text: str) -> dict[str, Any]:
        batch = self._parse(native, text)
        notices = batch.get("notices")
        if notices:
            _log(notices)
        return batch

    def _parse(self, native: NativeWorker, text: str) -> dict[str, Any]:
        try:
            return self._wire.loads(text)  # type: ignore[no-any-return]
        except (ValueError, RecursionError):
            # One payload is more than this Python takes; in text form it is met when its own task runs.
            match = _BATCH.search(text, 0, 256)
            assert match is not None, "a batch begins with its number"
            return json.loads(native.repoll(match.group(1)))  # type: ignore[no-any-return]

    def _complete(self, native: NativeWorker, text: str) -> None:
        try:
            native.complete(text)
        except EverstepError as error:
            import logging

            # The engine hands out again what was not answered.
            logging.getLogger("everstep.worker").error("answers were not taken", exc_info=error)


def _log(notices: list[dict[str, str]]) -> None:
    """What the core has to say of the connection and of instances that cannot go on."""
    import logging

    logger = logging.getLogger("everstep.worker")
    levels = {"info": logging.INFO, "warning": logging.WARNING}
    for notice in notices:
        logger.log(levels.get(notice["level"], logging.ERROR), "%s", notice["text"])


def _count(value: int | None, name: str, default: int) -> int:
    if value is None:
        return default
    if type(value) is not int or value < 1:
        raise InvalidArgumentError(f"{name} must be an int of at least 1")
    return value


def _cached(value: int | None) -> int:
    if value is None:
        text = os.environ.get("EVERSTEP_MAX_CACHED", "10000")
        if not text.isdecimal():
            raise InvalidArgumentError("EVERSTEP_MAX_CACHED must be a number of at least 0")
        return int(text)
    if type(value) is not int or value < 0:
        raise InvalidArgumentError("max_cached must be an int of at least 0")
    return value


_workers: WeakSet[Worker] = WeakSet()
_POLL_MS: int | None = None
_registered = False


def _close_all() -> None:
    for worker in list(_workers):
        if worker._process == os.getpid():
            worker._close(_EXIT_MS)


def _register(worker: Worker) -> None:
    """Has the worker closed when the interpreter exits, before it waits for its threads."""
    global _POLL_MS, _registered
    if not _registered:
        _registered = True
        _POLL_MS = before_exit(_close_all)
    _workers.add(worker)
