"""Tools of Dapr's MCPServer resources: which there are, and which workflow calls them."""

from __future__ import annotations

import json
import logging
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import UnavailableError
from .dapr_workflow_client import DaprWorkflowClient
from .workflow_state import WorkflowState, WorkflowStatus

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

MCP_WORKFLOW_PREFIX = "dapr.internal.mcp."
"""What the names of Dapr's built-in workflows begin with."""
RETRY_SECONDS = 0.5
_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class MCPToolDef:
    """One tool."""

    name: str
    description: str
    input_schema: dict[str, Any] = field(default_factory=dict)
    """The JSON schema of its arguments."""
    server_name: str = ""
    """The MCPServer resource that has it."""
    call_tool_workflow: str = ""
    """The workflow that calls it."""


class ToolList:
    """What both flavours of the client are: the tools of the servers that were asked."""

    def __init__(self, *, timeout_in_seconds: float = 60, allowed_tools: AbstractSet[str] | None = None) -> None:
        if timeout_in_seconds <= 0:
            raise ValueError("timeout_in_seconds must be above 0")
        self._seconds = timeout_in_seconds
        self._allowed = allowed_tools
        self._tools: dict[str, list[MCPToolDef]] = {}

    def get_all_tools(self) -> list[MCPToolDef]:
        """The tools of all servers that were asked."""
        return [tool for tools in self._tools.values() for tool in tools]

    def get_server_tools(self, server_name: str) -> list[MCPToolDef]:
        """The tools of one server."""
        return list(self._tools.get(server_name, []))

    def get_connected_servers(self) -> list[str]:
        """The servers that were asked."""
        return list(self._tools)

    def _request(self, server: str) -> Request:
        if not server or not server.strip():
            raise ValueError("mcpserver_name must not be empty")
        return Request(server, self._seconds)

    def _keep(self, request: Request, state: WorkflowState | None) -> None:
        server = request.server
        if state is None or state.runtime_status is not WorkflowStatus.COMPLETED:
            how = "is gone" if state is None else f"ended as {state.runtime_status.name}: {state.serialized_output}"
            raise RuntimeError(f"the tools of MCPServer {server!r} could not be listed: the workflow {how}")
        try:
            found = json.loads(state.serialized_output or "{}")
        except ValueError as error:
            raise RuntimeError(f"the tools of MCPServer {server!r} came as no JSON: {error}") from error
        self._tools[server] = [
            MCPToolDef(
                tool.get("name", ""),
                tool.get("description", ""),
                tool.get("inputSchema") or {},
                server,
                f"{MCP_WORKFLOW_PREFIX}{server}.CallTool.{tool.get('name', '')}",
            )
            for tool in found.get("tools", [])
            if self._allowed is None or tool.get("name", "") in self._allowed
        ]
        _logger.info("MCPServer %r has %d tools", server, len(self._tools[server]))


class Request:
    """One listing: its workflow, and the time that is left for it."""

    def __init__(self, server: str, seconds: float) -> None:
        self.server = server
        self.workflow = f"{MCP_WORKFLOW_PREFIX}{server}.ListTools"
        self.instance_id = str(uuid.uuid4())
        self._end = time.monotonic() + seconds

    @property
    def input(self) -> dict[str, str]:
        """What the workflow is given."""
        return {"mcpServerName": self.server}

    def left(self) -> float:
        """The seconds that are left. Raises ``RuntimeError`` when none are."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise self.late()
        return left

    def late(self) -> RuntimeError:
        """The error of a listing that took too long."""
        return RuntimeError(f"the tools of MCPServer {self.server!r} were not listed in time")


class DaprMCPClient(ToolList):
    """Finds the tools of Dapr's MCPServer resources, by the workflows that Dapr has for it.

    ``allowed_tools`` are those to keep. Without ``wf_client`` it makes one.
    """

    def __init__(
        self,
        *,
        timeout_in_seconds: float = 60,
        allowed_tools: AbstractSet[str] | None = None,
        wf_client: DaprWorkflowClient | None = None,
    ) -> None:
        super().__init__(timeout_in_seconds=timeout_in_seconds, allowed_tools=allowed_tools)
        self._client = DaprWorkflowClient() if wf_client is None else wf_client

    def connect(self, mcpserver_name: str) -> None:
        """Reads the tools of a server. Raises ``RuntimeError`` where that fails or takes too long."""
        request = self._request(mcpserver_name)
        while True:
            try:
                self._client.schedule_new_workflow(
                    request.workflow, input=request.input, instance_id=request.instance_id
                )
                break
            except UnavailableError:
                time.sleep(min(RETRY_SECONDS, request.left()))
        try:
            state = self._client.wait_for_workflow_completion(request.instance_id, timeout_in_seconds=request.left())
        except TimeoutError as error:
            raise request.late() from error
        self._keep(request, state)
