"""The runtime: registers workflows and activities and runs them."""

from __future__ import annotations

import functools
import inspect
import time
from typing import TYPE_CHECKING, Any, TypeVar, overload

from ..client import Client
from ..errors import ClosedError, OperationTimeoutError
from ..functions import activity, workflow
from ..worker import Worker
from .connection import endpoint_of, options_of, refuse_interceptors
from .dapr_workflow_context import run_workflow
from .logger import Logger
from .names import alternate_name_of, plain_name, remember
from .payloads import InputOf, MarkerCodec, payload
from .workflow_activity_context import ActivityContext as InnerContext
from .workflow_activity_context import WorkflowActivityContext

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from types import TracebackType

    from typing_extensions import Self

    from ..activities import ActivityContext
    from ..context import WorkflowContext
    from .logger import LoggerOptions

F = TypeVar("F", bound="Callable[..., Any]")


class WorkflowRuntime:
    """Registers workflows and activities, and runs them between ``start`` and ``shutdown``, or within ``with``.

    ``host`` and ``port`` are those of a Dapr sidecar's gRPC API; without them workflows run where an everstep client
    finds them. ``maximum_concurrent_activity_work_items`` and ``maximum_concurrent_orchestration_work_items`` are how
    many are at work at once, ``maximum_thread_pool_workers`` how many threads run activities that are no ``async def``.
    ``history_cache_max_instances`` is how many instances stay in memory between turns (10,000); with
    ``disable_stateful_history`` none does, and every turn is a replay. An idle instance leaves memory after a minute,
    whatever ``history_cache_ttl`` and ``history_cache_max_bytes`` say.

    A function may be registered with several runtimes, and stays the function it was.
    """

    def __init__(
        self,
        host: str | None = None,
        port: str | int | None = None,
        logger_options: LoggerOptions | None = None,
        interceptors: Sequence[Any] | None = None,
        maximum_concurrent_activity_work_items: int | None = None,
        maximum_concurrent_orchestration_work_items: int | None = None,
        maximum_thread_pool_workers: int | None = None,
        worker_ready_timeout: float | None = None,
        max_grpc_message_length: int | None = None,
        disable_stateful_history: bool = False,
        history_cache_ttl: float | None = None,
        history_cache_max_instances: int | None = None,
        history_cache_max_bytes: int | None = None,
    ) -> None:
        self._logger = Logger("WorkflowRuntime", logger_options)
        self._endpoint = endpoint_of(host, port)
        self._options = options_of(max_grpc_message_length)
        self._interceptors = interceptors
        self._activity_slots = maximum_concurrent_activity_work_items
        self._workflow_slots = maximum_concurrent_orchestration_work_items
        self._threads = maximum_thread_pool_workers
        self._ready_seconds = 30.0 if worker_ready_timeout is None else worker_ready_timeout
        self._max_cached = 0 if disable_stateful_history else history_cache_max_instances or None
        self._workflows: dict[tuple[str, str | None], Callable[..., Any]] = {}
        self._activities: dict[str, Callable[..., Any]] = {}
        self._registered: dict[tuple[str, int], str] = {}
        self._client: Client | None = None
        self._workers: list[Worker] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown()

    # Registering.

    def register_workflow(self, fn: Callable[..., Any], *, name: str | None = None) -> None:
        """Registers a workflow by this name, the one of ``alternate_name``, or its own. Raises ``ValueError``."""
        self._add_workflow(fn, name, None, False)

    def register_versioned_workflow(
        self, fn: Callable[..., Any], *, name: str, version_name: str | None = None, is_latest: bool
    ) -> None:
        """Registers one version of a workflow, named as its function unless ``version_name`` is given.

        New runs use the one that ``is_latest``; a run keeps the version that it began with. Raises ``ValueError``.
        """
        self._add_workflow(fn, name, version_name or plain_name(fn), is_latest)

    def register_activity(self, fn: Callable[..., Any], *, name: str | None = None) -> None:
        """Registers an activity, a ``def`` or ``async def``, as ``register_workflow`` does. Raises ``ValueError``."""
        chosen = self._name("activity", fn, name)
        if chosen in self._activities:
            raise ValueError(f"there is an activity {chosen!r} already")
        function = activity(name=chosen)(_activity_function(fn, self._logger))
        self._activities[chosen] = function
        self._keep("activity", fn, chosen)
        self._add_worker([], [function])

    def _add_workflow(self, fn: Callable[..., Any], name: str | None, version: str | None, latest: bool) -> None:
        chosen = self._name("workflow", fn, name)
        if (chosen, version) in self._workflows:
            which = "" if version is None else f" version {version!r}"
            raise ValueError(f"there is a workflow {chosen!r}{which} already")
        function = workflow(name=chosen, version=version, latest=latest)(_workflow_function(fn))
        self._workflows[chosen, version] = function
        self._keep("workflow", fn, chosen)
        self._add_worker([function], [])

    def _name(self, kind: str, fn: Callable[..., Any], name: str | None) -> str:
        taken = self._registered.get((kind, id(fn)))
        if taken is not None:
            raise ValueError(f"this {kind} is registered already, as {taken!r}")
        alternate = alternate_name_of(fn)
        if alternate is not None and name is not None:
            raise ValueError(f"this {kind} has the alternate name {alternate!r} already")
        return name or alternate or plain_name(fn)

    def _keep(self, kind: str, fn: Callable[..., Any], name: str) -> None:
        self._registered[kind, id(fn)] = name
        remember(fn, name)
        self._logger.info("registered %s %r", kind, name)

    @overload
    def workflow(self, fn: F, /) -> F: ...
    @overload
    def workflow(self, fn: None = None, /, *, name: str | None = None) -> Callable[[F], F]: ...
    def workflow(self, fn: F | None = None, /, *, name: str | None = None) -> F | Callable[[F], F]:
        """Registers the decorated function as a workflow. It stays the function it was."""

        def register(given: F) -> F:
            self.register_workflow(given, name=name)
            return given

        return register if fn is None else register(fn)

    @overload
    def versioned_workflow(self, fn: F, /, *, name: str, version_name: str | None = None, is_latest: bool) -> F: ...
    @overload
    def versioned_workflow(
        self, fn: None = None, /, *, name: str, version_name: str | None = None, is_latest: bool
    ) -> Callable[[F], F]: ...
    def versioned_workflow(
        self, fn: F | None = None, /, *, name: str, version_name: str | None = None, is_latest: bool
    ) -> F | Callable[[F], F]:
        """Registers the decorated function as one version of a workflow. It stays the function it was."""

        def register(given: F) -> F:
            self.register_versioned_workflow(given, name=name, version_name=version_name, is_latest=is_latest)
            return given

        return register if fn is None else register(fn)

    @overload
    def activity(self, fn: F, /) -> F: ...
    @overload
    def activity(self, fn: None = None, /, *, name: str | None = None) -> Callable[[F], F]: ...
    def activity(self, fn: F | None = None, /, *, name: str | None = None) -> F | Callable[[F], F]:
        """Registers the decorated function as an activity. It stays the function it was."""

        def register(given: F) -> F:
            self.register_activity(given, name=name)
            return given

        return register if fn is None else register(fn)

    # Running.

    def start(self) -> None:
        """Runs what is registered, on threads of its own; returns when workflows can be scheduled.

        Raises ``RuntimeError`` if it runs already, or is not ready in ``worker_ready_timeout`` seconds (30).
        """
        if self._client is not None:
            raise RuntimeError("the runtime is running already")
        self._client = Client(self._endpoint, **self._options)
        try:
            refuse_interceptors(self._interceptors, self._client.endpoint)
            self._add_worker(list(self._workflows.values()), list(self._activities.values()))
            if not self.wait_for_worker_ready(self._ready_seconds):
                raise RuntimeError(f"the worker was not ready after {self._ready_seconds:g} s")
        except BaseException:
            self.shutdown()
            raise

    def wait_for_worker_ready(self, timeout: float = 30.0) -> bool:
        """Waits until work can come, for at most so many seconds; says whether it can."""
        deadline = time.monotonic() + timeout
        try:
            for worker in self._workers:
                worker.wait_until_ready(max(deadline - time.monotonic(), 0.0))
        except (OperationTimeoutError, ClosedError):
            self._logger.warning("the worker was not ready after %g s", timeout)
            return False
        return bool(self._workers)

    def shutdown(self) -> None:
        """Takes no more work, waits for what is at work, and ends the threads. ``start`` begins anew."""
        workers, self._workers = self._workers, []
        client, self._client = self._client, None
        try:
            for worker in workers:
                worker.close()
        finally:
            if client is not None:
                client.close()

    def _add_worker(self, workflows: list[Callable[..., Any]], activities: list[Callable[..., Any]]) -> None:
        """Has these run, if the runtime runs: what is registered later gets a worker of its own."""
        if self._client is None:
            return
        worker = Worker(
            self._client,
            workflows,
            activities,
            max_cached=self._max_cached,
            activity_threads=self._threads,
            workflow_slots=256 if self._workflow_slots is None else self._workflow_slots,
            activity_slots=self._activity_slots,
            codec=MarkerCodec(),
        )
        worker.start()
        self._workers.append(worker)


