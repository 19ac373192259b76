"""One cluster for the suite: a sidecar per official SDK, and one for our worker."""

from __future__ import annotations

import os
import sys
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import everstep
from cluster import Cluster, Sidecar
from peers import SDKS, PeerClient, PeerWorker, Sdk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    binaries = os.environ.get("EVERSTEP_DAPR")
    if binaries is None:
        pytest.fail("EVERSTEP_DAPR is not set; run this by `make interop`")
    with Cluster(Path(binaries), "in-memory", app_ids=["ours", *map(str, SDKS)]) as running:
        yield running


@pytest.fixture(scope="session")
def sidecars(cluster: Cluster) -> dict[str, Sidecar]:
    """The sidecars by their apps: ``ours`` and the SDKs' names."""
    return {sidecar.app_id: sidecar for sidecar in cluster.sidecars}


@pytest.fixture(scope="session")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the programs of the SDKs say what they do."""
    return tmp_path_factory.mktemp("crossing") / "peers.log"


@pytest.fixture(scope="module", params=SDKS, ids=str)
def sdk(request: pytest.FixtureRequest) -> Sdk:
    """Each official SDK in turn."""
    return request.param  # type: ignore[no-any-return]


def environment_of(sidecar: Sidecar) -> dict[str, str]:
    """What Dapr tells an app."""
    return {"DAPR_GRPC_PORT": str(sidecar.grpc_port), "DAPR_HTTP_PORT": str(sidecar.http_port)}


@pytest.fixture(scope="module")
def their_worker(sdk: Sdk, sidecars: dict[str, Sidecar], log: Path) -> Iterator[PeerWorker]:
    """The SDK's worker at its sidecar."""
    with PeerWorker(sdk, environment_of(sidecars[sdk.name]), log) as worker:
        yield worker


@pytest.fixture(scope="module")
def their_client(sdk: Sdk, sidecars: dict[str, Sidecar], log: Path) -> Iterator[PeerClient]:
    """The SDK's client at our worker's sidecar."""
    with PeerClient(sdk, environment_of(sidecars["ours"]), log) as client:
        yield client


def grpc_of(sidecar: Sidecar) -> str:
    """Our endpoint of a sidecar."""
    return f"grpc://127.0.0.1:{sidecar.grpc_port}"


@pytest.fixture(scope="module")
def our_client(sdk: Sdk, sidecars: dict[str, Sidecar]) -> Iterator[everstep.Client]:
    """Our client at the SDK's sidecar, over gRPC."""
    with everstep.Client(grpc_of(sidecars[sdk.name])) as client:
        yield client


def reached(client: everstep.Client, id: str, status: everstep.RuntimeStatus) -> None:
    """Waits until an instance has a status that is not final: a request that was taken is not yet done."""
    until = time.monotonic() + 30
    while (found := client.get_workflow(id).runtime_status) is not status:
        assert time.monotonic() < until, f"{id} is {found}, not {status}"
        time.sleep(0.01)


@pytest.fixture
def new_id() -> Callable[[str], str]:
    """Instance IDs that nobody has used."""
    return lambda name: f"{name}-{uuid.uuid4().hex[:12]}"
