"""The errors of the library: one base class, one subclass per code of ``conformance/errors.json``.

They are told apart by class or by ``code``, never by their text. Where Python has a built-in class that people expect
to catch, it is a base as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from .models import Failure


class EverstepError(Exception):
    """The base of all errors of this library."""

    code: ClassVar[str] = "internal"
    """The code, the same in every language."""
    retryable: ClassVar[bool] = False
    """Whether the same call may succeed later without a change by the caller."""

    def __init__(
        self,
        message: str = "",
        *,
        operation: str | None = None,
        instance_id: str | None = None,
        failure: Failure | None = None,
        done: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        """What went wrong, without operation and instance."""
        self.operation = operation
        """The operation that failed, if it is known."""
        self.instance_id = instance_id
        """The instance concerned, if there is one."""
        self.failure = failure
        """What the user's code failed with, if it did."""
        self.done = done
        """How many instances an operation on many had been done to, durably, when it failed."""

    def __str__(self) -> str:
        text = f"{self.operation}: {self.message}" if self.operation else self.message
        return f"{text} (instance {self.instance_id!r})" if self.instance_id is not None else text


class InvalidArgumentError(EverstepError, ValueError):
    """An argument breaks a rule that the message names; nothing was sent or written."""

    code = "invalid_argument"


class NotFoundError(EverstepError, LookupError):
    """There is no such instance, or not the run that was asked for."""

    code = "not_found"


class AlreadyExistsError(EverstepError):
    """The instance ID is in use."""

    code = "already_exists"


class FailedPreconditionError(EverstepError):
    """The instance or the program is not in a state that allows the operation."""

    code = "failed_precondition"


class OperationNotImplementedError(EverstepError, NotImplementedError):
    """The component cannot do this; the message names what can."""

    code = "not_implemented"


class UnavailableError(EverstepError, ConnectionError):
    """The component cannot be reached now."""

    code = "unavailable"
    retryable = True


class OperationTimeoutError(EverstepError, TimeoutError):
    """The time given has passed; the operation may still happen."""

    code = "timeout"
    retryable = True


class OperationCancelledError(EverstepError):
    """The caller gave the call up."""

    code = "cancelled"


class UnauthenticatedError(EverstepError, PermissionError):
    """Credentials are missing or wrong."""

    code = "unauthenticated"


class PermissionDeniedError(EverstepError, PermissionError):
    """The credentials do not allow this."""

    code = "permission_denied"


class PayloadTooLargeError(EverstepError, ValueError):
    """A payload is larger than the limit that the message names."""

    code = "payload_too_large"


class _RemoteError(EverstepError):
    """What failed elsewhere, as its caller sees it."""

    @property
    def error_type(self) -> str:
        """The name of the type that was raised, for example ``ValueError``."""
        return self.failure.error_type if self.failure else ""

    @property
    def stack_trace(self) -> str | None:
        """The stack of where it was raised, if there is one."""
        return self.failure.stack_trace if self.failure else None

    def is_caused_by(self, error_type: str | type[BaseException]) -> bool:
        """Tells whether the failure or one of its causes is of this type, by its exact name."""
        return self.failure is not None and self.failure.is_caused_by(error_type)


class WorkflowFailedError(_RemoteError):
    """The workflow ended in failure; ``failure`` is the chain of what failed."""

    code = "workflow_failed"


class WorkflowTerminatedError(EverstepError):
    """The workflow was terminated."""

    code = "workflow_terminated"


class WorkflowStalledError(EverstepError):
    """The workflow waits for corrected code; it is tried again with the next worker or resume."""

    code = "workflow_stalled"
    retryable = True


class WorkflowNotRegisteredError(EverstepError, LookupError):
    """No worker knows the workflow."""

    code = "workflow_not_registered"


class ActivityNotRegisteredError(EverstepError, LookupError):
    """No connected worker knows the activity."""

    code = "activity_not_registered"


