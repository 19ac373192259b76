"""Durable workflows in plain Python.

Nothing happens at import: the names below are loaded when they are first used.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._host.futures import DurableFuture as DurableFuture
    from .activities import ActivityContext as ActivityContext
    from .activities import current_activity as current_activity
    from .aio import AsyncClient as AsyncClient
    from .client import Client as Client
    from .codecs import Codec as Codec
    from .context import WorkflowContext as WorkflowContext
    from .errors import ActivityError as ActivityError
    from .errors import ActivityNotRegisteredError as ActivityNotRegisteredError
    from .errors import AlreadyExistsError as AlreadyExistsError
    from .errors import ChildWorkflowError as ChildWorkflowError
    from .errors import ClosedError as ClosedError
    from .errors import DecodeError as DecodeError
    from .errors import EverstepError as EverstepError
    from .errors import FailedPreconditionError as FailedPreconditionError
    from .errors import ForkedError as ForkedError
    from .errors import InternalError as InternalError
    from .errors import InvalidArgumentError as InvalidArgumentError
    from .errors import NonDurableError as NonDurableError
    from .errors import NonRetryableError as NonRetryableError
    from .errors import NotFoundError as NotFoundError
    from .errors import OperationCancelledError as OperationCancelledError
    from .errors import OperationNotImplementedError as OperationNotImplementedError
    from .errors import OperationTimeoutError as OperationTimeoutError
    from .errors import PayloadTooLargeError as PayloadTooLargeError
    from .errors import PermissionDeniedError as PermissionDeniedError
    from .errors import ResourceExhaustedError as ResourceExhaustedError
    from .errors import StoreCorruptError as StoreCorruptError
    from .errors import StoreLockedError as StoreLockedError
    from .errors import StoreVersionError as StoreVersionError
    from .errors import UnauthenticatedError as UnauthenticatedError
    from .errors import UnavailableError as UnavailableError
    from .errors import WaitTimeout as WaitTimeout
    from .errors import WorkflowBlocked as WorkflowBlocked
    from .errors import WorkflowEvicted as WorkflowEvicted
    from .errors import WorkflowFailedError as WorkflowFailedError
    from .errors import WorkflowNotRegisteredError as WorkflowNotRegisteredError
    from .errors import WorkflowStalledError as WorkflowStalledError
    from .errors import WorkflowTerminatedError as WorkflowTerminatedError
    from .functions import activity as activity
    from .functions import workflow as workflow
    from .handle import AsyncWorkflowHandle as AsyncWorkflowHandle
    from .handle import WorkflowHandle as WorkflowHandle
    from .history import History as History
    from .history import HistoryEvent as HistoryEvent
    from .models import Failure as Failure
    from .models import RuntimeStatus as RuntimeStatus
    from .models import WorkflowState as WorkflowState
    from .payload import RawPayload as RawPayload
    from .retry import Retry as Retry
    from .worker import Worker as Worker

    __version__: str

_HOMES = {
    "_host.futures": ("DurableFuture",),
    "activities": ("ActivityContext", "current_activity"),
    "aio": ("AsyncClient",),
    "client": ("Client",),
    "codecs": ("Codec",),
    "context": ("WorkflowContext",),
    "errors": (
        "ActivityError",
        "ActivityNotRegisteredError",
        "AlreadyExistsError",
        "ChildWorkflowError",
        "ClosedError",
        "DecodeError",
        "EverstepError",
        "FailedPreconditionError",
        "ForkedError",
        "InternalError",
        "InvalidArgumentError",
        "NonDurableError",
        "NonRetryableError",
        "NotFoundError",
        "OperationCancelledError",
        "OperationNotImplementedError",
        "OperationTimeoutError",
        "PayloadTooLargeError",
        "PermissionDeniedError",
        "ResourceExhaustedError",
        "StoreCorruptError",
        "StoreLockedError",
        "StoreVersionError",
        "UnauthenticatedError",
        "UnavailableError",
        "WaitTimeout",
        "WorkflowBlocked",
        "WorkflowEvicted",
        "WorkflowFailedError",
        "WorkflowNotRegisteredError",
        "WorkflowStalledError",
        "WorkflowTerminatedError",
    ),
    "functions": ("activity", "workflow"),
    "handle": ("AsyncWorkflowHandle", "WorkflowHandle"),
    "history": ("History", "HistoryEvent"),
    "models": ("Failure", "RuntimeStatus", "WorkflowState"),
    "payload": ("RawPayload",),
    "retry": ("Retry",),
    "worker": ("Worker",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    value: object
    if name == "__version__":
        from ._native import __version__ as value
    elif name == "__all__":
        value = sorted(_HOME_OF)
    else:
        home = _HOME_OF.get(name)
        if home is None:
            raise AttributeError(f"module 'everstep' has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> "list[str]":
    return sorted({*globals(), *_HOME_OF, "__version__"})
