"""The clients for asyncio, with the names of ``dapr.ext.workflow.aio``."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..mcp import MCPToolDef as MCPToolDef
    from .dapr_workflow_client import DaprWorkflowClient as DaprWorkflowClient
    from .mcp import DaprMCPClient as DaprMCPClient

_HOME_OF = {"DaprMCPClient": ".mcp", "DaprWorkflowClient": ".dapr_workflow_client", "MCPToolDef": "..mcp"}


def __getattr__(name: str) -> object:
    value: object
    if name == "__all__":
        value = sorted(_HOME_OF)
    else:
        home = _HOME_OF.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(home, __name__), name)
    globals()[name] = value
    return value


def __dir__() -> "list[str]":
    return sorted({*globals(), *_HOME_OF})
