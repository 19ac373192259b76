"""The official SDKs' programs as processes: a worker, or a client that is told what to do line by line."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self

HERE = Path(__file__).parent
INSTALLED = Path(os.environ.get("EVERSTEP_CROSSING", HERE.parents[2] / ".cache" / "crossing"))
SECONDS = 60
"""How long a program may take to answer."""


@dataclass(frozen=True)
class Sdk:
    """One official SDK: how its program is run, and where it differs from the others."""

    name: str
    command: tuple[str, ...]
    error_type: str
    """What a failing activity's error is called on the wire."""
    folds_waits: bool = True
    """Whether an event in other letters ends a wait that has begun."""
    hides_ids: bool = False
    """Whether a wait for an event takes an ID of which the history knows nothing."""
    has_custom_status: bool = True
    """Whether its client shows the custom status."""

    def __str__(self) -> str:
        return self.name


def _python(version: str) -> tuple[str, ...]:
    return (str(INSTALLED / f"python-{version}" / "bin" / "python"), str(HERE / "python" / "program.py"))


SDKS = (
    Sdk("python-1-18", _python("1.18"), "ValueError"),
    Sdk("python-1-19", _python("1.19"), "ValueError"),
    Sdk("javascript", ("node", str(INSTALLED / "javascript" / "program.js")), "TypeError"),
    Sdk(
        "java",
        (
            "java",
            *("-Xshare:auto", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"),
            *("-cp", f"{INSTALLED / 'java' / 'classes'}:{INSTALLED / 'java' / 'lib'}/*", "Program"),
        ),
        "java.lang.IllegalStateException",
        folds_waits=False,
        hides_ids=True,
        has_custom_status=False,
    ),
)


class PeerError(Exception):
    """The other SDK raised, with its type and text."""


class Peer:
    """A running program of an SDK. Its errors go to ``log``."""

    def __init__(self, sdk: Sdk, mode: str, environment: Mapping[str, str], log: Path) -> None:
        self.sdk = sdk
        self._log = log.open("ab")
        self._process = subprocess.Popen(
            [*sdk.command, mode],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env={**os.environ, **environment},
        )
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Ends it by the end of its input; kills it when it does not go."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        self._reader.join(SECONDS)
        self._process.stdout.close()
        self._log.close()

    def kill(self) -> None:
        """Ends it without a word, as a crash does."""
        self._process.kill()
        self._process.wait(SECONDS)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def line(self) -> str:
        """The next line that it prints."""
        line = self._lines.get(timeout=SECONDS)
        if line is None:
            raise PeerError(f"{self.sdk} ended with {self._process.wait(SECONDS)}; see {self._log.name}")
        return line.strip()


class PeerWorker(Peer):
    """The SDK's worker with the programs of the suite."""

    def __init__(self, sdk: Sdk, environment: Mapping[str, str], log: Path) -> None:
        super().__init__(sdk, "worker", environment, log)
        while self.line() != "ready":
            pass


class PeerClient(Peer):
    """The SDK's client."""

    def __init__(self, sdk: Sdk, environment: Mapping[str, str], log: Path) -> None:
        super().__init__(sdk, "client", environment, log)

    def ask(self, do: str, instance: str, **more: Any) -> Any:
        """Has it do one thing and gives the answer. Raises ``PeerError`` with what it raised."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, "id": instance, **more}) + "\n")
        self._process.stdin.flush()
        while not (line := self.line()).startswith("{"):
            pass
        answer = json.loads(line)
        if "error" in answer:
            raise PeerError(answer["error"])
        return answer["answer"]
