"""Errors as they cross the bridge, both ways."""

from __future__ import annotations

import os
from typing import Any

from ..errors import BY_CODE, ActivityError, ChildWorkflowError, EverstepError, NonRetryableError, WaitTimeout
from ..models import Failure
from ..payload import encode_text

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_MOST_STACK = 16_000
_MOST_CAUSES = 32


def quoted(text: str) -> str:
    """A JSON string of any text; a lone surrogate becomes its escape."""
    return encode_text(text if text.isascii() else text.encode("utf-8", "backslashreplace").decode())


def stack_of(error: BaseException) -> str:
    """The stack of an error without the frames of this package above the user's."""
    import traceback

    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(_PACKAGE):
        trace = trace.tb_next
    try:
        text = "".join(traceback.format_exception(type(error), error, trace, chain=False))
    except Exception as broken:
        text = f"the stack cannot be shown: {type(broken).__name__}"
    return text if len(text) <= _MOST_STACK else text[: _MOST_STACK // 2] + "\n…\n" + text[-_MOST_STACK // 2 :]


def _message(error: BaseException) -> str:
    try:
        return error.message if isinstance(error, EverstepError) else str(error)
    except Exception as broken:
        return f"the message cannot be shown: {type(broken).__name__}"


def error_text(error: BaseException, depth: int = 0) -> str:
    """An error with its causes, as the bridge protocol has it.

    What failed elsewhere keeps its type, message and stack on its way through this workflow.
    """
    if isinstance(error, EverstepError) and error.failure is not None:
        return _failure_text(error.failure, depth, error.code)
    text = f'{{"type":{quoted(type(error).__name__)},"message":{quoted(_message(error))}'
    text += f',"stack":{quoted(stack_of(error))}'
    if isinstance(error, EverstepError):
        text += f',"code":"{error.code}"'
    text += f',"retryable":{"false" if isinstance(error, NonRetryableError) else "true"}'
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None and depth < _MOST_CAUSES:
        text += f',"cause":{error_text(cause, depth + 1)}'
    return text + "}"


def _failure_text(failure: Failure, depth: int, code: str | None = None) -> str:
    text = f'{{"type":{quoted(failure.error_type)},"message":{quoted(failure.message)}'
    if failure.stack_trace is not None:
        text += f',"stack":{quoted(failure.stack_trace)}'
    code = failure.code or code
    if code is not None:
        text += f',"code":"{code}"'
    text += f',"retryable":{"false" if failure.non_retryable else "true"}'
    if failure.cause is not None and depth < _MOST_CAUSES:
        text += f',"cause":{_failure_text(failure.cause, depth + 1)}'
    return text + "}"


def failure_of(error: dict[str, Any]) -> Failure:
    """The failure that an error of the bridge describes."""
    cause = error.get("cause")
    return Failure(
        error.get("type", ""),
        error.get("message", ""),
        error.get("stack"),
        error.get("retryable") is False,
        failure_of(cause) if cause else None,
        error.get("code"),
    )


def exception_of(error: dict[str, Any], kind: str, name: str) -> EverstepError:
    """The exception that a workflow sees for a job that failed."""
    failure = failure_of(error)
    code = error.get("code")
    if code == "timeout":
        return WaitTimeout(failure.message or f"{kind} {name} timed out", failure=failure)
    own = ChildWorkflowError if kind == "child" else ActivityError
    what = f"workflow {name}" if kind == "child" else f"{kind} {name}"
    return BY_CODE.get(code or own.code, own)(
        f"{what} failed with {failure.error_type}: {failure.message}", failure=failure
    )
