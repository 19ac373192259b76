"""Handles: one run of a workflow, and the operations on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .payload import ABSENT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from .aio import AsyncClient
    from .client import Client
    from .durations import Duration
    from .history import History, HistoryEvent
    from .models import WorkflowState
    from .payload import Decoder

R_co = TypeVar("R_co", covariant=True)


class BaseHandle(Generic[R_co]):
    """What both flavours of a handle are: an instance, and the client to ask about it."""

    __slots__ = ("_client", "_component", "_decoder", "execution_id", "instance_id")

    def __init__(
        self,
        client: Any,
        instance_id: str,
        execution_id: str | None,
        component: str | None,
        decoder: Decoder | None,
    ) -> None:
        self._client = client
        self._component = component
        self._decoder = decoder
        self.instance_id = instance_id
        """The instance ID."""
        self.execution_id = execution_id
        """The run's execution ID, where the component gives one."""

    def __repr__(self) -> str:
        return f"<everstep.{type(self).__name__} {self.instance_id!r}>"

    def _repr_html_(self) -> str:
        from .display import handle_html

        return handle_html(self)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        from .display import bundle

        return bundle(self, self._repr_html_())


class WorkflowHandle(BaseHandle[R_co]):
    """One run of a workflow."""

    __slots__ = ()
    _client: Client

    def result(self, timeout: Duration | None = None) -> R_co:
        """Waits for this run's output and decodes it; without a timeout as long as it takes.

        Raises ``WorkflowFailedError`` with the chain of failures, ``WorkflowTerminatedError``,
        ``WorkflowStalledError``, ``OperationTimeoutError``, ``NotFoundError`` (also when another run has taken the
        instance ID over), and ``DecodeError``.
        """
        call = self._client._operations.result(
            self.instance_id, self.execution_id, self._component, self._decoder, timeout
        )
        return call.wait()  # type: ignore[no-any-return]

    def _peek(self) -> WorkflowState:
        """The state that a notebook shows."""
        return self.get()

    def get(self, *, payloads: bool = True) -> WorkflowState:
        """See ``Client.get_workflow``."""
        return self._client.get_workflow(self.instance_id, self._component, payloads=payloads)

    def watch(self, *, payloads: bool = True) -> Iterator[WorkflowState]:
        """Yields the states of this run. See ``Client.watch_workflow``.

        Raises ``NotFoundError`` also when another run has taken the instance ID over.
        """
        watched = self._client._operations.watch_workflow(
            self.instance_id, self.execution_id, self._component, payloads
        )
        return self._client._changes(watched)

    def history(self, *, expand: int = 0) -> History:
        """See ``Client.get_workflow_history``."""
        return self._client.get_workflow_history(self.instance_id, self._component, expand=expand)

    def rerun(
        self, from_event: HistoryEvent | int, *, new_instance_id: str | None = None, input: Any = ABSENT
    ) -> WorkflowHandle[R_co]:
        """See ``Client.rerun_workflow``. Gives a handle of the new instance."""
        call = self._client._operations.rerun_workflow(
            self.instance_id, from_event, self._component, new_instance_id, input, self._decoder
        )
        return WorkflowHandle(self._client, *call.wait())

    def pause(self, *, reason: str | None = None) -> None:
        """See ``Client.pause_workflow``."""
        self._client.pause_workflow(self.instance_id, self._component, reason=reason)

    def resume(self, *, reason: str | None = None) -> None:
        """See ``Client.resume_workflow``."""
        self._client.resume_workflow(self.instance_id, self._component, reason=reason)

    def raise_event(self, event_name: str, event_data: Any = ABSENT) -> None:
        """See ``Client.raise_workflow_event``."""
        self._client.raise_workflow_event(self.instance_id, event_name, event_data, self._component)

    def terminate(self, *, output: Any = ABSENT, recursive: bool = True) -> None:
        """See ``Client.terminate_workflow``."""
        self._client.terminate_workflow(self.instance_id, self._component, output=output, recursive=recursive)

    def purge(self, *, recursive: bool = True) -> int:
        """See ``Client.purge_workflow``."""
        return self._client.purge_workflow(self.instance_id, self._component, recursive=recursive)

    def wait_for_start(self, timeout: Duration | None = None, *, payloads: bool = True) -> WorkflowState:
        """See ``Client.wait_for_workflow_start``."""
        return self._client.wait_for_workflow_start(
            self.instance_id, self._component, timeout=timeout, payloads=payloads
        )

    def wait_for_completion(self, timeout: Duration | None = None, *, payloads: bool = True) -> WorkflowState:
        """See ``Client.wait_for_workflow_completion``."""
        return self._client.wait_for_workflow_completion(
            self.instance_id, self._component, timeout=timeout, payloads=payloads
        )


