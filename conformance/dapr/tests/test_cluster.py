"""The cluster that the other tests stand on."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import cluster as module
from cluster import Cluster, ClusterError, Process, free_ports

PROGRAM = Path(module.__file__)
SHOW = "import json, os; print(json.dumps(dict(os.environ)))"


def ask(
    port: int, path: str, *, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET" if body is None else "POST", path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def redis(port: int, command: str) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(f"{command}\r\n".encode())
        return connection.recv(1024)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.main
def test_sidecars_are_apps_of_their_own(binaries: Path, store: str) -> None:
    with Cluster(binaries, store, app_ids=["one", "two"]) as cluster:
        known = [json.loads(ask(each.http_port, "/v1.0/metadata")[1])["id"] for each in cluster.sidecars]
        environment = cluster.environment
        pids = [process.pid for process in cluster.processes.values()]
        directory = cluster.directory
    ports = [str(each.grpc_port) for each in cluster.sidecars]

    assert known == ["one", "two"]
    assert environment["APP_ID"] == "one"
    assert environment["DAPR_GRPC_PORT"] == ports[0]
    assert environment["EVERSTEP_DAPR_GRPC_PORTS"].split(",") == ports
    assert len(environment["EVERSTEP_DAPR_HTTP_PORTS"].split(",")) == 2
    assert "DAPR_API_TOKEN" not in environment
    assert not [pid for pid in pids if pid is None or is_alive(pid)], "what was started has ended"
    assert not directory.exists()


def test_a_sidecar_with_a_token_asks_for_it(binaries: Path, store: str) -> None:
    with Cluster(binaries, store, api_token="open-sesame") as cluster:
        port = cluster.sidecars[0].http_port
        assert cluster.environment["DAPR_API_TOKEN"] == "open-sesame"
        assert ask(port, "/v1.0/metadata")[0] == 401
        assert ask(port, "/v1.0/metadata", headers={"dapr-api-token": "wrong"})[0] == 401
        assert ask(port, "/v1.0/metadata", headers={"dapr-api-token": "open-sesame"})[0] == 200


def test_a_body_beyond_the_limit_is_refused(binaries: Path, store: str) -> None:
    with Cluster(binaries, store, max_body_size="16Ki") as cluster:
        status, body = ask(
            cluster.sidecars[0].http_port,
            "/v1.0/workflows/dapr/some/start?instanceID=large",
            body=b'"' + b"x" * 20_000,
        )
    assert status == 400
    assert json.loads(body)["errorCode"] == "ERR_BODY_READ"


@pytest.mark.parametrize("kill", [True, False], ids=["killed", "stopped"])
def test_each_process_comes_back_on_its_ports(binaries: Path, kill: bool) -> None:
    with Cluster(binaries, "redis") as cluster:
        assert list(cluster.processes) == ["redis", "placement", "scheduler", "everstep-0"]
        environment = cluster.environment
        # The sidecar first: a scheduler that was killed leads again when the lease of its last life is over, after 20 s.
        for process in reversed(cluster.processes.values()):
            before = process.pid
            process.restart(kill=kill)
            assert process.pid not in (before, None)
        pids = "EVERSTEP_DAPR_PIDS"
        assert cluster.environment == environment | {pids: cluster.environment[pids]}
        assert ask(cluster.sidecars[0].http_port, "/v1.0/metadata")[0] == 200


def test_redis_has_after_a_kill_what_it_had_before(binaries: Path) -> None:
    with Cluster(binaries, "redis") as cluster:
        port = cluster.redis_port
        assert redis(port, "SET order-7 paid") == b"+OK\r\n"
        cluster.processes["redis"].restart(kill=True)
        assert redis(port, "GET order-7") == b"$4\r\npaid\r\n"


def test_a_process_that_does_not_start_shows_its_log(tmp_path: Path) -> None:
    words = [sys.executable, "-c", "raise SystemExit('no such option')"]
    broken = Process("broken", words, tmp_path, lambda: False)
    with pytest.raises(ClusterError, match="no such option"):
        broken.start()


def test_a_process_runs_once(tmp_path: Path) -> None:
    waiting = Process("waiting", [sys.executable, "-c", "input()"], tmp_path, lambda: True)
    waiting.launch()
    with pytest.raises(ClusterError, match="runs already"):
        waiting.launch()
    waiting.kill()
    assert waiting.pid is None


def test_unknown_stores_and_doubled_apps_are_refused(binaries: Path) -> None:
    with pytest.raises(ValueError, match="in-memory, redis"):
        Cluster(binaries, "punched-cards")
    with pytest.raises(ValueError, match="app_ids"):
        Cluster(binaries, app_ids=["one", "one"])
    with pytest.raises(ValueError, match="app_ids"):
        Cluster(binaries, app_ids=[])


def test_free_ports_differ() -> None:
    assert len(set(free_ports(200))) == 200


def test_the_command_gets_the_ports_and_gives_its_exit_code(binaries: Path) -> None:
    command = [
        sys.executable,
        str(PROGRAM),
        "--binaries",
        str(binaries),
        "--sidecars",
        "2",
        "--api-token",
        "sesame",
    ]
    shown = subprocess.run(
        [*command, "--", sys.executable, "-c", SHOW], capture_output=True, check=True, timeout=100
    )
    environment = json.loads(shown.stdout)
    assert environment["APP_ID"] == "everstep-0"
    assert environment["DAPR_API_TOKEN"] == "sesame"
    assert len(environment["EVERSTEP_DAPR_GRPC_PORTS"].split(",")) == 2

    failing = [sys.executable, "-c", "raise SystemExit(7)"]
    done = subprocess.run([*command[:4], "--", *failing], capture_output=True, check=False, timeout=100)
    assert done.returncode == 7


def test_what_dies_beside_a_command_is_started_again(binaries: Path) -> None:
    check = (
        "import os, signal, time, urllib.request as u\n"
        "os.kill(int(os.environ['EVERSTEP_DAPR_PIDS']), signal.SIGKILL)\n"
        "url = f'http://127.0.0.1:{os.environ[\"DAPR_HTTP_PORT\"]}/v1.0/metadata'\n"
        "until = time.monotonic() + 60\n"
        "while time.monotonic() < until:\n"
        "    try:\n"
        "        raise SystemExit(0 if u.urlopen(url, timeout=5).status == 200 else 1)\n"
        "    except OSError:\n"
        "        time.sleep(0.05)\n"
        "raise SystemExit('it did not come back')\n"
    )
    command = [sys.executable, str(PROGRAM), "--binaries", str(binaries), "--revive"]
    assert (
        subprocess.run([*command, "--", sys.executable, "-c", check], check=False, timeout=100).returncode
        == 0
    )
