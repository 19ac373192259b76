"""``DaprMCPClient`` for programs on asyncio."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ...errors import UnavailableError
from ..mcp import RETRY_SECONDS, ToolList
from .dapr_workflow_client import DaprWorkflowClient

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet


class DaprMCPClient(ToolList):
    """See ``everstep.dapr.DaprMCPClient``; ``connect`` is awaited."""

    def __init__(
        self,
        *,
        timeout_in_seconds: float = 60,
        allowed_tools: AbstractSet[str] | None = None,
        wf_client: DaprWorkflowClient | None = None,
    ) -> None:
        super().__init__(timeout_in_seconds=timeout_in_seconds, allowed_tools=allowed_tools)
        self._client = DaprWorkflowClient() if wf_client is None else wf_client

    async def connect(self, mcpserver_name: str) -> None:
        """Reads the tools of a server. Raises ``RuntimeError`` where that fails or takes too long."""
        request = self._request(mcpserver_name)
        while True:
            try:
                await self._client.schedule_new_workflow(
                    request.workflow, input=request.input, instance_id=request.instance_id
                )
                break
            except UnavailableError:
                await asyncio.sleep(min(RETRY_SECONDS, request.left()))
        try:
            state = await self._client.wait_for_workflow_completion(
                request.instance_id, timeout_in_seconds=request.left()
            )
        except TimeoutError as error:
            raise request.late() from error
        self._keep(request, state)
