"""The names of Dapr's Python SDK, on everstep: programs written for it run when one import line is changed.

``import everstep.dapr as wf`` stands for ``import dapr.ext.workflow as wf``, ``everstep.dapr.aio`` for its ``aio``, and
``everstep.dapr.DaprClient`` for the client of Dapr's guide. Nothing of the official SDK is needed or imported. The
names are those of ``dapr.ext.workflow`` 1.19, and modules are named as there.

Where workflows run is decided as everywhere in everstep: a ``host`` and ``port`` that are given, ``EVERSTEP_ENDPOINT``,
Dapr's variables, or a file under the nearest ``.everstep/``. Nothing happens at import.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import aio as aio
    from .clients import DaprClient as DaprClient
    from .dapr_workflow_client import DaprWorkflowClient as DaprWorkflowClient
    from .dapr_workflow_context import DaprWorkflowContext as DaprWorkflowContext
    from .mcp import DaprMCPClient as DaprMCPClient
    from .mcp import MCPToolDef as MCPToolDef
    from .propagation import ActivityResult as ActivityResult
    from .propagation import ChildWorkflowResult as ChildWorkflowResult
    from .propagation import PropagatedHistory as PropagatedHistory
    from .propagation import PropagationNotFoundError as PropagationNotFoundError
    from .propagation import PropagationScope as PropagationScope
    from .propagation import WorkflowResult as WorkflowResult
    from .retry_policy import RetryPolicy as RetryPolicy
    from .task import FailureDetails as FailureDetails
    from .task import TaskFailedError as TaskFailedError
    from .task import when_all as when_all
    from .task import when_any as when_any
    from .workflow_activity_context import WorkflowActivityContext as WorkflowActivityContext
    from .workflow_management import UNSET as UNSET
    from .workflow_management import WorkflowHistoryEvent as WorkflowHistoryEvent
    from .workflow_management import WorkflowHistoryEventType as WorkflowHistoryEventType
    from .workflow_management import WorkflowInstanceIdPage as WorkflowInstanceIdPage
    from .workflow_runtime import WorkflowRuntime as WorkflowRuntime
    from .workflow_runtime import alternate_name as alternate_name
    from .workflow_state import WorkflowState as WorkflowState
    from .workflow_state import WorkflowStatus as WorkflowStatus

_HOMES = {
    "clients": ("DaprClient",),
    "dapr_workflow_client": ("DaprWorkflowClient",),
    "dapr_workflow_context": ("DaprWorkflowContext",),
    "mcp": ("DaprMCPClient", "MCPToolDef"),
    "propagation": (
        "ActivityResult",
        "ChildWorkflowResult",
        "PropagatedHistory",
        "PropagationNotFoundError",
        "PropagationScope",
        "WorkflowResult",
    ),
    "retry_policy": ("RetryPolicy",),
    "task": ("FailureDetails", "TaskFailedError", "when_all", "when_any"),
    "workflow_activity_context": ("WorkflowActivityContext",),
    "workflow_management": ("UNSET", "WorkflowHistoryEvent", "WorkflowHistoryEventType", "WorkflowInstanceIdPage"),
    "workflow_runtime": ("WorkflowRuntime", "alternate_name"),
    "workflow_state": ("WorkflowState", "WorkflowStatus"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    from importlib import import_module

    value: object
    if name == "__all__":
        value = sorted(_HOME_OF)
    elif name == "aio":
        value = import_module(f"{__name__}.aio")
    else:
        home = _HOME_OF.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> "list[str]":
    return sorted({*globals(), *_HOME_OF, "aio"})
