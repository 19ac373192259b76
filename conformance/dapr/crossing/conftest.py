"""One cluster for the suite: a sidecar per official SDK, and one for our worker."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import everstep
import pytest
from peers import SDKS, PeerClient, PeerWorker, Sdk
from places import environment_of, grpc_of

from cluster import Cluster, Sidecar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def sidecars(binaries: Path, store: str) -> Iterator[dict[str, Sidecar]]:
    """The sidecars by their apps: ``ours`` and the SDKs' names."""
    with Cluster(binaries, store, app_ids=["ours", *map(str, SDKS)]) as cluster:
        yield {sidecar.app_id: sidecar for sidecar in cluster.sidecars}


@pytest.fixture(scope="session")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the programs of the SDKs say what they do."""
    return tmp_path_factory.mktemp("crossing") / "peers.log"


@pytest.fixture(scope="module", params=SDKS, ids=str)
def sdk(request: pytest.FixtureRequest) -> Sdk:
    """Each official SDK in turn."""
    return request.param  # type: ignore[no-any-return]


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


@pytest.fixture(scope="module")
def our_client(sdk: Sdk, sidecars: dict[str, Sidecar]) -> Iterator[everstep.Client]:
    """Our client at the SDK's sidecar, over gRPC."""
    with everstep.Client(grpc_of(sidecars[sdk.name])) as client:
        yield client


@pytest.fixture
def new_id() -> Callable[[str], str]:
    """Instance IDs that nobody has used."""
    return lambda name: f"{name}-{uuid.uuid4().hex[:12]}"
