"""A real Dapr on free loopback ports: placement, scheduler, a state store and sidecars, as processes of this one.

    python conformance/dapr/cluster.py --store redis -- make test-something

runs a command beside a sidecar and tells it the ports as Dapr does (``DAPR_GRPC_PORT``, ``DAPR_HTTP_PORT``). With
``--sidecars 4`` there are four apps on one placement, scheduler and store, and ``EVERSTEP_DAPR_GRPC_PORTS`` and
``EVERSTEP_DAPR_HTTP_PORTS`` list their ports, separated by commas, ``EVERSTEP_DAPR_PIDS`` the sidecars' processes. Tests that break things use :class:`Cluster` itself:
each process can be killed and started again on the ports that it had.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from typing_extensions import Self

STORES = ("in-memory", "redis")
READY_SECONDS = 60
STOP_SECONDS = 10
WATCH_SECONDS = 0.1
# Below those that the kernel gives to outgoing connections: a process that is started again finds its port free.
PORTS = range(16_000, 32_000)
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
    ports: list[int] = []
    for port in random.sample(PORTS, len(PORTS)):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            ports.append(port)
        if len(ports) == count:
            break
    return ports


class Process:
    """One process of the cluster, which can be ended and started again on the same ports."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        logs: Path,
        ready: Callable[[], bool],
        environment: dict[str, str] | None = None,
    ) -> None:
        self.name = name
        self._command = [*command]
        self._log = logs / f"{name}.log"
        self._ready = ready
        # A token or a port that this process got from a sidecar of its own is not for this one.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("DAPR_")}
        self._environment = inherited | (environment or {})
        self._running: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process that runs, if one does."""
        return None if self._running is None else self._running.pid

    def start(self) -> None:
        """Starts it and waits until it is ready."""
        self.launch()
        self.wait_until_ready()

    def launch(self) -> None:
        """Starts it and does not wait."""
        if self._running is not None:
            raise ClusterError(f"{self.name} runs already")
        with self._log.open("ab") as log:
            self._running = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=self._environment,
            )

    def wait_until_ready(self) -> None:
        """Waits until it answers; an error shows the end of its log."""
        until = time.monotonic() + READY_SECONDS
        while not self._ready():
            if self._running is None or self._running.poll() is not None:
                code = None if self._running is None else self._running.returncode
                raise ClusterError(f"{self.name} ended with {code}:\n{self.tail()}")
            if time.monotonic() > until:
                raise ClusterError(f"{self.name} was not ready after {READY_SECONDS} s:\n{self.tail()}")
            time.sleep(0.05)

    @property
    def has_ended(self) -> bool:
        """Whether it ended without being asked to."""
        return self._running is not None and self._running.poll() is not None

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

    def restart(self, *, kill: bool = False) -> None:
        """Ends it and starts it again with what it had: ports, data, options."""
        if kill:
            self.kill()
        else:
            self.stop()
        self.start()

    def tail(self, lines: int = 20) -> str:
        """The last lines of its log."""
        return "\n".join(self.log().splitlines()[-lines:])

    def log(self) -> str:
        """What it has said in all its lives."""
        return self._log.read_text(errors="replace")


@dataclass(frozen=True)
class Sidecar:
    """One app's sidecar: where it listens, and its process."""

    app_id: str
    http_port: int
    grpc_port: int
    process: Process


