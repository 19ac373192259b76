"""What tests beside a real Dapr share. `make test-dapr` runs them; it says where the binaries are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cluster import STORES, Cluster

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--store", choices=STORES, default="redis", help="what the sidecars keep their state in")


@pytest.fixture(scope="session")
def binaries() -> Path:
    """Where placement, scheduler and daprd are."""
    directory = os.environ.get("EVERSTEP_DAPR")
    if directory is None:
        pytest.fail(
            "EVERSTEP_DAPR does not say where Dapr's binaries are; run this by `make test-dapr`",
            pytrace=False,
        )
    return Path(directory)


@pytest.fixture(scope="session")
def store(request: pytest.FixtureRequest) -> str:
    """The state store of this run."""
    return str(request.config.getoption("--store"))


@pytest.fixture(scope="module")
def shared(binaries: Path, store: str) -> Iterator[Cluster]:
    """A cluster for all tests of a module: none of them may leave it broken."""
    with Cluster(binaries, store) as cluster:
        yield cluster


@pytest.fixture
def breakable(binaries: Path) -> Iterator[Callable[..., Cluster]]:
    """Makes clusters of the test's own, on Redis, which outlives a sidecar."""
    made: list[Cluster] = []

    def make(**options: object) -> Cluster:
        cluster = Cluster(binaries, **{"store": "redis", **options})  # type: ignore[arg-type]
        made.append(cluster)
        return cluster.__enter__()

    yield make
    for cluster in made:
        cluster.stop()
