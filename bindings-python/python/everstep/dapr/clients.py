"""The seven operations of ``DaprClient``, as Dapr's guide shows them.

The official SDK had them up to 1.17. ``everstep.dapr.clients`` stands for ``dapr.clients``.
"""

from __future__ import annotations

import json
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..client import Client
from ..errors import EverstepError, NotFoundError
from ..payload import ABSENT, Absent, RawPayload
from .connection import address_of, endpoint_of, options_of, refuse_interceptors
from .workflow_state import naive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime
    from types import TracebackType

    from typing_extensions import Self

_STATUSES = ("Running", "Completed", "Failed", "Terminated", "Pending", "Suspended", "Stalled")


class DaprInternalError(Exception):
    """An operation failed. ``__cause__`` is everstep's error, which has a code."""

    def __init__(self, message: str | None, error_code: str | None = "UNKNOWN", raw_response_bytes: Any = None) -> None:
        super().__init__(message)
        self._message = message
        self._error_code = error_code
        self._raw_response_bytes = raw_response_bytes

    def as_dict(self) -> dict[str, Any]:
        """The message and the code."""
        return {"message": self._message, "errorCode": self._error_code, "raw_response_bytes": self._raw_response_bytes}


class DaprResponse:
    """The answer of an operation that answers nothing."""

    @property
    def headers(self) -> dict[str, list[str | bytes]]:
        """The headers of the answer; everstep keeps none."""
        return {}

    def get_headers(self, as_dict: bool = False) -> Any:
        """The same, as pairs or as a dictionary."""
        return {} if as_dict else ()


class StartWorkflowResponse:
    """The answer of a start."""

    def __init__(self, instance_id: str) -> None:
        self.instance_id = instance_id
        """The instance ID."""


class GetWorkflowResponse:
    """The state of an instance."""

    def __init__(
        self,
        instance_id: str,
        workflow_name: str,
        created_at: datetime | None,
        last_updated_at: datetime | None,
        runtime_status: str,
        properties: Mapping[str, str] | None = None,
    ) -> None:
        self.instance_id = instance_id
        """The instance ID."""
        self.workflow_name = workflow_name
        """The workflow's registered name."""
        self.created_at = created_at
        """When it was created, in UTC without a time zone."""
        self.last_updated_at = last_updated_at
        """When it changed last, in UTC without a time zone."""
        self.runtime_status = runtime_status
        """Where it stands, for example ``Running``; ``Unknown`` for what has no name here."""
        self.properties = dict(properties or {})
        """Dapr's properties: the texts of input, output, custom status and failure."""


class DaprClient:
    """Starts workflows, controls them and asks about them, in the words of Dapr's guide. ``with`` closes it.

    ``address`` is that of a Dapr sidecar's gRPC API; without it workflows are where an everstep client finds them.
    ``workflow_component`` is a name that everstep knows: ``dapr`` is always one. What else the official client can do,
    invoking methods, state, publishing, is not here; use both.

    Operations raise ``DaprInternalError``, and ``ValueError`` for a name that is blank.
    """

    def __init__(
        self,
        address: str | None = None,
        headers_callback: Callable[[], dict[str, str]] | None = None,
        interceptors: Sequence[Any] | None = None,
        http_timeout_seconds: float | None = None,
        max_grpc_message_length: int | None = None,
        retry_policy: object = None,
    ) -> None:
        endpoint = address_of(address) if address else endpoint_of()
        self._client = Client(endpoint, **options_of(max_grpc_message_length))
        refuse_interceptors(interceptors, self._client.endpoint)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Gives back what the client holds."""
        self._client.close()

    def start_workflow(
        self,
        workflow_component: str,
        workflow_name: str,
        input: Any = None,
        instance_id: str | None = None,
        workflow_options: Mapping[str, str] | None = None,
        send_raw_bytes: bool = False,
    ) -> StartWorkflowResponse:
        """Starts a workflow by its registered name. With ``send_raw_bytes`` an input of bytes is sent as it stands."""
        _check(workflow_component=workflow_component, workflow_name=workflow_name)
        text = _text("start_workflow", input, send_raw_bytes)
        with _errors():
            handle = self._client.start_workflow(
                workflow_name,
                text,
                instance_id=str(uuid.uuid4()) if instance_id is None else instance_id,
                workflow_component=workflow_component,
                workflow_options=workflow_options,
            )
        return StartWorkflowResponse(handle.instance_id)

    def get_workflow(self, instance_id: str, workflow_component: str) -> GetWorkflowResponse:
        """Returns the state of an instance."""
        _check(instance_id=instance_id, workflow_component=workflow_component)
        with _errors():
            state = self._client.get_workflow(instance_id, workflow_component)
        status = state.runtime_status.value.capitalize()
        return GetWorkflowResponse(
            instance_id,
            state.name,
            naive(state.created_at),
            naive(state.last_updated_at),
            status if status in _STATUSES else "Unknown",
            state.properties,
        )

    def pause_workflow(self, instance_id: str, workflow_component: str) -> DaprResponse:
        """Pauses an instance."""
        _check(instance_id=instance_id, workflow_component=workflow_component)
        with _errors():
            self._client.pause_workflow(instance_id, workflow_component)
        return DaprResponse()

    def resume_workflow(self, instance_id: str, workflow_component: str) -> DaprResponse:
        """Resumes a paused instance."""
        _check(instance_id=instance_id, workflow_component=workflow_component)
        with _errors():
            self._client.resume_workflow(instance_id, workflow_component)
        return DaprResponse()

    def raise_workflow_event(
        self,
        instance_id: str,
        workflow_component: str,
        event_name: str,
        event_data: Any = None,
        send_raw_bytes: bool = False,
    ) -> DaprResponse:
        """Raises an event to an instance. With ``send_raw_bytes`` data of bytes is sent as it stands."""
        _check(instance_id=instance_id, workflow_component=workflow_component, event_name=event_name)
        text = _text("raise_workflow_event", event_data, send_raw_bytes)
        with _errors():
            self._client.raise_workflow_event(instance_id, event_name, text, workflow_component)
        return DaprResponse()

    def terminate_workflow(self, instance_id: str, workflow_component: str) -> DaprResponse:
        """Ends an instance and its children."""
        _check(instance_id=instance_id, workflow_component=workflow_component)
        with _errors():
            self._client.terminate_workflow(instance_id, workflow_component)
        return DaprResponse()

    def purge_workflow(self, instance_id: str, workflow_component: str) -> DaprResponse:
        """Deletes a finished instance and its children."""
        _check(instance_id=instance_id, workflow_component=workflow_component)
        with _errors():
            self._client.purge_workflow(instance_id, workflow_component)
        return DaprResponse()


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except NotFoundError as error:
        raise DaprInternalError(f"no such instance exists: {error}", "ERR_INSTANCE_ID_NOT_FOUND") from error
    except EverstepError as error:
        raise DaprInternalError(str(error), error.code) from error


def _check(**names: str) -> None:
    for name, value in names.items():
        if not value or not value.strip():
            raise ValueError(f"{name} must not be empty or blank")


def _text(operation: str, value: Any, raw: bool) -> RawPayload | Absent:
    if value is None:
        return ABSENT
    try:
        return RawPayload(value.decode() if raw and isinstance(value, bytes) else json.dumps(value))
    except (TypeError, ValueError) as error:
        raise DaprInternalError(f"{operation}: the payload has no JSON: {error}") from error
