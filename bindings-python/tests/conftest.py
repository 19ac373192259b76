"""What all tests share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONFORMANCE = ROOT / "conformance"


def conformance(name: str) -> Any:
    """The data of a file of ``conformance/``."""
    return json.loads((CONFORMANCE / name).read_text("utf-8"))


@pytest.fixture
def endpoint(tmp_path: Path) -> str:
    """A file of the test's own."""
    return f"sqlite:{tmp_path / 'workflows.db'}"
