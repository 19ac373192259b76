"""``python -m everstep``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import everstep


@everstep.workflow
async def echo(ctx: everstep.WorkflowContext, value: str) -> str:
    return value


def run(*arguments: str, cwd: Path, **variables: str) -> tuple[int, str, str]:
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("EVERSTEP_", "DAPR_", "KUBERNETES_"))
    }
    done = subprocess.run(
        [sys.executable, "-m", "everstep", *arguments],
        cwd=cwd,
        env=kept | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def facts(*arguments: str, cwd: Path, code: int = 0, **variables: str) -> dict[str, Any]:
    found, out, error = run("--json", *arguments, cwd=cwd, **variables)
    assert (found, error) == (code, ""), out
    return json.loads(out)  # type: ignore[no-any-return]


def test_the_default_is_named_and_not_made(tmp_path: Path) -> None:
    code, out, _ = run(cwd=tmp_path)
    assert code == 0
    rows = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert rows["everstep"].startswith(everstep.__version__)
    assert rows["endpoint"] == f"sqlite:{tmp_path}/.everstep/workflows.db (from default)"
    assert rows["store"].startswith("no file yet")
    assert list(tmp_path.iterdir()) == []


def test_what_names_the_endpoint_is_said(tmp_path: Path) -> None:
    assert facts("memory:", cwd=tmp_path, EVERSTEP_ENDPOINT="memory:b")["endpoint_from"] == "argument"
    found = facts(cwd=tmp_path, DAPR_GRPC_PORT="50002")
    assert (found["endpoint"], found["endpoint_from"], found["store"]) == (
        "grpc://127.0.0.1:50002",
        "DAPR_GRPC_PORT",
        None,
    )


def test_a_store_is_described_beside_its_owner_without_payloads(tmp_path: Path) -> None:
    path = tmp_path / "workflows.db"
    with everstep.Client(f"sqlite:{path}") as client, everstep.Worker(client, [echo]):
        client.start_workflow(echo, "secret text", instance_id="secret-id").result(timeout=30)
        client.start_workflow("other", "secret text")
        found = facts(f"sqlite:{path}", cwd=tmp_path, DAPR_API_TOKEN="secret token")
        code, out, _ = run(f"sqlite:{path}", cwd=tmp_path)
        client.start_workflow(echo, "still the owner").result(timeout=30)
    store = found["store"]
    assert store["instances"] == {"COMPLETED": 1, "PENDING": 1}
    assert (store["schema"], store["journal_mode"], store["file_mode"]) == (store["known_schema"], "wal", "0600")
    assert store["owner"]["pid"] == os.getpid()
    assert store["owned"] is (True if sys.platform == "linux" else None)
    assert found["problems"] == []
    assert code == 0
    assert "1 COMPLETED, 1 PENDING" in out
    assert f"process {os.getpid()}" in out
    assert "secret" not in out + json.dumps(found)


def test_a_closed_store_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "workflows.db"
    everstep.Client(f"sqlite:{path}").close()
    before = sorted(tmp_path.iterdir())
    store = facts(f"sqlite:{path}", cwd=tmp_path)["store"]
    assert store["instances"] == {}
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(("endpoint", "problem"), [("ftp:", "invalid_argument"), ("sqlite:broken.db", "store_corrupt")])
def test_what_is_wrong_is_said_and_is_the_exit_code(tmp_path: Path, endpoint: str, problem: str) -> None:
    broken = tmp_path / "broken.db"
    broken.write_text("no database " * 1000)
    broken.chmod(0o600)
    assert [found["code"] for found in facts(endpoint, cwd=tmp_path, code=1)["problems"]] == [problem]
    code, out, _ = run(endpoint, cwd=tmp_path)
    assert code == 1
    assert f"problem     {problem}: " in out


def test_arguments(tmp_path: Path) -> None:
    assert run("--version", cwd=tmp_path)[:2] == (0, f"everstep {everstep.__version__}\n")
    code, out, _ = run("--help", cwd=tmp_path)
    assert code == 0
    assert "--json" in out
    assert run("--loud", cwd=tmp_path)[0] == 2
