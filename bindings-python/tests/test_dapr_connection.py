"""Where ``everstep.dapr`` connects to, and where its log goes."""

from __future__ import annotations

import logging
from typing import Any

import pytest

import everstep
import everstep.dapr as wf
from everstep.dapr import clients, connection
from everstep.dapr.logger import Logger, LoggerOptions
from everstep.dapr.workflow_state import OrchestrationFailedError
from sdk import outcome

pytestmark = pytest.mark.usefixtures("dapr_engine")


@pytest.mark.parametrize(
    ("host", "port", "endpoint"),
    [
        ("localhost", "50005", "grpc://localhost:50005"),
        (None, 4001, "grpc://127.0.0.1:4001"),
        ("10.0.0.1", None, "grpc://10.0.0.1:50001"),
        ("https://dapr.example", "443", "grpcs://dapr.example:443"),
        ("[::1]", "1", "grpc://[::1]:1"),
    ],
)
def test_hosts_and_ports_become_endpoints(host: str | None, port: str | int | None, endpoint: str) -> None:
    assert connection.endpoint_of(host, port) == endpoint


@pytest.mark.parametrize(
    ("address", "endpoint"),
    [
        ("localhost:50001", "grpc://localhost:50001"),
        ("dns:localhost:50001", "grpc://localhost:50001"),
        ("https://dapr.example", "grpcs://dapr.example:443"),
        ("dapr.example:1?tls=true", "grpcs://dapr.example:1"),
        ("[::1]", "grpc://[::1]:443"),
    ],
)
def test_addresses_become_endpoints(address: str, endpoint: str) -> None:
    assert connection.address_of(address) == endpoint


def test_what_is_no_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for address in ("ftp://host:1", "host:1?tls=perhaps"):
        with pytest.raises(everstep.InvalidArgumentError, match="address"):
            connection.address_of(address)
    monkeypatch.setenv("DAPR_API_TIMEOUT_SECONDS", "soon")
    with pytest.raises(everstep.InvalidArgumentError, match="DAPR_API_TIMEOUT_SECONDS"):
        wf.DaprWorkflowClient()
    monkeypatch.setenv("DAPR_API_TIMEOUT_SECONDS", "2.5")
    assert connection.options_of() == {"call_timeout": 2.5}
    assert connection.options_of(1 << 20)["max_payload_bytes"] == 1 << 20
    monkeypatch.setenv("DAPR_GRPC_MAX_INBOUND_MESSAGE_SIZE_BYTES", "4096")
    assert connection.options_of()["max_payload_bytes"] == 4096


def test_a_runtime_and_its_clients_share_the_engine_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVERSTEP_ENDPOINT", "memory:")
    assert connection.endpoint_of() == "memory:dapr"
    monkeypatch.setenv("EVERSTEP_ENDPOINT", "memory:mine")
    assert connection.endpoint_of() is None


def test_interceptors_are_refused_where_they_would_not_be_called() -> None:
    runtime = wf.WorkflowRuntime(interceptors=[object()])
    runtime.start()
    runtime.shutdown()
    refused = wf.WorkflowRuntime(host="127.0.0.1", port="1", interceptors=[object()])
    with pytest.raises(everstep.OperationNotImplementedError, match="interceptors"):
        refused.start()
    with pytest.raises(everstep.OperationNotImplementedError, match="interceptors"):
        clients.DaprClient("127.0.0.1:1", interceptors=[object()])


def test_a_runtime_that_reaches_nobody_is_not_ready() -> None:
    runtime = wf.WorkflowRuntime(host="127.0.0.1", port="1", worker_ready_timeout=0.2)
    runtime.register_workflow(lambda ctx: None, name="one")
    with pytest.raises(RuntimeError, match="ready"):
        runtime.start()


def test_the_log_goes_where_the_options_say(client: wf.DaprWorkflowClient) -> None:
    lines: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    handler = Kept()
    options = LoggerOptions("WARNING", handler, logging.Formatter("%(levelname)s %(message)s"))
    runtime = wf.WorkflowRuntime(logger_options=options)
    again = Logger("WorkflowRuntime", options)
    try:
        again.info("too quiet")
        for level in ("warning", "error", "critical"):
            getattr(again, level)("%s", level)
        again.debug("too quiet")
        try:
            raise ValueError("at hand")
        except ValueError:
            again.exception("seen")
        assert again.get_options() is options
        assert [line.splitlines()[0] for line in lines] == [
            "WARNING warning",
            "ERROR error",
            "CRITICAL critical",
            "ERROR seen",
        ]

        @runtime.activity
        def fails(ctx: Any) -> None:
            raise ValueError("on purpose")

        @runtime.workflow
        def flow(ctx: wf.DaprWorkflowContext) -> Any:
            yield ctx.call_activity(fails)

        with runtime, pytest.raises(OrchestrationFailedError):
            outcome(client, flow)
        assert "on purpose" in lines[-1]
    finally:
        logging.getLogger("WorkflowRuntime").removeHandler(handler)