class AsyncWorkflowHandle(BaseHandle[R_co]):
    """One run of a workflow, for programs on asyncio."""

    __slots__ = ()
    _client: AsyncClient

    async def result(self, timeout: Duration | None = None) -> R_co:
        """See ``WorkflowHandle.result``. Cancelling the task gives the wait up and leaves the workflow alone."""
        call = self._client._operations.result(
            self.instance_id, self.execution_id, self._component, self._decoder, timeout
        )
        return await self._client._answer(call)

    async def get(self, *, payloads: bool = True) -> WorkflowState:
        """See ``Client.get_workflow``."""
        return await self._client.get_workflow(self.instance_id, self._component, payloads=payloads)

    def watch(self, *, payloads: bool = True) -> AsyncIterator[WorkflowState]:
        """See ``WorkflowHandle.watch``."""
        watched = self._client._operations.watch_workflow(
            self.instance_id, self.execution_id, self._component, payloads
        )
        return self._client._changes(watched)

    async def history(self, *, expand: int = 0) -> History:
        """See ``AsyncClient.get_workflow_history``."""
        return await self._client.get_workflow_history(self.instance_id, self._component, expand=expand)

    async def rerun(
        self, from_event: HistoryEvent | int, *, new_instance_id: str | None = None, input: Any = ABSENT
    ) -> AsyncWorkflowHandle[R_co]:
        """See ``Client.rerun_workflow``. Gives a handle of the new instance."""
        call = self._client._operations.rerun_workflow(
            self.instance_id, from_event, self._component, new_instance_id, input, self._decoder
        )
        return AsyncWorkflowHandle(self._client, *await self._client._answer(call))

    async def pause(self, *, reason: str | None = None) -> None:
        """See ``Client.pause_workflow``."""
        await self._client.pause_workflow(self.instance_id, self._component, reason=reason)

    async def resume(self, *, reason: str | None = None) -> None:
        """See ``Client.resume_workflow``."""
        await self._client.resume_workflow(self.instance_id, self._component, reason=reason)

    async def raise_event(self, event_name: str, event_data: Any = ABSENT) -> None:
        """See ``Client.raise_workflow_event``."""
        await self._client.raise_workflow_event(self.instance_id, event_name, event_data, self._component)

    async def terminate(self, *, output: Any = ABSENT, recursive: bool = True) -> None:
        """See ``Client.terminate_workflow``."""
        await self._client.terminate_workflow(self.instance_id, self._component, output=output, recursive=recursive)

    async def purge(self, *, recursive: bool = True) -> int:
        """See ``Client.purge_workflow``."""
        return await self._client.purge_workflow(self.instance_id, self._component, recursive=recursive)

    async def wait_for_start(self, timeout: Duration | None = None, *, payloads: bool = True) -> WorkflowState:
        """See ``Client.wait_for_workflow_start``."""
        return await self._client.wait_for_workflow_start(
            self.instance_id, self._component, timeout=timeout, payloads=payloads
        )

    async def wait_for_completion(self, timeout: Duration | None = None, *, payloads: bool = True) -> WorkflowState:
        """See ``Client.wait_for_workflow_completion``."""
        return await self._client.wait_for_workflow_completion(
            self.instance_id, self._component, timeout=timeout, payloads=payloads
        )
