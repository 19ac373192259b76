"""Errors as they cross the bridge, both ways."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ..errors import (
    BY_CODE,
    ActivityError,
    ChildWorkflowError,
    DecodeError,
    EverstepError,
    NonRetryableError,
    WaitTimeout,
)
from ..models import Failure
from ..payload import encode_text

if TYPE_CHECKING:
    from collections.abc import Callable

    Texts = Callable[[str], str] | None
    """What a codec makes of a failure's texts; nothing without one that seals."""

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_MOST_STACK = 16_000
_MOST_CAUSES = 32
_FINAL = (NonRetryableError, DecodeError)
"""What a repetition cannot help."""


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


def _told(text: str, conceal: Texts) -> str:
    """A message or stack as it leaves: sealed, if the codec seals."""
    if conceal is None:
        return quoted(text)
    return quoted(conceal(text.encode("utf-8", "backslashreplace").decode()))


def error_text(error: BaseException, conceal: Texts = None, depth: int = 0, final: bool = False) -> str:
    """An error with its causes, as the bridge protocol has it.

    What failed elsewhere keeps its type, message and stack on its way through this workflow. A ``final`` one is not
    tried again.
    """
    if isinstance(error, EverstepError) and error.failure is not None:
        return _failure_text(error.failure, conceal, depth, error.code)
    text = f'{{"type":{quoted(type(error).__name__)},"message":{_told(_message(error), conceal)}'
    text += f',"stack":{_told(stack_of(error), conceal)}'
    if isinstance(error, EverstepError):
        text += f',"code":"{error.code}"'
    text += f',"retryable":{"false" if final or isinstance(error, _FINAL) else "true"}'
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None and depth < _MOST_CAUSES:
        text += f',"cause":{error_text(cause, conceal, depth + 1)}'
    return text + "}"


def _failure_text(failure: Failure, conceal: Texts, depth: int, code: str | None = None) -> str:
    text = f'{{"type":{quoted(failure.error_type)},"message":{_told(failure.message, conceal)}'
    if failure.stack_trace is not None:
        text += f',"stack":{_told(failure.stack_trace, conceal)}'
    code = failure.code or code
    if code is not None:
        text += f',"code":"{code}"'
    text += f',"retryable":{"false" if failure.non_retryable else "true"}'
    if failure.cause is not None and depth < _MOST_CAUSES:
        text += f',"cause":{_failure_text(failure.cause, conceal, depth + 1)}'
    return text + "}"


def failure_of(error: dict[str, Any], reveal: Texts = None) -> Failure:
    """The failure that an error of the bridge describes."""
    cause = error.get("cause")
    message, stack = error.get("message", ""), error.get("stack")
    if reveal is not None:
        message, stack = reveal(message), None if stack is None else reveal(stack)
    return Failure(
        error.get("type", ""),
        message,
        stack,
        error.get("retryable") is False,
        failure_of(cause, reveal) if cause else None,
        error.get("code"),
    )


def exception_of(error: dict[str, Any], kind: str, name: str, reveal: Texts = None) -> EverstepError:
    """The exception that a workflow sees for a job that failed."""
    failure = failure_of(error, reveal)
    code = error.get("code")
    if code == "timeout":
        return WaitTimeout(failure.message or f"{kind} {name} timed out", failure=failure)
    own = ChildWorkflowError if kind == "child" else ActivityError
    what = f"workflow {name}" if kind == "child" else f"{kind} {name}"
    return BY_CODE.get(code or own.code, own)(
        f"{what} failed with {failure.error_type}: {failure.message}", failure=failure
    )
