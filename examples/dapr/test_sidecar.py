"""The same programs on a real sidecar, with everstep and with the official SDK: they print the same.

They run where ``DAPR_GRPC_PORT`` names a sidecar. ``EVERSTEP_OFFICIAL`` is a Python with what
``scripts/requirements-dapr.txt`` names, ``EVERSTEP_OFFICIAL_CLIENT`` one with ``scripts/requirements-dapr-client.txt``,
the last version with the seven operations of ``DaprClient``; ``scripts/official-dapr`` makes both.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import run

pytestmark = [
    pytest.mark.skipif("DAPR_GRPC_PORT" not in os.environ, reason="there is no sidecar; see make test-dapr"),
    pytest.mark.timeout(300),
]


def official_python(program: str = "") -> str:
    """The Python that has the official SDK for a program."""
    variable = "EVERSTEP_OFFICIAL_CLIENT" if program == "guide_operations" else "EVERSTEP_OFFICIAL"
    python = os.environ.get(variable)
    if not python:
        pytest.skip(f"{variable} names no Python with the official SDK")
    return python


@pytest.mark.parametrize("program", run.PROGRAMS)
def test_everstep_prints_on_a_sidecar_what_is_expected(program: str) -> None:
    assert run.on_sidecar(program) == run.expected(program)


@pytest.mark.parametrize("program", run.PROGRAMS)
def test_the_official_sdk_prints_what_is_expected(program: str) -> None:
    assert run.official(program, official_python(program)) == run.expected(program)


@pytest.mark.parametrize("program", ["", "guide_operations"])
def test_the_surface_is_that_of_the_official_sdk(program: str) -> None:
    command = [official_python(program), str(run.HERE / "surface.py")]
    said = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)
    written = json.loads((run.HERE / "surface.json").read_text("utf-8"))
    if program:
        assert said["dapr.clients"] == written["dapr.clients"]
    else:
        del written["dapr.clients"]
        assert said == written
