"""A real Dapr on free loopback ports: placement, scheduler, a state store and sidecars, as processes of this one.

    python conformance/dapr/cluster.py --store redis -- make test-something

runs a command beside a sidecar and tells it the ports as Dapr does (``DAPR_GRPC_PORT``, ``DAPR_HTTP_PORT``). Tests that
break things use :class:`Cluster` itself.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from typing_extensions import Self

STORES = ("in-memory", "redis")
READY_SECONDS = 60
STOP_SECONDS = 10
COMPONENT = """\
apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: store
spec:
  type: state.{store}
  version: v1
  metadata:
  - name: actorStateStore
    value: "true"
"""
REDIS = """\
  - name: redisHost
    value: "127.0.0.1:{port}"
"""


class ClusterError(RuntimeError):
    """A part of the cluster did not come up, or ended by itself."""


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now. They are asked for together, so that they differ."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


class Process:
    """One process of the cluster, which can be ended and started again on the same ports."""

    def __init__(self, name: str, command: list[str], logs: Path, ready: Callable[[], bool]) -> None:
        self.name = name
        self._command = command
        self._log = logs / f"{name}.log"
        self._ready = ready
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it and waits until it is ready."""
        with self._log.open("ab") as log:
            self._running = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        until = time.monotonic() + READY_SECONDS
        while not self._ready():
            if self._running.poll() is not None:
                raise ClusterError(f"{self.name} ended with {self._running.returncode}:\n{self.tail()}")
            if time.monotonic() > until:
                raise ClusterError(f"{self.name} was not ready after {READY_SECONDS} s:\n{self.tail()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Ends it as an operator does; kills it when it does not go."""
        if self._running is None:
            return
        self._running.terminate()
        try:
            self._running.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        self._running = None

    def kill(self) -> None:
        """Ends it without a word."""
        if self._running is not None:
            self._running.kill()
            self._running.wait()
            self._running = None

    def tail(self, lines: int = 20) -> str:
        """The last lines of its log."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-lines:])


class Cluster:
    """The processes, started in their order by ``with`` and ended in the opposite one."""

    def __init__(self, binaries: Path, store: str = "in-memory", app_id: str = "everstep") -> None:
        if store not in STORES:
            raise ValueError(f"store {store!r} is unknown; known are {', '.join(STORES)}")
        self.store = store
        self._app_id = app_id
        self._binaries = binaries
        self.directory = Path(tempfile.mkdtemp(prefix="everstep-dapr-"))
        self.processes: dict[str, Process] = {}
        self.http_port, self.grpc_port = 0, 0

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Ends what was started."""
        for process in reversed(self.processes.values()):
            process.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def environment(self) -> dict[str, str]:
        """What Dapr tells an application."""
        return {
            "APP_ID": self._app_id,
            "DAPR_HTTP_PORT": str(self.http_port),
            "DAPR_GRPC_PORT": str(self.grpc_port),
        }

    def _start(self) -> None:
        resources = self.directory / "resources"
        resources.mkdir()
        component = COMPONENT.format(store=self.store)
        if self.store == "redis":
            component += REDIS.format(port=self._start_redis())
        (resources / "store.yaml").write_text(component)
        placement, scheduler = self._start_placement(), self._start_scheduler()
        self._start_sidecar(resources, placement, scheduler)

    def _run(self, name: str, command: list[str], ready: Callable[[], bool]) -> None:
        self.processes[name] = Process(name, command, self.directory, ready)
        self.processes[name].start()

    def _start_redis(self) -> int:
        program = shutil.which("redis-server")
        if program is None:
            raise ClusterError("redis-server is missing; `make dapr` installs it")
        (port,) = free_ports(1)
        data = self.directory / "redis"
        data.mkdir()
        options = {"port": port, "bind": "127.0.0.1", "dir": data, "appendonly": "yes", "save": ""}
        command = [program, *(part for key, value in options.items() for part in (f"--{key}", str(value)))]
        self._run("redis", command, lambda: _answers(port))
        return port

    def _start_placement(self) -> int:
        port, health, metrics = free_ports(3)
        command = [
            str(self._binaries / "placement"),
            *("--listen-address", "127.0.0.1", "--port", str(port)),
            *("--healthz-listen-address", "127.0.0.1", "--healthz-port", str(health)),
            *("--metrics-listen-address", "127.0.0.1", "--metrics-port", str(metrics)),
        ]
        self._run("placement", command, lambda: _is_healthy(health, "/healthz"))
        return port

    def _start_scheduler(self) -> int:
        port, health, metrics, peer, client = free_ports(5)
        command = [
            str(self._binaries / "scheduler"),
            *("--listen-address", "127.0.0.1", "--port", str(port)),
            *("--healthz-listen-address", "127.0.0.1", "--healthz-port", str(health)),
            *("--metrics-listen-address", "127.0.0.1", "--metrics-port", str(metrics)),
            *("--etcd-data-dir", str(self.directory / "etcd"), "--etcd-client-port", str(client)),
            *("--id", "scheduler-0", "--etcd-initial-cluster", f"scheduler-0=http://127.0.0.1:{peer}"),
            *("--override-broadcast-host-port", f"127.0.0.1:{port}"),
        ]
        self._run("scheduler", command, lambda: _is_healthy(health, "/healthz"))
        return port

    def _start_sidecar(self, resources: Path, placement: int, scheduler: int) -> None:
        self.http_port, self.grpc_port, internal, metrics, profile = free_ports(5)
        command = [
            str(self._binaries / "daprd"),
            *("--app-id", self._app_id, "--resources-path", str(resources)),
            *("--placement-host-address", f"127.0.0.1:{placement}"),
            *("--scheduler-host-address", f"127.0.0.1:{scheduler}"),
            *("--dapr-listen-addresses", "127.0.0.1", "--dapr-http-port", str(self.http_port)),
            *("--dapr-grpc-port", str(self.grpc_port), "--profile-port", str(profile)),
            *("--dapr-internal-grpc-listen-address", "127.0.0.1", "--dapr-internal-grpc-port", str(internal)),
            *("--metrics-listen-address", "127.0.0.1", "--metrics-port", str(metrics)),
            *("--dapr-graceful-shutdown-seconds", "1", "--log-level", "info"),
        ]
        self._run("daprd", command, lambda: _is_healthy(self.http_port, "/v1.0/healthz"))


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _is_healthy(port: int, path: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=1) as answer:
            return bool(200 <= answer.status < 300)
    except (OSError, urllib.error.URLError):
        return False


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    def end(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def main() -> int:
    """Runs a command beside a sidecar; gives its exit code."""
    parser = argparse.ArgumentParser(description="Run a command beside a real Dapr sidecar.")
    parser.add_argument("--store", choices=STORES, default="in-memory")
    parser.add_argument(
        "--binaries", type=Path, default=os.environ.get("EVERSTEP_DAPR"), help="where `make dapr` put them"
    )
    parser.add_argument("command", nargs="+", metavar="-- command")
    options = parser.parse_args()
    if options.binaries is None:
        parser.error("--binaries is missing; run this through the Makefile")
    with _ended_by_signals(), Cluster(Path(options.binaries), options.store) as cluster:
        return subprocess.run(options.command, env=os.environ | cluster.environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
