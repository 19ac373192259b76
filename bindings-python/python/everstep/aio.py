"""The client for asyncio: the operations of ``client.py``, awaited. They are said in ``operations.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, overload

from .client import BaseClient
from .completions import calls_of_running_loop, off_the_loop
from .handle import AsyncWorkflowHandle
from .payload import ABSENT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Mapping
    from datetime import datetime
    from types import TracebackType

    from typing_extensions import Self, Unpack

    from .context import WorkflowContext
    from .durations import Duration
    from .history import History, HistoryEvent
    from .models import RuntimeStatus, WorkflowState
    from .operations import Call, Criteria, Pages, Reuse, StartOptions

I = TypeVar("I")  # noqa: E741
R = TypeVar("R")
T = TypeVar("T")


class AsyncClient(BaseClient):
    """``Client`` for programs on asyncio: the same operations with the same keywords, to be awaited.

    Its arguments are those of ``Client``. It opens the store where it is made, on this thread; where some milliseconds
    are too long for the loop, ``await asyncio.to_thread(AsyncClient, endpoint)``. Loops and threads may share one.
    Cancelling a call gives it up in the core; what it asked for may still happen, as after a timeout.
    """

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Gives back what the client holds. Calls under way and later ones raise ``ClosedError``."""
        await off_the_loop(self._native.close)

    def _answer(self, call: Call[T]) -> Coroutine[Any, Any, T]:
        return calls_of_running_loop().answer(call)

    # Starting.

    @overload
    async def start_workflow(
        self,
        function: Callable[[WorkflowContext, I], Coroutine[Any, Any, R]],
        input: I,
        **options: Unpack[StartOptions],
    ) -> AsyncWorkflowHandle[R]: ...
    @overload
    async def start_workflow(
        self,
        function: Callable[[WorkflowContext, I], Generator[Any, Any, R]],
        input: I,
        **options: Unpack[StartOptions],
    ) -> AsyncWorkflowHandle[R]: ...
    @overload
    async def start_workflow(
        self,
        function: Callable[[WorkflowContext], Coroutine[Any, Any, R]],
        **options: Unpack[StartOptions],
    ) -> AsyncWorkflowHandle[R]: ...
    @overload
    async def start_workflow(
        self,
        function: Callable[[WorkflowContext], Generator[Any, Any, R]],
        **options: Unpack[StartOptions],
    ) -> AsyncWorkflowHandle[R]: ...
    @overload
    async def start_workflow(
        self,
        function: str,
        input: Any = ...,
        **options: Unpack[StartOptions],
    ) -> AsyncWorkflowHandle[Any]: ...
    @overload
    async def start_workflow(
        self,
        *,
        workflow_name: str,
        input: Any = ...,
        **options: Unpack[StartOptions],
    ) -> AsyncWorkflowHandle[Any]: ...
    async def start_workflow(
        self,
        function: Any = None,
        input: Any = ABSENT,
        *,
        workflow_name: str | None = None,
        instance_id: str | None = None,
        workflow_component: str | None = None,
        workflow_options: Mapping[str, str] | None = None,
        start_at: datetime | Duration | None = None,
        version: str | None = None,
        tags: Mapping[str, str] | None = None,
        reuse: Reuse = "finished",
    ) -> AsyncWorkflowHandle[Any]:
        """See ``Client.start_workflow``."""
        call = self._operations.start_workflow(
            function,
            input,
            workflow_name,
            instance_id,
            workflow_component,
            workflow_options,
            start_at,
            version,
            tags,
            reuse,
        )
        return AsyncWorkflowHandle(self, *await self._answer(call))

    async def rerun_workflow(
        self,
        instance_id: str,
        from_event: HistoryEvent | int,
        workflow_component: str | None = None,
        *,
        new_instance_id: str | None = None,
        input: Any = ABSENT,
    ) -> AsyncWorkflowHandle[Any]:
        """See ``Client.rerun_workflow``."""
        call = self._operations.rerun_workflow(instance_id, from_event, workflow_component, new_instance_id, input)
        return AsyncWorkflowHandle(self, *await self._answer(call))

    @overload
    def get_handle(
        self,
        instance_id: str,
        function: Callable[..., Coroutine[Any, Any, R]],
        *,
        execution_id: str | None = None,
        workflow_component: str | None = None,
    ) -> AsyncWorkflowHandle[R]: ...
    @overload
    def get_handle(
        self,
        instance_id: str,
        function: Callable[..., Generator[Any, Any, R]],
        *,
        execution_id: str | None = None,
        workflow_component: str | None = None,
    ) -> AsyncWorkflowHandle[R]: ...
    @overload
    def get_handle(
        self,
        instance_id: str,
        *,
        execution_id: str | None = None,
        workflow_component: str | None = None,
    ) -> AsyncWorkflowHandle[Any]: ...
    def get_handle(
        self,
        instance_id: str,
        function: Any = None,
        *,
        execution_id: str | None = None,
        workflow_component: str | None = None,
    ) -> AsyncWorkflowHandle[Any]:
        """See ``Client.get_handle``."""
        return AsyncWorkflowHandle(self, *self._operations.run(instance_id, function, execution_id, workflow_component))

    # Asking.

    async def get_workflow(
        self, instance_id: str, workflow_component: str | None = None, *, payloads: bool = True
    ) -> WorkflowState:
        """See ``Client.get_workflow``."""
        return await self._answer(self._operations.get_workflow(instance_id, workflow_component, payloads))

    async def wait_for_workflow_start(
        self,
        instance_id: str,
        workflow_component: str | None = None,
        *,
        timeout: Duration | None = None,
        payloads: bool = True,
    ) -> WorkflowState:
        """See ``Client.wait_for_workflow_start``."""
        call = self._operations.wait_for_workflow_start(instance_id, workflow_component, timeout, payloads)
        return await self._answer(call)

    async def wait_for_workflow_completion(
        self,
        instance_id: str,
        workflow_component: str | None = None,
        *,
        timeout: Duration | None = None,
        payloads: bool = True,
    ) -> WorkflowState:
        """See ``Client.wait_for_workflow_completion``."""
        call = self._operations.wait_for_workflow_completion(instance_id, workflow_component, timeout, payloads)
        return await self._answer(call)

    def watch_workflow(
        self, instance_id: str, workflow_component: str | None = None, *, payloads: bool = True
    ) -> AsyncIterator[WorkflowState]:
        """See ``Client.watch_workflow``."""
        return self._changes(self._operations.watch_workflow(instance_id, None, workflow_component, payloads))

    async def _changes(
        self, next_change: Callable[[str | None], Call[tuple[WorkflowState, str] | None]]
    ) -> AsyncIterator[WorkflowState]:
        seen: str | None = None
        while (change := await self._answer(next_change(seen))) is not None:
            state, seen = change
            yield state

    def list_workflows(
        self, *, page_size: int = 100, payloads: bool = False, **criteria: Unpack[Criteria]
    ) -> AsyncIterator[WorkflowState]:
        """See ``Client.list_workflows``."""
        return self._states(self._operations.list_workflows(page_size, payloads, criteria))

    async def _states(self, page: Pages[list[WorkflowState]]) -> AsyncIterator[WorkflowState]:
        cursor: str | None = None
        while True:
            states, cursor = await self._answer(page(cursor))
            for state in states:
                yield state
            if cursor is None:
                return

    async def count_workflows(self, **criteria: Unpack[Criteria]) -> dict[RuntimeStatus, int]:
        """See ``Client.count_workflows``."""
        return await self._answer(self._operations.count_workflows(criteria))

    async def get_workflow_history(
        self, instance_id: str, workflow_component: str | None = None, *, expand: int = 0
    ) -> History:
        """See ``Client.get_workflow_history``. Children are read with it, by ``expand``, or not at all."""
        call = self._operations.get_workflow_history(instance_id, workflow_component, expand, blocking=False)
        return await self._answer(call)

    # Controlling.

    async def pause_workflow(
        self, instance_id: str, workflow_component: str | None = None, *, reason: str | None = None
    ) -> None:
        """See ``Client.pause_workflow``."""
        await self._answer(self._operations.pause_workflow(instance_id, workflow_component, reason))

    async def resume_workflow(
        self, instance_id: str, workflow_component: str | None = None, *, reason: str | None = None
    ) -> None:
        """See ``Client.resume_workflow``."""
        await self._answer(self._operations.resume_workflow(instance_id, workflow_component, reason))

    async def raise_workflow_event(
        self,
        instance_id: str,
        event_name: str,
        event_data: Any = ABSENT,
        workflow_component: str | None = None,
    ) -> None:
        """See ``Client.raise_workflow_event``."""
        await self._answer(
            self._operations.raise_workflow_event(instance_id, event_name, event_data, workflow_component)
        )

    async def terminate_workflow(
        self,
        instance_id: str,
        workflow_component: str | None = None,
        *,
        output: Any = ABSENT,
        recursive: bool = True,
    ) -> None:
        """See ``Client.terminate_workflow``."""
        await self._answer(self._operations.terminate_workflow(instance_id, workflow_component, output, recursive))

    async def purge_workflow(
        self, instance_id: str, workflow_component: str | None = None, *, recursive: bool = True
    ) -> int:
        """See ``Client.purge_workflow``."""
        return await self._answer(self._operations.purge_workflow(instance_id, workflow_component, recursive))

    # Controlling many. ``progress`` is a plain function, called on the loop.

    async def purge_workflows(
        self, *, progress: Callable[[int], object] | None = None, **criteria: Unpack[Criteria]
    ) -> int:
        """See ``Client.purge_workflows``."""
        return await self._in_slices(self._operations.purge_workflows(criteria), progress)

    async def terminate_workflows(
        self,
        *,
        output: Any = ABSENT,
        recursive: bool = True,
        progress: Callable[[int], object] | None = None,
        **criteria: Unpack[Criteria],
    ) -> int:
        """See ``Client.terminate_workflows``."""
        return await self._in_slices(self._operations.terminate_workflows(output, recursive, criteria), progress)

    async def pause_workflows(
        self,
        *,
        reason: str | None = None,
        progress: Callable[[int], object] | None = None,
        **criteria: Unpack[Criteria],
    ) -> int:
        """See ``Client.pause_workflows``."""
        return await self._in_slices(self._operations.pause_workflows(reason, criteria), progress)

    async def resume_workflows(
        self,
        *,
        reason: str | None = None,
        progress: Callable[[int], object] | None = None,
        **criteria: Unpack[Criteria],
    ) -> int:
        """See ``Client.resume_workflows``."""
        return await self._in_slices(self._operations.resume_workflows(reason, criteria), progress)

    async def _in_slices(self, slices: Pages[int], progress: Callable[[int], object] | None) -> int:
        cursor: str | None = None
        while True:
            done, cursor = await self._answer(slices(cursor))
            if progress is not None:
                progress(done)
            if cursor is None:
                return done
