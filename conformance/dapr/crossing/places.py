"""Where a sidecar is, and waiting for what happens there."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import everstep

    from cluster import Sidecar

SECONDS = 30
"""How long the suite waits for anything."""


def environment_of(sidecar: Sidecar) -> dict[str, str]:
    """What Dapr tells an app."""
    return {"DAPR_GRPC_PORT": str(sidecar.grpc_port), "DAPR_HTTP_PORT": str(sidecar.http_port)}


def grpc_of(sidecar: Sidecar) -> str:
    """Our endpoint of a sidecar over gRPC."""
    return f"grpc://127.0.0.1:{sidecar.grpc_port}"


def http_of(sidecar: Sidecar) -> str:
    """Our endpoint of a sidecar over HTTP."""
    return f"http://127.0.0.1:{sidecar.http_port}"


def eventually(condition: Callable[[], bool], what: str) -> None:
    """Waits until a condition holds."""
    until = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < until, f"{what}: not within {SECONDS} s"
        time.sleep(0.01)


def reached(client: everstep.Client, instance: str, status: everstep.RuntimeStatus) -> None:
    """Waits for a status that is not final: a request that was taken is not done yet."""
    eventually(lambda: client.get_workflow(instance).runtime_status is status, f"{instance} becomes {status}")
