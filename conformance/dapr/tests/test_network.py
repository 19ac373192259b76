"""The way between a program and its sidecar is cut, held and slow; effects stay single and results right."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import everstep
import pytest

from nurse import Nurse
from program import WAIT_SECONDS, Ledger, asks, expected, pauses, quietly, steps, working
from proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cluster import Cluster

CUTS = 6


@pytest.fixture
def proxy(shared: Cluster) -> Iterator[Proxy]:
    """A way to the sidecar that can be broken."""
    with Proxy(shared.sidecars[0].grpc_port) as proxy:
        yield proxy


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    book = Ledger(tmp_path / "ledger.db")
    yield book
    book.close()


@pytest.fixture
def direct(shared: Cluster) -> str:
    """The sidecar's endpoint, for calls that are not what a test breaks."""
    return f"grpc://127.0.0.1:{shared.sidecars[0].grpc_port}"


def endpoint(proxy: Proxy) -> str:
    return f"grpc://127.0.0.1:{proxy.port}"


def done(ledger: Ledger) -> list[tuple[str, int]]:
    return [(effect.instance_id, effect.step) for effect in ledger.effects()]


def once(handles: list[everstep.WorkflowHandle[list[int]]], count: int) -> list[tuple[str, int]]:
    """Each step of each instance, one time."""
    return [
        (each, number) for each in sorted(handle.instance_id for handle in handles) for number in range(count)
    ]


@pytest.mark.timeout(300)
def test_cut_in_mid_stream_again_and_again(
    shared: Cluster, proxy: Proxy, direct: str, ledger: Ledger
) -> None:
    cuts = 0
    begun = threading.Event()
    next_cut = 0

    def now_and_then(_: int) -> None:
        nonlocal cuts, next_cut
        if begun.is_set() and cuts < CUTS and len(ledger.effects()) >= next_cut:
            cuts, next_cut = cuts + 1, len(ledger.effects()) + 5
            proxy.cut_after(100)

    with Nurse(shared.sidecars[0]), working(endpoint(proxy), ledger, now_and_then, calls=direct) as client:
        handles = []
        for number in range(10):
            handles.append(client.start_workflow(pauses, 4, instance_id=f"cut-pauses-{number}"))
            handles.append(client.start_workflow(steps, 10, instance_id=f"cut-steps-{number}"))
        begun.set()
        for handle in handles:
            count = 4 if "pauses" in handle.instance_id else 10
            assert handle.result(timeout=WAIT_SECONDS) == expected(count)
    assert cuts == CUTS
    assert proxy.accepted > CUTS
    assert done(ledger) == [
        (each, number)
        for each in sorted(handle.instance_id for handle in handles)
        for number in range(4 if "pauses" in each else 10)
    ]


class Hold:
    """Lets no more answers pass once a number comes by: what is sent for it lands, and nobody hears so."""

    def __init__(self, proxy: Proxy, number: int) -> None:
        self._proxy, self._number = proxy, number
        self.before = 0
        self.happened = threading.Event()

    def __call__(self, number: int) -> None:
        if number == self._number and not self.happened.is_set():
            self._proxy.hold(down=True)
            self.before = self._proxy.up.bytes
            self.happened.set()

    def wait_until_sent(self) -> None:
        """Waits until something has gone up since."""
        assert self.happened.wait(WAIT_SECONDS)
        self._proxy.wait_until(lambda: self._proxy.up.bytes > self.before, WAIT_SECONDS)


@pytest.mark.parametrize("kind", ["activity", "turn"])
def test_an_answer_whose_receipt_is_lost(proxy: Proxy, direct: str, ledger: Ledger, kind: str) -> None:
    hold = Hold(proxy, 2)
    in_step, in_turn = (hold, quietly) if kind == "activity" else (quietly, hold)
    with working(endpoint(proxy), ledger, in_step, in_turn, direct) as client:
        handle = client.start_workflow(steps, 5, instance_id=f"lost-receipt-{kind}")
        hold.wait_until_sent()
        proxy.cut()
        proxy.release()
        assert handle.result(timeout=WAIT_SECONDS) == expected(5)
    assert done(ledger) == once([handle], 5)


@pytest.mark.timeout(200)
@pytest.mark.parametrize("kind", ["activity", "turn"])
def test_an_answer_whose_receipt_comes_too_late(proxy: Proxy, direct: str, ledger: Ledger, kind: str) -> None:
    """Nothing is cut: the worker gives the connection up by itself, and asks again on another one."""
    hold = Hold(proxy, 2)
    in_step, in_turn = (hold, quietly) if kind == "activity" else (quietly, hold)
    with working(endpoint(proxy), ledger, in_step, in_turn, direct) as client:
        handle = client.start_workflow(steps, 5, instance_id=f"late-receipt-{kind}")
        hold.wait_until_sent()
        accepted = proxy.accepted
        proxy.wait_until(lambda: proxy.accepted > accepted, 90)
        proxy.release()
        assert handle.result(timeout=WAIT_SECONDS) == expected(5)
    assert done(ledger) == once([handle], 5)


