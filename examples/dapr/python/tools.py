"""The tools of an MCP server. No server is there, so the program falls back on tools of its own."""

import asyncio
import logging

import everstep.dapr as wf  # official: import dapr.ext.workflow as wf
from everstep.dapr import aio  # official: from dapr.ext.workflow import aio
from everstep.dapr.logger import LoggerOptions  # official: from dapr.ext.workflow.logger import LoggerOptions

options = LoggerOptions(
    log_level=logging.ERROR,
    log_handler=logging.StreamHandler(),
    log_formatter=logging.Formatter("%(message)s"),
)
runtime = wf.WorkflowRuntime(logger_options=options)
OWN = wf.MCPToolDef(
    name="get_tides",
    description="The tides of a harbour",
    input_schema={"type": "object", "properties": {"harbour": {"type": "string"}}},
    server_name="weather",
    call_tool_workflow="call_get_tides",
)


@runtime.workflow(name="call_get_tides")
def get_tides(ctx: wf.DaprWorkflowContext, arguments: dict):
    yield ctx.call_activity(look, input=arguments["harbour"])
    return {"content": f"high water at {arguments['harbour']} at noon"}


@runtime.activity
def look(ctx: wf.WorkflowActivityContext, harbour: str) -> None:
    return None


async def ask() -> list[aio.MCPToolDef]:
    client = aio.DaprMCPClient(
        timeout_in_seconds=1, allowed_tools={"get_tides"}, wf_client=aio.DaprWorkflowClient()
    )
    try:
        await client.connect("weather")
    except (RuntimeError, TimeoutError):
        print("asked again:", client.get_connected_servers(), client.get_server_tools("weather"))
    return client.get_all_tools()


def main() -> None:
    runtime.start()
    client = wf.DaprWorkflowClient(logger_options=options)
    finder = wf.DaprMCPClient(timeout_in_seconds=1, wf_client=client)
    try:
        finder.connect("weather")
    except (RuntimeError, TimeoutError):
        print("no server:", finder.get_connected_servers(), finder.get_all_tools())
    try:
        finder.connect(" ")
    except ValueError:
        print("a server needs a name")
    tool = (asyncio.run(ask()) or [OWN])[0]
    print(tool.name, "-", tool.description, tool.input_schema["properties"])
    instance_id = client.schedule_new_workflow(tool.call_tool_workflow, input={"harbour": "Hull"})
    print(client.wait_for_workflow_completion(instance_id, timeout_in_seconds=30).serialized_output)
    client.close()
    runtime.shutdown()


if __name__ == "__main__":
    main()
