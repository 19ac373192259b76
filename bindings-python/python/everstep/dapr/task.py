"""What a workflow yields: tasks, and those that wait for several."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from ..errors import ActivityNotRegisteredError, EverstepError, WaitTimeout

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Callable, Sequence

    from .._host.futures import DurableFuture
    from ..models import Failure

T = TypeVar("T")


@dataclass(frozen=True)
class FailureDetails:
    """What user code failed with."""

    message: str
    error_type: str
    """The name of the type that was raised."""
    stack_trace: str | None = None


def details_of(failure: Failure) -> FailureDetails:
    """The details that a failure has in Dapr's SDK; the chain of causes is everstep's alone."""
    return FailureDetails(failure.message, failure.error_type, failure.stack_trace)


class TaskFailedError(Exception):
    """An activity or a child workflow failed, after all its attempts.

    ``__cause__`` is everstep's error, whose ``failure`` has the whole chain of causes.
    """

    def __init__(self, message: str, details: FailureDetails) -> None:
        super().__init__(message)
        self._details = details

    @property
    def details(self) -> FailureDetails:
        """What failed."""
        return self._details


class Task(ABC, Generic[T]):
    """Something that a workflow has asked for. ``yield`` it for its result."""

    def __init__(self) -> None:
        self._watchers: list[Callable[[Task[Any]], None]] = []

    @property
    @abstractmethod
    def is_complete(self) -> bool:
        """Whether its result or failure is there."""

    @property
    def is_failed(self) -> bool:
        """Whether it has failed."""
        return self.is_complete and self._failure() is not None

    def get_result(self) -> T:
        """The result. Raises what the task failed with, and ``ValueError`` while it is not complete."""
        if not self.is_complete:
            raise ValueError("the task has not completed yet")
        error = self._failure()
        if error is not None:
            raise error
        return self._value()

    def get_exception(self) -> Exception:
        """What it failed with. Raises ``ValueError`` where it has not."""
        error = self._failure() if self.is_complete else None
        if error is None:
            raise ValueError("the task has not failed")
        return error

    @abstractmethod
    def future(self) -> Future[Any]:
        """What the workflow's loop waits for; only of a task that is not complete."""

    @abstractmethod
    def _value(self) -> T: ...

    @abstractmethod
    def _failure(self) -> Exception | None: ...

    def _watch(self, watcher: Callable[[Task[Any]], None]) -> None:
        """Has it called when this completes; at once where it is complete."""
        if self.is_complete:
            watcher(self)
        else:
            self._watchers.append(watcher)

    def _completed(self) -> None:
        watchers, self._watchers = self._watchers, []
        for watcher in watchers:
            watcher(self)


class DurableTask(Task[T]):
    """One activity, child workflow, timer or event."""

    def __init__(self, future: DurableFuture[Any], explain: Callable[[BaseException], Exception]) -> None:
        super().__init__()
        self._future = future
        self._explain = explain
        self._error: Exception | None = None
        # Registered first, so that all that wait for this task know of it before the workflow goes on.
        future.add_done_callback(lambda _: self._completed())

    @property
    def is_complete(self) -> bool:
        """Whether its result or failure is there."""
        return self._future.done()

    def future(self) -> Future[Any]:
        """What the workflow's loop waits for."""
        return self._future

    def _value(self) -> T:
        return cast("T", self._future.result())

    def _failure(self) -> Exception | None:
        if self._error is None:
            if self._future.cancelled():
                self._error = self._explain(asyncio.CancelledError())
            elif (error := self._future.exception()) is not None:
                self._error = self._explain(error)
        return self._error


