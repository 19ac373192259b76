"""How a client of Dapr's endpoints is told where and as whom to connect. No sidecar is needed for it."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from everstep import AsyncClient, Client, InvalidArgumentError, OperationNotImplementedError
from test_process import run

TOKEN = "a-token-that-nobody-may-see"


@pytest.mark.parametrize("flavour", [Client, AsyncClient])
@pytest.mark.parametrize("endpoint", ["grpc://127.0.0.1:1", "http://127.0.0.1:1", "memory:"])
def test_a_token_is_in_no_text(flavour: Any, endpoint: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client = flavour(endpoint, api_token=TOKEN)
    assert TOKEN not in repr(client) + str(vars(client)) + client.endpoint + caplog.text
    closed = client.close()
    if closed is not None:
        asyncio.run(_awaited(closed))


async def _awaited(closed: Any) -> None:
    await closed


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"api_token": "two\nlines"}, "API token"),
        ({"api_token": b"bytes"}, "api_token"),
        ({"tls_roots": 7}, "tls_roots"),
        ({"tls_roots": b"roots.pem"}, "tls_roots"),
        ({"tls_roots": "/nowhere.pem"}, "tls_roots"),
        ({"tls_roots": Path("/nowhere.pem")}, "tls_roots"),
        ({"tls_certificate": "/nowhere.pem"}, "tls_key"),
        ({"tls_key": "/nowhere.pem"}, "tls_certificate"),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], said: str) -> None:
    for flavour in (Client, AsyncClient):
        with pytest.raises(InvalidArgumentError, match=said) as raised:
            flavour("grpcs://127.0.0.1:1", **options)
        assert "two" not in str(raised.value)


@pytest.mark.parametrize(
    ("value", "endpoint"),
    [
        ("dapr.example", "grpc://dapr.example:443"),
        ("dapr.example:1?tls=true", "grpcs://dapr.example:1"),
        ("unix:///run/dapr.sock", "unix:/run/dapr.sock"),
    ],
)
def test_daprs_variable_names_the_endpoint(value: str, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAPR_GRPC_ENDPOINT", value)
    if "tls" in value:
        with pytest.raises(InvalidArgumentError, match="tls_roots"):
            Client("dapr:", tls_roots="/nowhere.pem")
        return
    with Client("dapr:") as client:
        assert client.endpoint == endpoint


def test_what_http_lacks_is_refused_before_a_connection() -> None:
    with Client("http://127.0.0.1:1") as client:
        for call in (
            lambda: list(client.list_workflows()),
            client.count_workflows,
            client.purge_workflows,
            lambda: client.get_workflow_history("a"),
            lambda: client.rerun_workflow("a", 1),
        ):
            with pytest.raises(OperationNotImplementedError, match="gRPC"):
                call()


def test_an_embedded_program_has_no_threads_for_connections() -> None:
    code = """
    from pathlib import Path
    def threads():
        return [path.read_text().strip() for path in Path("/proc/self/task").glob("*/comm")]
    with everstep.Client("memory:") as client, everstep.Worker(client, [flow], [echo, echo_async]):
        assert client.start_workflow(flow, 7).result(timeout=30) == 7
        if Path("/proc/self/task").is_dir():
            assert "everstep-net" not in threads(), threads()
            try:
                everstep.Client("grpc://127.0.0.1:1", call_timeout=2).get_workflow("a")
            except everstep.UnavailableError:
                pass
            assert "everstep-net" in threads(), threads()
    """
    done = run(code)
    assert done.returncode == 0, done.stderr
