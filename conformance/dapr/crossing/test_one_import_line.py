"""The programs of ``examples/dapr/python`` on a real sidecar, with everstep and with the official SDK: they print the same.

``scripts/official-dapr`` installs what they are compared with: the official SDK, and the last version of it whose
``DaprClient`` has the seven operations of Dapr's guide.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "examples" / "dapr" / "python"))

import run

if TYPE_CHECKING:
    from cluster import Cluster

pytestmark = pytest.mark.timeout(300)
LAST_WITH_OPERATIONS = ("guide_operations",)


@pytest.fixture(scope="session")
def pythons() -> dict[str, str]:
    """The Pythons that have the official SDK, by their lock files."""
    said = subprocess.run(
        [run.HERE.parents[2] / "scripts" / "official-dapr"],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    if said.returncode != 0:
        pytest.fail(f"the official SDK could not be installed:\n{said.stderr}", pytrace=False)
    return dict(line.split("\t") for line in said.stdout.splitlines())


def python_for(program: str, pythons: dict[str, str]) -> str:
    """The Python that runs a program with the official SDK."""
    return pythons["dapr-client" if program in LAST_WITH_OPERATIONS else "dapr"]


@pytest.mark.parametrize("program", run.PROGRAMS)
def test_everstep_prints_what_is_expected(program: str, shared: Cluster) -> None:
    assert run.on_sidecar(program, shared.environment) == run.expected(program)


@pytest.mark.parametrize("program", run.PROGRAMS)
def test_the_official_sdk_prints_what_is_expected(
    program: str, shared: Cluster, pythons: dict[str, str]
) -> None:
    printed = run.official(program, python_for(program, pythons), shared.environment)
    assert printed == run.expected(program)


@pytest.mark.parametrize("program", ["", *LAST_WITH_OPERATIONS])
def test_the_surface_is_that_of_the_official_sdk(program: str, pythons: dict[str, str]) -> None:
    command = [python_for(program, pythons), str(run.HERE / "surface.py")]
    said = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)
    written = json.loads((run.HERE / "surface.json").read_text("utf-8"))
    if program:
        assert said["dapr.clients"] == written["dapr.clients"]
    else:
        del written["dapr.clients"]
        assert said == written