class ActivityError(_RemoteError):
    """An activity failed, after all its attempts."""

    code = "activity_failed"


class ChildWorkflowError(_RemoteError):
    """A child workflow failed, or was terminated or purged."""

    code = "child_failed"


class DecodeError(EverstepError, ValueError):
    """A payload could not be decoded; its text stays readable in ``text``."""

    code = "decode_failed"

    def __init__(
        self,
        message: str = "",
        *,
        text: str | None = None,
        operation: str | None = None,
        instance_id: str | None = None,
        failure: Failure | None = None,
        done: int | None = None,
    ) -> None:
        super().__init__(message, operation=operation, instance_id=instance_id, failure=failure)
        self.text = text
        """The payload as it came."""


class ResourceExhaustedError(EverstepError):
    """Disk, memory or a configured limit is exhausted."""

    code = "resource_exhausted"
    retryable = True


class StoreLockedError(EverstepError):
    """Another process owns the store."""

    code = "store_locked"
    retryable = True


class StoreVersionError(EverstepError):
    """The store was written by a newer version."""

    code = "store_version"


class StoreCorruptError(EverstepError):
    """The store is damaged."""

    code = "store_corrupt"


class ClosedError(EverstepError):
    """The client, worker or engine is closed."""

    code = "closed"


class ForkedError(EverstepError):
    """The object was made before a fork of the process; make one in the child."""

    code = "forked"


class InternalError(EverstepError):
    """A fault of this library; please report it."""

    code = "internal"


BY_CODE: dict[str, type[EverstepError]] = {
    kind.code: kind
    for kind in (
        InvalidArgumentError,
        NotFoundError,
        AlreadyExistsError,
        FailedPreconditionError,
        OperationNotImplementedError,
        UnavailableError,
        OperationTimeoutError,
        OperationCancelledError,
        UnauthenticatedError,
        PermissionDeniedError,
        PayloadTooLargeError,
        WorkflowFailedError,
        WorkflowTerminatedError,
        WorkflowStalledError,
        WorkflowNotRegisteredError,
        ActivityNotRegisteredError,
        ActivityError,
        ChildWorkflowError,
        DecodeError,
        ResourceExhaustedError,
        StoreLockedError,
        StoreVersionError,
        StoreCorruptError,
        ClosedError,
        ForkedError,
        InternalError,
    )
}
"""The class of each code. A code that a newer core knows is an ``InternalError``."""


class WaitTimeout(OperationTimeoutError):
    """A wait of a workflow, for an event or an activity, took longer than its timeout."""


class NonDurableError(EverstepError):
    """A workflow used something that no history can replay. It stalls until its code is corrected.

    Raised by everything of an event loop that reaches outside the workflow: sockets, threads, subprocesses, signals,
    and futures that belong elsewhere. Do such work in an activity.
    """

    code = "failed_precondition"


class WorkflowBlocked(BaseException):
    """Raised into a workflow that has not given its turn back for 10 seconds. It stalls as ``blocked``."""


class WorkflowEvicted(BaseException):
    """Raised by a workflow's context after the instance has left this worker.

    ``finally`` blocks of a workflow also run when its instance leaves the cache, so they are no place for
    compensation: catch the error instead.
    """


class ContinueAsNew(BaseException):
    """Ends a run on behalf of ``WorkflowContext.continue_as_new``. Let it pass."""


class NonRetryableError(Exception):
    """Raise this, or a subclass, where a repetition of an activity or child workflow cannot help."""


FailureTuple = tuple[str, str, "str | None", bool, object]


def from_native(
    code: str,
    message: str,
    operation: str | None = None,
    instance_id: str | None = None,
    failure: FailureTuple | None = None,
    done: int | None = None,
) -> EverstepError:
    """Builds the error that the native module reports."""
    from .models import failure_from_native

    return BY_CODE.get(code, InternalError)(
        message,
        operation=operation,
        instance_id=instance_id,
        failure=failure_from_native(failure),
        done=done,
    )
