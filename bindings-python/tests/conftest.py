"""What all tests share."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

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
