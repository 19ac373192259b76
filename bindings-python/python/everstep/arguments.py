"""Arguments of operations as the core takes them. What has the wrong type is refused here, by name."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any, Union

from .durations import milliseconds
from .errors import InvalidArgumentError
from .functions import definition_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .durations import Duration
    from .history import HistoryEvent
    from .models import RuntimeStatus
    from .payload import Decoder

StrPath = Union[str, "PathLike[str]"]
"""A path as the standard library takes it."""

Filter = tuple["str | None", "list[str]", "int | None", "int | None", "str | None"]
"""Name, statuses, from and to in microseconds since 1970, parent."""


def text_of(value: object, name: str) -> str:
    """A text that has an encoding."""
    if not isinstance(value, str):
        raise InvalidArgumentError(f"{name} must be a str, not {type(value).__name__}")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise InvalidArgumentError(f"{name} holds a lone surrogate, which is no character") from None
    return value


def optional_text(value: object, name: str) -> str | None:
    """The same, or none."""
    return None if value is None else text_of(value, name)


def optional_path(value: StrPath | None, name: str) -> str | None:
    """The path of a file, or none."""
    if value is None:
        return None
    if not isinstance(value, (str, PathLike)):
        raise InvalidArgumentError(f"{name} must be a path, not {type(value).__name__}")
    return text_of(fspath(value), name)


def strings(values: Mapping[str, str] | None, name: str) -> dict[str, str]:
    """A mapping of texts."""
    if values is None:
        return {}
    if not hasattr(values, "items"):
        raise InvalidArgumentError(f"{name} must be a mapping of str to str, not {type(values).__name__}")
    return {text_of(key, f"a key of {name}"): text_of(value, f"{name}[{key!r}]") for key, value in values.items()}


def workflow_of(
    function: Any, workflow_name: str | None, version: str | None = None
) -> tuple[str, str | None, Decoder | None]:
    """The name and version of the workflow to start, and how its output is decoded. A function runs in its version."""
    version = optional_text(version, "version")
    if function is None:
        if workflow_name is None:
            raise InvalidArgumentError("a start needs a workflow: a function, or workflow_name")
        return text_of(workflow_name, "workflow_name"), version, None
    if workflow_name is not None:
        raise InvalidArgumentError("both function and workflow_name are given; give one of them")
    if isinstance(function, str):
        return text_of(function, "function"), version, None
    definition = definition_of(function)
    if definition.kind != "workflow":
        raise InvalidArgumentError(f"{definition.name} is an activity; only workflows are started")
    if version is not None and version != definition.version:
        raise InvalidArgumentError(
            f"the function given for {definition.name} is not its version {version!r}; give that version's function,"
            " or the workflow's name and version"
        )
    return definition.name, definition.version, definition.output


def event_id_of(event: HistoryEvent | int) -> int:
    """The ID of an event of a history."""
    if type(event) is not int:
        from .history import HistoryEvent

        if not isinstance(event, HistoryEvent):
            raise InvalidArgumentError(f"from_event must be a HistoryEvent or an int, not {type(event).__name__}")
        return event.event_id
    if not -(2**31) <= event < 2**31:
        raise InvalidArgumentError("from_event must be the ID of an event, which has 32 bits")
    return event


def timeout_ms(timeout: Duration | None) -> int | None:
    """How long a wait may take."""
    return None if timeout is None else milliseconds(timeout, "timeout")


def micros(moment: datetime, name: str) -> int:
    """A point in time."""
    if not isinstance(moment, datetime):
        raise InvalidArgumentError(f"{name} must be a datetime, not {type(moment).__name__}")
    if moment.tzinfo is None:
        raise InvalidArgumentError(f"{name} must have a time zone; write datetime(..., tzinfo=timezone.utc)")
    return (moment - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(microseconds=1)


def start_time(value: datetime | Duration | None) -> int | None:
    """When an instance is to start."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return micros(value, "start_at")
    return micros(datetime.now(timezone.utc), "start_at") + 1000 * milliseconds(value, "start_at")


def filter_of(
    name: str | None,
    statuses: Iterable[RuntimeStatus | str],
    created_from: datetime | None,
    created_to: datetime | None,
    parent_instance_id: str | None,
) -> Filter:
    """Which instances are meant."""
    from .models import RuntimeStatus

    if isinstance(statuses, str):
        raise InvalidArgumentError("statuses must be a collection; write [RuntimeStatus.RUNNING]")
    try:
        names = [RuntimeStatus(status).value for status in statuses]
    except ValueError as error:
        raise InvalidArgumentError(f"statuses: {error}") from None
    return (
        optional_text(name, "workflow_name"),
        names,
        None if created_from is None else micros(created_from, "created_from"),
        None if created_to is None else micros(created_to, "created_to"),
        optional_text(parent_instance_id, "parent_instance_id"),
    )
