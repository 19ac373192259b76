"""How names and options are written in what a workflow asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .durations import milliseconds
from .errors import InvalidArgumentError
from .payload import encode_text

if TYPE_CHECKING:
    from .durations import Duration


def name_of(value: object, argument: str) -> str:
    """The value, if it can be a name. Raises ``InvalidArgumentError``."""
    if not isinstance(value, str) or not value:
        raise InvalidArgumentError(f"{argument} must be a str that is not empty")
    return value


def version_field(version: str | None) -> str:
    """The member for a version of a child. Raises ``InvalidArgumentError``."""
    return "" if version is None else f',"version":{encode_text(name_of(version, "version"))}'


def retry_fields(retry: object) -> str:
    """The member for a retry policy. Raises ``InvalidArgumentError``."""
    from .retry import Retry

    if not isinstance(retry, Retry):
        raise InvalidArgumentError(f"retry must be an everstep.Retry, not {type(retry).__name__}")
    return f',"retry":{retry.text()}'


def app_field(app_id: str | None) -> str:
    """The member for another application. Raises ``InvalidArgumentError``."""
    return "" if app_id is None else f',"app":{encode_text(name_of(app_id, "app_id"))}'


def option_fields(kind: str, timeout: Duration | None, retry: object, app_id: str | None) -> str:
    """The members for what may be said of an activity or a child. Raises ``InvalidArgumentError``."""
    fields = "" if retry is None else retry_fields(retry)
    if timeout is not None:
        if kind != "activity":
            raise InvalidArgumentError("timeout is for activities; use asyncio.timeout() around child workflows")
        fields += f',"timeout_ms":{milliseconds(timeout, "timeout")}'
    return fields + app_field(app_id)
