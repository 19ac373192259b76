"""Restarts a sidecar that takes no worker any more, as an operator would.

A sidecar of Dapr 1.18.1 that loses its last worker stream while turns are on their way to it holds a lock until these turns are
answered, and no stream can be opened without that lock: it stays without a worker until it is restarted, whatever the worker
does and whatever SDK it is of. Its metadata tell: a stream is open, and it counts no worker.
"""

from __future__ import annotations

import json
import threading
import urllib.request
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self

    from cluster import Sidecar

LOOK_SECONDS = 0.25
PATIENCE = 12
"""How often in a row there is no worker until that is no matter of chance."""


def connected_workers(sidecar: Sidecar) -> int:
    """How many worker streams a sidecar says that it has."""
    address = f"http://127.0.0.1:{sidecar.http_port}/v1.0/metadata"
    with urllib.request.urlopen(address, timeout=10) as answer:
        return int(json.load(answer).get("workflows", {}).get("connectedWorkers", 0))


class Nurse:
    """Watches a sidecar from a thread, while the block runs."""

    def __init__(self, sidecar: Sidecar) -> None:
        self.restarts = 0
        self._sidecar = sidecar
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="nurse", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join(60)

    def _watch(self) -> None:
        alone = 0
        while not self._done.wait(LOOK_SECONDS):
            alone = 0 if connected_workers(self._sidecar) else alone + 1
            if alone >= PATIENCE:
                self.restarts, alone = self.restarts + 1, 0
                self._sidecar.process.restart(kill=True)
