"""Parts of Dapr die in the middle of work and come back; every instance ends as if nothing had happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import everstep
import pytest

from program import WAIT_SECONDS, Ledger, asks, at_once, expected, parent, pauses, steps, working

if TYPE_CHECKING:
    from collections.abc import Callable

    from cluster import Cluster

INSTANCES = 6
COUNT = 4


class Run:
    """Instances of every kind under way, and what must have come of them."""

    def __init__(self, client: everstep.Client, ledger: Ledger) -> None:
        self._client, self._ledger = client, ledger
        self._waiting: list[tuple[everstep.WorkflowHandle[object], object]] = []

    def start(self) -> None:
        for number in range(INSTANCES):
            for function in (steps, at_once, pauses, asks):
                handle = self._client.start_workflow(
                    function, COUNT, instance_id=f"{function.__name__}-{number}"
                )
                self._waiting.append((handle, expected(COUNT)))
        family = self._client.start_workflow(parent, 3, instance_id="family")
        self._waiting.append((family, [expected(2)] * 3))

    def answer(self) -> None:
        for number in range(INSTANCES):
            self._client.raise_workflow_event(instance_id=f"asks-{number}", event_name="answer", event_data=0)

    def check(self) -> None:
        """All ended with their results, and what they did was done once for each of their tasks."""
        for handle, result in self._waiting:
            assert handle.result(timeout=WAIT_SECONDS) == result, handle.instance_id
        done: dict[str, list[int]] = {}
        for effect in self._ledger.effects():
            done.setdefault(effect.instance_id, []).append(effect.step)
        children = [found for instance_id, found in done.items() if instance_id.startswith("family")]
        assert children == [[0, 1]] * 3
        assert [found for instance_id, found in done.items() if not instance_id.startswith("family")] == [
            list(range(COUNT))
        ] * (4 * INSTANCES)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("part", ["everstep-0", "redis", "placement", "scheduler"])
@pytest.mark.parametrize("kill", [True, False], ids=["killed", "stopped"])
def test_a_part_that_comes_back_loses_nothing(
    breakable: Callable[..., Cluster], tmp_path_factory: pytest.TempPathFactory, part: str, kill: bool
) -> None:
    cluster = breakable()
    ledger = Ledger(tmp_path_factory.mktemp("ledger") / "ledger.db")
    with working(f"grpc://127.0.0.1:{cluster.sidecars[0].grpc_port}", ledger) as client:
        run = Run(client, ledger)
        run.start()
        ledger.wait_for(3 * INSTANCES)
        cluster.processes[part].restart(kill=kill)
        run.answer()
        run.check()
    ledger.close()