class CompositeTask(Task[T]):
    """A task that is made of others."""

    def __init__(self, tasks: Sequence[Task[Any]]) -> None:
        super().__init__()
        self._tasks = list(tasks)
        self._gate: Future[None] | None = None
        self._is_complete = False
        for task in self._tasks:
            if not isinstance(task, Task):
                raise TypeError(f"when_all and when_any take tasks, not {type(task).__name__}")
        for task in self._tasks:
            task._watch(self._child_completed)

    @property
    def is_complete(self) -> bool:
        """Whether it has completed."""
        return self._is_complete

    def get_tasks(self) -> list[Task[Any]]:
        """The tasks that it waits for."""
        return self._tasks

    def future(self) -> Future[Any]:
        """What the workflow's loop waits for."""
        if self._gate is None:
            self._gate = asyncio.get_running_loop().create_future()
        return self._gate

    @abstractmethod
    def _child_completed(self, task: Task[Any]) -> None: ...

    def _complete(self) -> None:
        self._is_complete = True
        if self._gate is not None and not self._gate.done():
            self._gate.set_result(None)
        self._completed()


class WhenAllTask(CompositeTask[list[T]]):
    """Completes when all its tasks have; fails then with the failure that came first."""

    def __init__(self, tasks: Sequence[Task[T]]) -> None:
        self._completed_tasks = 0
        self._first: Exception | None = None
        super().__init__(tasks)
        if not self._tasks:
            self._complete()

    def get_completed_tasks(self) -> int:
        """How many of its tasks have completed."""
        return self._completed_tasks

    @property
    def pending_tasks(self) -> int:
        """How many of its tasks have not completed."""
        return len(self._tasks) - self._completed_tasks

    def _child_completed(self, task: Task[Any]) -> None:
        self._completed_tasks += 1
        if self._first is None and task.is_failed:
            self._first = task.get_exception()
        if self._completed_tasks == len(self._tasks):
            self._complete()

    def _value(self) -> list[T]:
        return [task.get_result() for task in self._tasks]

    def _failure(self) -> Exception | None:
        return self._first


class WhenAnyTask(CompositeTask[Task[Any]]):
    """Completes when the first of its tasks has; its result is that task, which may have failed."""

    def __init__(self, tasks: Sequence[Task[Any]]) -> None:
        self._winner: Task[Any] | None = None
        super().__init__(tasks)
        if not self._tasks:
            self._complete()

    def _child_completed(self, task: Task[Any]) -> None:
        if self._winner is None:
            self._winner = task
            self._complete()

    def _value(self) -> Task[Any]:
        return cast("Task[Any]", [] if self._winner is None else self._winner)

    def _failure(self) -> Exception | None:
        return None


def when_all(tasks: Sequence[Task[T]]) -> WhenAllTask[T]:
    """Waits for all: the results in order, or the failure that came first, once every task has ended."""
    return WhenAllTask(tasks)


def when_any(tasks: Sequence[Task[Any]]) -> WhenAnyTask:
    """Waits for the first task that completes or fails. The others go on: a wait that lost takes the next event."""
    return WhenAnyTask(tasks)


def call_failed(what: str) -> Callable[[BaseException], Exception]:
    """How the failure of an activity or child is told."""

    def explain(error: BaseException) -> Exception:
        if isinstance(error, EverstepError) and error.failure is not None:
            details = details_of(error.failure)
            if isinstance(error, ActivityNotRegisteredError):
                details = replace(details, error_type=type(error).__name__)
            failed = TaskFailedError(f"{what} failed: {details.message}", details)
        elif isinstance(error, Exception):
            return error
        else:
            failed = TaskFailedError(f"{what} was cancelled", FailureDetails("cancelled", "Cancelled"))
        failed.__cause__ = error
        return failed

    return explain


def wait_failed(name: str, timeout: datetime | timedelta | None) -> Callable[[BaseException], Exception]:
    """How a wait that took too long is told."""

    def explain(error: BaseException) -> Exception:
        if isinstance(error, WaitTimeout):
            late = TimeoutError(f"no event {name!r} came within {timeout!r}")
            late.__cause__ = error
            return late
        return error if isinstance(error, Exception) else TimeoutError(f"the wait for {name!r} was cancelled")

    return explain
