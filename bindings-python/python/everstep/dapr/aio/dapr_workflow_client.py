"""The client for asyncio: the operations of ``dapr_workflow_client.py``, awaited."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ...aio import AsyncClient
from ...errors import NotFoundError, WorkflowStalledError
from ..connection import endpoint_of, options_of, refuse_app
from ..logger import Logger
from ..names import name_of
from ..payloads import payload
from ..requests import Deadline, ignore_reuse, refuse_child, rerun_input, start_time
from ..workflow_management import (
    UNSET,
    WorkflowHistoryEvent,
    WorkflowInstanceIdPage,
    check_page_size,
    check_rerun,
    history_event,
    page_size_of,
)
from ..workflow_state import WorkflowState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import datetime
    from types import TracebackType

    from typing_extensions import Self

    from ..logger import LoggerOptions


class DaprWorkflowClient:
    """``DaprWorkflowClient`` for programs on asyncio: the same operations with the same keywords, to be awaited.

    Cancelling a call gives it up; what it asked for may still happen. ``async with`` closes it.
    """

    def __init__(
        self,
        host: str | None = None,
        port: str | int | None = None,
        logger_options: LoggerOptions | None = None,
        max_grpc_message_length: int | None = None,
    ) -> None:
        self._logger = Logger("DaprWorkflowClient", logger_options)
        self._client = AsyncClient(endpoint_of(host, port), **options_of(max_grpc_message_length))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Gives back what the client holds."""
        await self._client.close()

    async def schedule_new_workflow(
        self,
        workflow: Callable[..., Any] | str,
        *,
        input: Any = None,
        instance_id: str | None = None,
        start_at: datetime | None = None,
        reuse_id_policy: object = None,
        app_id: str | None = None,
    ) -> str:
        """See ``everstep.dapr.DaprWorkflowClient.schedule_new_workflow``."""
        refuse_app(app_id)
        ignore_reuse(reuse_id_policy)
        handle = await self._client.start_workflow(
            name_of(workflow), payload(input), instance_id=instance_id or None, start_at=start_time(start_at)
        )
        return handle.instance_id

    async def get_workflow_state(
        self, instance_id: str, *, fetch_payloads: bool = True, app_id: str | None = None
    ) -> WorkflowState | None:
        """See ``everstep.dapr.DaprWorkflowClient.get_workflow_state``."""
        refuse_app(app_id)
        try:
            return WorkflowState(await self._client.get_workflow(instance_id, payloads=fetch_payloads))
        except NotFoundError:
            return None

    async def wait_for_workflow_start(
        self,
        instance_id: str,
        *,
        fetch_payloads: bool = False,
        timeout_in_seconds: float = 0,
        app_id: str | None = None,
    ) -> WorkflowState | None:
        """See ``everstep.dapr.DaprWorkflowClient.wait_for_workflow_start``."""
        refuse_app(app_id)
        try:
            state = await self._client.wait_for_workflow_start(
                instance_id, timeout=timeout_in_seconds or None, payloads=fetch_payloads
            )
        except NotFoundError:
            return None
        return WorkflowState(state)

    async def wait_for_workflow_completion(
        self,
        instance_id: str,
        *,
        fetch_payloads: bool = True,
        timeout_in_seconds: float = 0,
        app_id: str | None = None,
    ) -> WorkflowState | None:
        """See ``everstep.dapr.DaprWorkflowClient.wait_for_workflow_completion``."""
        refuse_app(app_id)
        deadline = Deadline(timeout_in_seconds)
        while True:
            try:
                state = await self._client.wait_for_workflow_completion(
                    instance_id, timeout=deadline.left(), payloads=fetch_payloads
                )
                return WorkflowState(state)
            except NotFoundError:
                return None
            except WorkflowStalledError as stalled:
                await asyncio.sleep(deadline.pause(stalled, self._logger))

    async def raise_workflow_event(
        self, instance_id: str, event_name: str, *, data: Any = None, app_id: str | None = None
    ) -> None:
        """See ``everstep.dapr.DaprWorkflowClient.raise_workflow_event``."""
        refuse_app(app_id)
        await self._client.raise_workflow_event(instance_id, event_name, payload(data))

    async def terminate_workflow(
        self, instance_id: str, *, output: Any = None, recursive: bool = True, app_id: str | None = None
    ) -> None:
        """See ``everstep.dapr.DaprWorkflowClient.terminate_workflow``."""
        refuse_app(app_id)
        await self._client.terminate_workflow(instance_id, output=payload(output), recursive=recursive)

    async def pause_workflow(self, instance_id: str, *, app_id: str | None = None) -> None:
        """See ``everstep.dapr.DaprWorkflowClient.pause_workflow``."""
        refuse_app(app_id)
        await self._client.pause_workflow(instance_id)

    async def resume_workflow(self, instance_id: str, *, app_id: str | None = None) -> None:
        """See ``everstep.dapr.DaprWorkflowClient.resume_workflow``."""
        refuse_app(app_id)
        await self._client.resume_workflow(instance_id)

    async def purge_workflow(self, instance_id: str, recursive: bool = True, *, app_id: str | None = None) -> None:
        """See ``everstep.dapr.DaprWorkflowClient.purge_workflow``."""
        refuse_app(app_id)
        await self._client.purge_workflow(instance_id, recursive=recursive)

    async def list_workflow_instance_ids(
        self, *, page_size: int | None = None, continuation_token: str | None = None
    ) -> WorkflowInstanceIdPage:
        """See ``everstep.dapr.DaprWorkflowClient.list_workflow_instance_ids``."""
        check_page_size(page_size)
        pages = self._client._operations.list_workflows(page_size_of(page_size), False, {})
        states, token = await self._client._answer(pages(continuation_token))
        return WorkflowInstanceIdPage([state.instance_id for state in states], token)

    async def iter_workflow_instance_ids(self, *, page_size: int = 1024) -> AsyncIterator[str]:
        """See ``everstep.dapr.DaprWorkflowClient.iter_workflow_instance_ids``."""
        token: str | None = None
        while True:
            page = await self.list_workflow_instance_ids(page_size=page_size, continuation_token=token)
            for instance_id in page.instance_ids:
                yield instance_id
            token = page.continuation_token
            if not token:
                return

    async def get_workflow_history(self, instance_id: str) -> list[WorkflowHistoryEvent]:
        """See ``everstep.dapr.DaprWorkflowClient.get_workflow_history``."""
        return [history_event(event) for event in await self._client.get_workflow_history(instance_id)]

    async def rerun_workflow_from_event(
        self,
        instance_id: str,
        event_id: int,
        *,
        new_instance_id: str | None = None,
        input: Any = UNSET,
        new_child_workflow_instance_id: str | None = None,
        app_id: str | None = None,
    ) -> str:
        """See ``everstep.dapr.DaprWorkflowClient.rerun_workflow_from_event``."""
        refuse_app(app_id)
        check_rerun(event_id, new_instance_id, new_child_workflow_instance_id)
        refuse_child(new_child_workflow_instance_id)
        handle = await self._client.rerun_workflow(
            instance_id, event_id, new_instance_id=new_instance_id, input=rerun_input(input)
        )
        return handle.instance_id
