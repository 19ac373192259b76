"""The client: starts workflows, controls them and asks about them, with the names of Dapr's SDK."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ..client import Client
from ..errors import NotFoundError, WorkflowStalledError
from .connection import endpoint_of, options_of, refuse_app
from .logger import Logger
from .names import name_of
from .payloads import payload
from .requests import Deadline, ignore_reuse, refuse_child, rerun_input, start_time
from .workflow_management import (
    UNSET,
    WorkflowHistoryEvent,
    WorkflowInstanceIdPage,
    check_page_size,
    check_rerun,
    history_event,
    page_size_of,
)
from .workflow_state import WorkflowState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from types import TracebackType

    from typing_extensions import Self

    from .logger import LoggerOptions


class DaprWorkflowClient:
    """Starts workflows, controls them and asks about them. Threads may share one; ``with`` closes it.

    ``host`` and ``port`` are those of a Dapr sidecar's gRPC API; without them workflows are where an everstep client
    finds them. Errors are everstep's: ``NotFoundError``, ``AlreadyExistsError``, ``UnavailableError`` and so on, all of
    them ``everstep.EverstepError``. Instances of another application, ``app_id``, are refused with
    ``OperationNotImplementedError``.
    """

    def __init__(
        self,
        host: str | None = None,
        port: str | int | None = None,
        logger_options: LoggerOptions | None = None,
        max_grpc_message_length: int | None = None,
    ) -> None:
        self._logger = Logger("DaprWorkflowClient", logger_options)
        self._client = Client(endpoint_of(host, port), **options_of(max_grpc_message_length))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Gives back what the client holds."""
        self._client.close()

    def schedule_new_workflow(
        self,
        workflow: Callable[..., Any] | str,
        *,
        input: Any = None,
        instance_id: str | None = None,
        start_at: datetime | None = None,
        reuse_id_policy: object = None,
        app_id: str | None = None,
    ) -> str:
        """Starts a workflow, given as its function or by its registered name; returns its instance ID.

        ``start_at`` is UTC if it has no zone. The ID of a finished instance is taken over; ``reuse_id_policy`` has no
        effect. Raises ``AlreadyExistsError`` for the ID of an unfinished one, ``TypeError`` for an input that has no
        JSON.
        """
        refuse_app(app_id)
        ignore_reuse(reuse_id_policy)
        handle = self._client.start_workflow(
            name_of(workflow), payload(input), instance_id=instance_id or None, start_at=start_time(start_at)
        )
        return handle.instance_id

    def get_workflow_state(
        self, instance_id: str, *, fetch_payloads: bool = True, app_id: str | None = None
    ) -> WorkflowState | None:
        """Returns the state of an instance, or ``None`` if there is none."""
        refuse_app(app_id)
        try:
            return WorkflowState(self._client.get_workflow(instance_id, payloads=fetch_payloads))
        except NotFoundError:
            return None

    def wait_for_workflow_start(
        self,
        instance_id: str,
        *,
        fetch_payloads: bool = False,
        timeout_in_seconds: float = 0,
        app_id: str | None = None,
    ) -> WorkflowState | None:
        """Waits until the first turn has run; with 0 as long as it takes. ``None`` if there is no such instance.

        Raises ``TimeoutError``.
        """
        refuse_app(app_id)
        try:
            state = self._client.wait_for_workflow_start(
                instance_id, timeout=timeout_in_seconds or None, payloads=fetch_payloads
            )
        except NotFoundError:
            return None
        return WorkflowState(state)

    def wait_for_workflow_completion(
        self,
        instance_id: str,
        *,
        fetch_payloads: bool = True,
        timeout_in_seconds: float = 0,
        app_id: str | None = None,
    ) -> WorkflowState | None:
        """Waits until an instance has ended, in whatever way; with 0 as long as it takes.

        Returns ``None`` if there is no such instance. One that is stalled is waited for, and the log says why it is.
        Raises ``TimeoutError``.
        """
        refuse_app(app_id)
        deadline = Deadline(timeout_in_seconds)
        while True:
            try:
                state = self._client.wait_for_workflow_completion(
                    instance_id, timeout=deadline.left(), payloads=fetch_payloads
                )
                return WorkflowState(state)
            except NotFoundError:
                return None
            except WorkflowStalledError as stalled:
                time.sleep(deadline.pause(stalled, self._logger))

    def raise_workflow_event(
        self, instance_id: str, event_name: str, *, data: Any = None, app_id: str | None = None
    ) -> None:
        """Raises an event to an instance. Raises ``NotFoundError``."""
        refuse_app(app_id)
        self._client.raise_workflow_event(instance_id, event_name, payload(data))

    def terminate_workflow(
        self, instance_id: str, *, output: Any = None, recursive: bool = True, app_id: str | None = None
    ) -> None:
        """Ends an instance, and its children if ``recursive``. Raises ``NotFoundError``."""
        refuse_app(app_id)
        self._client.terminate_workflow(instance_id, output=payload(output), recursive=recursive)

    def pause_workflow(self, instance_id: str, *, app_id: str | None = None) -> None:
        """Pauses an instance. Raises ``NotFoundError``."""
        refuse_app(app_id)
        self._client.pause_workflow(instance_id)

    def resume_workflow(self, instance_id: str, *, app_id: str | None = None) -> None:
        """Resumes a paused instance. Raises ``NotFoundError``."""
        refuse_app(app_id)
        self._client.resume_workflow(instance_id)

    def purge_workflow(self, instance_id: str, recursive: bool = True, *, app_id: str | None = None) -> None:
        """Deletes a finished instance, and its children if ``recursive``.

        Raises ``NotFoundError``, and ``FailedPreconditionError`` while one of them is unfinished.
        """
        refuse_app(app_id)
        self._client.purge_workflow(instance_id, recursive=recursive)

    def list_workflow_instance_ids(
        self, *, page_size: int | None = None, continuation_token: str | None = None
    ) -> WorkflowInstanceIdPage:
        """Returns a page of instance IDs, and what the next one is asked for with. Raises ``ValueError``."""
        check_page_size(page_size)
        pages = self._client._operations.list_workflows(page_size_of(page_size), False, {})
        states, token = pages(continuation_token).wait()
        return WorkflowInstanceIdPage([state.instance_id for state in states], token)

    def iter_workflow_instance_ids(self, *, page_size: int = 1024) -> Iterator[str]:
        """Yields the ID of every instance, read page by page."""
        token: str | None = None
        while True:
            page = self.list_workflow_instance_ids(page_size=page_size, continuation_token=token)
            yield from page.instance_ids
            token = page.continuation_token
            if not token:
                return

    def get_workflow_history(self, instance_id: str) -> list[WorkflowHistoryEvent]:
        """Returns the events of an instance, oldest first. Raises ``NotFoundError``."""
        return [history_event(event) for event in self._client.get_workflow_history(instance_id)]

    def rerun_workflow_from_event(
        self,
        instance_id: str,
        event_id: int,
        *,
        new_instance_id: str | None = None,
        input: Any = UNSET,
        new_child_workflow_instance_id: str | None = None,
        app_id: str | None = None,
    ) -> str:
        """Goes on from an event of a finished instance, in a new instance; returns its ID.

        With ``input``, also ``None``, what begins there gets that instead of its own. The ID of a child that begins
        there cannot be chosen. Raises ``ValueError`` for an event without an ID, ``NotFoundError``,
        ``FailedPreconditionError`` while the instance has not finished, ``InvalidArgumentError``,
        ``AlreadyExistsError``, ``OperationNotImplementedError``.
        """
        refuse_app(app_id)
        check_rerun(event_id, new_instance_id, new_child_workflow_instance_id)
        refuse_child(new_child_workflow_instance_id)
        handle = self._client.rerun_workflow(
            instance_id, event_id, new_instance_id=new_instance_id, input=rerun_input(input)
        )
        return handle.instance_id
