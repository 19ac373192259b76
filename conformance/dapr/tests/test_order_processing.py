"""The program of examples/order-processing, unchanged, on a real Dapr: its own proof decides."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cluster import Cluster

PROGRAM = Path(__file__).resolve().parents[3] / "examples" / "order-processing" / "python"
MANAGED = """\
start      accepted
get        RUNNING
pause      accepted
get        SUSPENDED
resume     accepted
get        RUNNING
raiseEvent accepted
get        COMPLETED
start      accepted
terminate  accepted
get        TERMINATED
purge      accepted
get        not found
purge      accepted
get        not found
"""


def run(cluster: Cluster, script: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PROGRAM / script), *options]
    environment = os.environ | cluster.environment | {"PYTHONIOENCODING": "ascii"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=200)


@pytest.mark.timeout(240)
def test_orders_survive_the_death_of_the_program_and_its_sidecar(binaries: Path, tmp_path: Path) -> None:
    with Cluster(binaries, "redis") as cluster, cluster.revived():
        done = run(cluster, "demo.py", "--orders", "150", "--folder", str(tmp_path / "run"))

    assert done.returncode == 0, done.stdout + done.stderr
    assert "and its sidecar got SIGKILL" in done.stdout
    assert "the engine is Dapr" in done.stdout
    assert "Nothing was lost" in done.stdout


@pytest.mark.main
@pytest.mark.timeout(240)
def test_the_seven_calls_over_plain_http(shared: Cluster) -> None:
    done = run(shared, "management.py")
    assert (done.returncode, done.stdout) == (0, MANAGED), done.stderr
    assert done.stderr == "management over http\n"