class Cluster:
    """The processes, started in their order by ``with`` and ended in the opposite one.

    ``processes`` names them: ``redis``, ``placement``, ``scheduler``, and each sidecar by its app ID. Redis appends every
    command to its file and has after a restart what it had before. All sidecars share it; in-memory stores are one for each
    sidecar and end with it. With an ``api_token`` every sidecar asks for it. ``max_body_size`` limits requests to a
    sidecar over HTTP and gRPC, as a quantity in Dapr's manner (its default is ``"4Mi"``).
    """

    def __init__(
        self,
        binaries: Path,
        store: str = "in-memory",
        *,
        app_ids: Sequence[str] = ("everstep-0",),
        api_token: str | None = None,
        max_body_size: str | None = None,
    ) -> None:
        if store not in STORES:
            raise ValueError(f"store {store!r} is unknown; known are {', '.join(STORES)}")
        if not app_ids:
            raise ValueError("app_ids is empty; a cluster has at least one sidecar")
        if len(set(app_ids)) < len(app_ids):
            raise ValueError("app_ids has one twice; each sidecar here is an app of its own")
        self.store = store
        self.directory = Path(tempfile.mkdtemp(prefix="everstep-dapr-"))
        self.processes: dict[str, Process] = {}
        self.sidecars: list[Sidecar] = []
        self.redis_port = 0
        self._binaries = binaries
        self._app_ids = app_ids
        self._api_token = api_token
        self._max_body_size = max_body_size

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
        """What Dapr tells an application; the first one, if there are several, and where the others are."""
        first = self.sidecars[0]
        environment = {
            "APP_ID": first.app_id,
            "DAPR_HTTP_PORT": str(first.http_port),
            "DAPR_GRPC_PORT": str(first.grpc_port),
            "EVERSTEP_DAPR_HTTP_PORTS": ",".join(str(each.http_port) for each in self.sidecars),
            "EVERSTEP_DAPR_GRPC_PORTS": ",".join(str(each.grpc_port) for each in self.sidecars),
            "EVERSTEP_DAPR_PIDS": ",".join(str(each.process.pid) for each in self.sidecars),
        }
        return environment if self._api_token is None else environment | {"DAPR_API_TOKEN": self._api_token}

    @contextlib.contextmanager
    def revived(self) -> Iterator[None]:
        """Starts again what dies while the block runs, as Kubernetes does."""
        done = threading.Event()

        def watch() -> None:
            while not done.wait(WATCH_SECONDS):
                for process in self.processes.values():
                    if process.has_ended:
                        process.restart(kill=True)

        watching = threading.Thread(target=watch, name="revive", daemon=True)
        watching.start()
        try:
            yield
        finally:
            done.set()
            watching.join()

    def _start(self) -> None:
        resources = self.directory / "resources"
        resources.mkdir()
        component = COMPONENT.format(store=self.store)
        if self.store == "redis":
            self._launch_redis()
            component += REDIS.format(port=self.redis_port)
        (resources / "store.yaml").write_text(component)
        placement, scheduler = self._launch_placement(), self._launch_scheduler()
        self._wait_until_ready()
        for app_id in self._app_ids:
            self.sidecars.append(self._launch_sidecar(app_id, resources, placement, scheduler))
        self._wait_until_ready()

    def _launch(
        self,
        name: str,
        command: list[str],
        ready: Callable[[], bool],
        environment: dict[str, str] | None = None,
    ) -> Process:
        process = self.processes[name] = Process(name, command, self.directory, ready, environment)
        process.launch()
        return process

    def _wait_until_ready(self) -> None:
        for process in self.processes.values():
            process.wait_until_ready()

    def _launch_redis(self) -> None:
        program = shutil.which("redis-server")
        if program is None:
            raise ClusterError("redis-server is missing; `make dapr` installs it")
        (port,) = free_ports(1)
        self.redis_port = port
        data = self.directory / "redis-data"
        data.mkdir()
        options = {"port": port, "bind": "127.0.0.1", "dir": data, "appendonly": "yes", "save": ""}
        command = [program, *(part for key, value in options.items() for part in (f"--{key}", str(value)))]
        self._launch("redis", command, lambda: _answers_ping(port))

    def _launch_placement(self) -> int:
        port, health, metrics, raft = free_ports(4)
        command = [
            str(self._binaries / "placement"),
            *("--listen-address", "127.0.0.1", "--port", str(port)),
            *("--healthz-listen-address", "127.0.0.1", "--healthz-port", str(health)),
            *("--metrics-listen-address", "127.0.0.1", "--metrics-port", str(metrics)),
            *("--id", "placement-0", "--initial-cluster", f"placement-0=127.0.0.1:{raft}"),
        ]
        self._launch("placement", command, lambda: _is_healthy(health, "/healthz"))
        return port

    def _launch_scheduler(self) -> int:
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
        self._launch("scheduler", command, lambda: _is_healthy(health, "/healthz"))
        return port

    def _launch_sidecar(self, app_id: str, resources: Path, placement: int, scheduler: int) -> Sidecar:
        http, grpc, internal, metrics, profile = free_ports(5)
        command = [
            str(self._binaries / "daprd"),
            *("--app-id", app_id, "--resources-path", str(resources)),
            *("--placement-host-address", f"127.0.0.1:{placement}"),
            *("--scheduler-host-address", f"127.0.0.1:{scheduler}"),
            *("--dapr-listen-addresses", "127.0.0.1", "--dapr-http-port", str(http)),
            *("--dapr-grpc-port", str(grpc), "--profile-port", str(profile)),
            *("--dapr-internal-grpc-listen-address", "127.0.0.1", "--dapr-internal-grpc-port", str(internal)),
            *("--metrics-listen-address", "127.0.0.1", "--metrics-port", str(metrics)),
            *("--dapr-graceful-shutdown-seconds", "1", "--log-level", "info"),
            *(() if self._max_body_size is None else ("--max-body-size", self._max_body_size)),
        ]
        environment = {} if self._api_token is None else {"DAPR_API_TOKEN": self._api_token}
        process = self._launch(app_id, command, lambda: _is_healthy(http, "/v1.0/healthz"), environment)
        return Sidecar(app_id, http, grpc, process)


def _answers_ping(port: int) -> bool:
    """Whether Redis has loaded its data: before, it takes connections and refuses commands."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as probe:
            probe.sendall(b"PING\r\n")
            return probe.recv(7) == b"+PONG\r\n"
    except OSError:
        return False


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
    """Runs a command beside sidecars; gives its exit code."""
    parser = argparse.ArgumentParser(description="Run a command beside real Dapr sidecars.")
    parser.add_argument("--store", choices=STORES, default="in-memory")
    parser.add_argument(
        "--binaries", type=Path, default=os.environ.get("EVERSTEP_DAPR"), help="where `make dapr` put them"
    )
    parser.add_argument(
        "--sidecars", type=int, default=1, metavar="N", help="how many apps, each with a sidecar of its own"
    )
    parser.add_argument("--api-token", help="what every sidecar asks for; the command gets DAPR_API_TOKEN")
    parser.add_argument("--max-body-size", help="the sidecars' limit for requests, as in 4Mi")
    parser.add_argument("--revive", action="store_true", help="start what dies again, as Kubernetes does")
    parser.add_argument("command", nargs="+", metavar="-- command")
    options = parser.parse_args()
    if options.binaries is None:
        parser.error("--binaries is missing; run this through the Makefile")
    if options.sidecars < 1:
        parser.error("--sidecars must be at least 1")
    cluster = Cluster(
        Path(options.binaries),
        options.store,
        app_ids=[f"everstep-{number}" for number in range(options.sidecars)],
        api_token=options.api_token,
        max_body_size=options.max_body_size,
    )
    with _ended_by_signals(), cluster, cluster.revived() if options.revive else contextlib.nullcontext():
        return subprocess.run(options.command, env=os.environ | cluster.environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