def _workflow_function(fn: Callable[..., Any]) -> Callable[..., Generator[Any, Any, Any]]:
    given = InputOf(fn)

    def run(context: WorkflowContext, input: Any = None) -> Any:
        return (yield from run_workflow(fn, given, context, input))

    return run


def _activity_function(fn: Callable[..., Any], logger: Logger) -> Callable[..., Any]:
    given = InputOf(fn)

    def failed(context: ActivityContext, error: Exception) -> None:
        logger.warning("activity %s of %s failed: %s", context.name, context.instance_id, error)

    def run(context: ActivityContext, input: Any) -> Any:
        return fn(WorkflowActivityContext(InnerContext(context)), *given.arguments(input))

    def run_sync(context: ActivityContext, input: Any = None) -> Any:
        try:
            return payload(run(context, input))
        except Exception as error:
            failed(context, error)
            raise

    async def run_async(context: ActivityContext, input: Any = None) -> Any:
        try:
            return payload(await run(context, input))
        except Exception as error:
            failed(context, error)
            raise

    return run_async if is_async(fn) else run_sync


def is_async(fn: Callable[..., Any]) -> bool:
    """Whether a call gives a coroutine; also of a partial, of a callable object and of what ``wraps`` wraps."""
    while isinstance(fn, functools.partial):
        fn = fn.func
    fn = inspect.unwrap(fn)
    return inspect.iscoroutinefunction(fn) or inspect.iscoroutinefunction(getattr(fn, "__call__", None))  # noqa: B004


def alternate_name(name: str | None = None) -> Callable[[F], F]:
    """Gives a function the name that a runtime registers it by. It stays the function it was. Raises ``ValueError``."""

    def rename(fn: F) -> F:
        if alternate_name_of(fn) is not None:
            raise ValueError(f"this function has the alternate name {alternate_name_of(fn)!r} already")
        remember(fn, name or plain_name(fn), alternate=True)
        return fn

    return rename