def test_answers_are_late_and_the_way_is_narrow(proxy: Proxy, direct: str, ledger: Ledger) -> None:
    with working(endpoint(proxy), ledger, calls=direct) as client:
        proxy.delay(0.2)
        proxy.throttle(50_000)
        handles = [client.start_workflow(steps, 3, instance_id=f"slow-{number}") for number in range(5)]
        for handle in handles:
            assert handle.result(timeout=WAIT_SECONDS) == expected(3)
        proxy.delay(0)
        proxy.throttle(0)
    assert done(ledger) == once(handles, 3)


@pytest.fixture(params=["grpc", "http"])
def calls(request: pytest.FixtureRequest, shared: Cluster) -> Iterator[tuple[Proxy, str]]:
    """A way for calls that can be broken, while the worker has one of its own; and its endpoint."""
    sidecar = shared.sidecars[0]
    with Proxy(sidecar.grpc_port if request.param == "grpc" else sidecar.http_port) as proxy:
        yield proxy, f"{request.param}://127.0.0.1:{proxy.port}"


@pytest.mark.main
def test_a_start_whose_answer_is_lost_is_looked_up(
    direct: str, calls: tuple[Proxy, str], ledger: Ledger
) -> None:
    proxy, address = calls
    with working(direct, ledger), everstep.Client(address) as client, ThreadPoolExecutor(1) as pool:
        with pytest.raises(everstep.NotFoundError):
            client.get_workflow(instance_id="connect")
        proxy.hold(down=True)
        name = f"lost-start-{address[:4]}"
        start = pool.submit(lambda: client.start_workflow(steps, 3, instance_id=name))
        ledger.wait_for(1)
        proxy.release()
        proxy.cut()
        handle = start.result(WAIT_SECONDS)
        assert handle.instance_id == name
        assert handle.result(timeout=WAIT_SECONDS) == expected(3)
    assert done(ledger) == once([handle], 3)


@pytest.mark.main
def test_a_start_whose_answer_comes_too_late_says_that_it_may_have_happened(
    direct: str, calls: tuple[Proxy, str], ledger: Ledger
) -> None:
    proxy, address = calls
    name = f"late-start-{address[:4]}"
    with working(direct, ledger), everstep.Client(address, call_timeout=2) as client:
        with pytest.raises(everstep.NotFoundError):
            client.get_workflow(instance_id="connect")
        proxy.hold(down=True)
        with pytest.raises(everstep.EverstepError) as caught:
            client.start_workflow(steps, 3, instance_id=name)
        assert (type(caught.value), caught.value.code) == (everstep.OperationTimeoutError, "timeout")
        proxy.release()
        handle = client.get_handle(name, steps)
        assert handle.result(timeout=WAIT_SECONDS) == expected(3)
    assert done(ledger) == once([handle], 3)


def test_a_sidecar_that_says_nothing_is_a_timeout(calls: tuple[Proxy, str]) -> None:
    proxy, address = calls
    proxy.hold(up=True, down=True)
    with everstep.Client(address, call_timeout=1) as client, pytest.raises(everstep.EverstepError) as caught:
        client.get_workflow(instance_id="none")
    assert (type(caught.value), caught.value.code) == (everstep.OperationTimeoutError, "timeout")


def test_a_sidecar_that_is_not_there_is_unavailable(calls: tuple[Proxy, str]) -> None:
    proxy, address = calls
    proxy.refuse()
    with everstep.Client(address, call_timeout=2) as client, pytest.raises(everstep.EverstepError) as caught:
        client.get_workflow(instance_id="none")
    assert (type(caught.value), caught.value.code) == (everstep.UnavailableError, "unavailable")


@pytest.mark.main
def test_a_wait_outlives_cuts(direct: str, calls: tuple[Proxy, str], ledger: Ledger) -> None:
    proxy, address = calls
    with (
        working(direct, ledger) as control,
        everstep.Client(address) as client,
        ThreadPoolExecutor(1) as pool,
    ):
        started = control.start_workflow(asks, 3, instance_id=f"waited-for-{address[:4]}")
        waiting = pool.submit(client.get_handle(started.instance_id, asks).result, timeout=WAIT_SECONDS)
        for cut in range(1, 4):
            proxy.wait_until(lambda cut=cut: proxy.connections > 0 and proxy.accepted >= cut)  # type: ignore[misc]
            proxy.cut()
        control.raise_workflow_event(instance_id=started.instance_id, event_name="answer", event_data=0)
        assert waiting.result(WAIT_SECONDS) == expected(3)
