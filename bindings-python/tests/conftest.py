"""What all tests share."""

from __future__ import annotations

import json
import signal
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    import everstep.dapr as wf

ROOT = Path(__file__).resolve().parents[2]
CONFORMANCE = ROOT / "conformance"

# A job in the background begins with SIGINT ignored, and hands that on to the programs that tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--place", help="where the cases of conformance/ run: dapr_grpc, a real Dapr; without it on the embedded engine"
    )


def conformance(name: str) -> Any:
    """The data of a file of ``conformance/``."""
    return json.loads((CONFORMANCE / name).read_text("utf-8"))


@pytest.fixture
def endpoint(tmp_path: Path) -> str:
    """A file of the test's own."""
    return f"sqlite:{tmp_path / 'workflows.db'}"


@pytest.fixture
def dapr_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine of the test's own, which runtimes and clients of ``everstep.dapr`` share; time skips while somebody waits."""
    monkeypatch.setenv("EVERSTEP_ENDPOINT", f"test:{uuid.uuid4().hex}")
    for name in (
        "GRPC_PORT",
        "GRPC_ENDPOINT",
        "RUNTIME_HOST",
        "API_TIMEOUT_SECONDS",
        "GRPC_MAX_INBOUND_MESSAGE_SIZE_BYTES",
    ):
        monkeypatch.delenv(f"DAPR_{name}", raising=False)


@pytest.fixture
def client(dapr_engine: None) -> Iterator[wf.DaprWorkflowClient]:
    """A client by the names of Dapr's SDK."""
    import everstep.dapr as wf

    with wf.DaprWorkflowClient() as client:
        yield client
