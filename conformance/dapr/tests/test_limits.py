"""Messages beyond what a sidecar takes, 4 MiB unless it is told otherwise: typed errors, and nothing that hangs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import everstep
import pytest

from cluster import Cluster
from program import WAIT_SECONDS, Ledger, measures, returns, spells, working

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MIB = 1 << 20
LARGE = 5 * MIB
ENOUGH = 64 * MIB


@pytest.fixture
def client(shared: Cluster, tmp_path: Path) -> Iterator[everstep.Client]:
    """A client beside a worker; what a program passes on may have 64 MiB, so that only the sidecar limits it."""
    ledger = Ledger(tmp_path / "ledger.db")
    endpoint = f"grpc://127.0.0.1:{shared.sidecars[0].grpc_port}"
    with working(endpoint, ledger, max_payload_bytes=ENOUGH) as client:
        yield client
    ledger.close()


@pytest.fixture(params=["grpc", "http"])
def caller(request: pytest.FixtureRequest, shared: Cluster) -> Iterator[everstep.Client]:
    """A client of each protocol, beside that worker."""
    request.getfixturevalue("client")
    sidecar = shared.sidecars[0]
    port = sidecar.grpc_port if request.param == "grpc" else sidecar.http_port
    with everstep.Client(f"{request.param}://127.0.0.1:{port}", max_payload_bytes=ENOUGH) as caller:
        yield caller


def name(what: str, caller: everstep.Client) -> str:
    return f"{what}-{caller.endpoint.partition(':')[0]}"


@pytest.mark.main
def test_an_input_that_fits_arrives_whole(caller: everstep.Client) -> None:
    handle = caller.start_workflow(measures, "x" * (3 * MIB), instance_id=name("input", caller))
    assert handle.result(timeout=WAIT_SECONDS) == 3 * MIB


@pytest.mark.main
def test_an_input_beyond_the_limit_is_refused(caller: everstep.Client) -> None:
    with pytest.raises(everstep.EverstepError) as caught:
        caller.start_workflow(measures, "x" * LARGE, instance_id=name("large-input", caller))
    assert (type(caught.value), caught.value.code) == (everstep.PayloadTooLargeError, "payload_too_large")
    with pytest.raises(everstep.NotFoundError):
        caller.get_workflow(instance_id=name("large-input", caller))


def test_an_event_beyond_the_limit_is_refused_and_a_smaller_one_arrives(caller: everstep.Client) -> None:
    handle = caller.start_workflow(measures, "", instance_id=name("event", caller))
    with pytest.raises(everstep.EverstepError) as caught:
        handle.raise_event("text", "x" * LARGE)
    assert (type(caught.value), caught.value.code) == (everstep.PayloadTooLargeError, "payload_too_large")
    handle.raise_event("text", "x" * MIB)
    assert handle.result(timeout=WAIT_SECONDS) == MIB


@pytest.mark.main
def test_an_activity_whose_result_is_too_large_fails_and_the_workflow_goes_on(
    client: everstep.Client,
) -> None:
    handle = client.start_workflow(spells, [10, LARGE, 20], instance_id="large-result")
    assert handle.result(timeout=WAIT_SECONDS) == ["10", "payload_too_large", "20"]


@pytest.mark.main
def test_a_workflow_whose_output_is_too_large_fails(client: everstep.Client) -> None:
    handle = client.start_workflow(returns, LARGE, instance_id="large-output")
    with pytest.raises(everstep.WorkflowFailedError) as caught:
        handle.result(timeout=WAIT_SECONDS)
    assert caught.value.error_type == "payload_too_large"


def test_a_history_beyond_the_limit_is_told_of(client: everstep.Client) -> None:
    """Dapr stalls an instance whose history no longer fits into a message; it says so, and waits say so too."""
    handle = client.start_workflow(spells, [MIB] * 8, instance_id="large-history")
    with pytest.raises(everstep.EverstepError) as caught:
        handle.result(timeout=WAIT_SECONDS)
    assert (type(caught.value), caught.value.code) == (everstep.WorkflowStalledError, "workflow_stalled")


def test_a_sidecar_with_another_limit_takes_more(binaries: Path, tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    with Cluster(binaries, "redis", max_body_size="32Mi") as cluster:
        endpoint = f"grpc://127.0.0.1:{cluster.sidecars[0].grpc_port}"
        with working(endpoint, ledger, max_payload_bytes=ENOUGH) as client:
            handle = client.start_workflow(measures, "x" * LARGE, instance_id="input")
            assert handle.result(timeout=WAIT_SECONDS) == LARGE
            handles = client.start_workflow(spells, [MIB] * 8, instance_id="history")
            assert handles.result(timeout=WAIT_SECONDS) == [str(MIB)] * 8
    ledger.close()
