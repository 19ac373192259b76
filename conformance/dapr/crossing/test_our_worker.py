"""Instances that the official SDKs' clients start and control run on our worker, and they read what it leaves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import everstep
import pytest
from everstep import RuntimeStatus
from peers import PeerError
from places import SECONDS, eventually, grpc_of
from programs import ACTIVITIES, WORKFLOWS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from peers import PeerClient, Sdk

    from cluster import Sidecar

    NewId = Callable[[str], str]

pytestmark = pytest.mark.usefixtures("our_worker")


@pytest.fixture(scope="module")
def client(sidecars: dict[str, Sidecar]) -> Iterator[everstep.Client]:
    """Our client at our worker's sidecar, to see what became of it."""
    with everstep.Client(grpc_of(sidecars["ours"])) as client:
        yield client


@pytest.fixture(scope="module")
def our_worker(client: everstep.Client) -> Iterator[everstep.Worker]:
    """Our worker with the programs of the suite."""
    with everstep.Worker(client, WORKFLOWS, ACTIVITIES) as worker:
        yield worker


def ended(their_client: PeerClient, instance: str) -> dict[str, Any]:
    """What their client says of an instance that has come to its end; payloads decoded as they do it."""
    state: dict[str, Any] = their_client.ask("wait", instance, timeout=SECONDS)
    return {**state, **{key: json.loads(state[key]) if state[key] else None for key in ("input", "output")}}


@pytest.mark.parametrize(
    ("name", "given", "output"),
    [
        ("chain", {"input": 1}, 4),
        ("fan_out", {"input": [1, 2, 3]}, 9),
        ("timer", {"input": 0.05}, "fired"),
        ("family", {"input": 1}, 4),
        ("caught", {"input": "boom"}, "caught"),
        ("address", {}, {"city": "Ghent", "zip": 9000}),
        ("nothing", {}, None),
        ("nothing", {"input": None}, None),
    ],
)
def test_outputs(
    their_client: PeerClient, new_id: NewId, name: str, given: dict[str, Any], output: Any
) -> None:
    instance = new_id(name)
    their_client.ask("start", instance, workflow=name, **given)
    state = ended(their_client, instance)
    assert (state["name"], state["status"], state["output"]) == (name, "COMPLETED", output)
    assert state["input"] == given.get("input")
    assert state["failure"] is None


def test_a_record_is_read_by_its_annotation(their_client: PeerClient, new_id: NewId) -> None:
    instance = new_id("city-of")
    their_client.ask("start", instance, workflow="city_of", record={"city": "Ghent", "zip": 9000})
    assert ended(their_client, instance)["output"] == "Ghent"


@pytest.mark.parametrize("name", ["Approval", "APPROVAL", "approval"])
def test_an_event_and_the_custom_status(sdk: Sdk, their_client: PeerClient, new_id: NewId, name: str) -> None:
    instance = new_id("approval")
    their_client.ask("start", instance, workflow="approval")
    eventually(lambda: their_client.ask("state", instance)["status"] == "RUNNING", "it runs")
    their_client.ask("raise_event", instance, event=name, data={"by": "eve", "notes": ["é", ""]})
    state = ended(their_client, instance)
    assert state["output"] == {"by": "eve", "notes": ["é", ""]}
    if sdk.has_custom_status:
        assert json.loads(state["custom_status"]) == "waiting"


def test_an_event_without_data(their_client: PeerClient, new_id: NewId) -> None:
    instance = new_id("approval")
    their_client.ask("start", instance, workflow="approval")
    their_client.ask("raise_event", instance, event="Approval")
    assert ended(their_client, instance)["output"] is None


def test_events_are_carried_to_the_last_generation(their_client: PeerClient, new_id: NewId) -> None:
    instance = new_id("generations")
    their_client.ask("start", instance, workflow="generations", input=3)
    their_client.ask("raise_event", instance, event="go", data=[1, 2])
    state = ended(their_client, instance)
    assert (state["input"], state["output"]) == (0, [1, 2])


def test_a_failure_with_its_chain(their_client: PeerClient, client: everstep.Client, new_id: NewId) -> None:
    instance = new_id("failing")
    their_client.ask("start", instance, workflow="failing", input="boom")
    state = ended(their_client, instance)
    assert state["status"] == "FAILED"
    kind, message = state["failure"]
    assert kind == "ValueError"
    assert "boom" in message
    failure = client.get_workflow(instance).failure
    assert failure is not None
    assert [each.error_type for each in failure.chain()] == ["ValueError", "KeyError"]


def test_a_failing_child(their_client: PeerClient, new_id: NewId) -> None:
    instance = new_id("bad-family")
    their_client.ask("start", instance, workflow="bad_family", input="boom")
    state = ended(their_client, instance)
    assert state["status"] == "FAILED"
    kind, message = state["failure"]
    assert kind == "ValueError"
    assert "boom" in message


def test_pause_and_resume(their_client: PeerClient, new_id: NewId) -> None:
    instance = new_id("approval")
    their_client.ask("start", instance, workflow="approval")
    eventually(lambda: their_client.ask("state", instance)["status"] == "RUNNING", "it runs")
    their_client.ask("pause", instance)
    eventually(lambda: their_client.ask("state", instance)["status"] == "SUSPENDED", "it is paused")
    their_client.ask("raise_event", instance, event="Approval", data="kept")
    their_client.ask("resume", instance)
    state = ended(their_client, instance)
    assert (state["status"], state["output"]) == ("COMPLETED", "kept")


def test_terminate_and_purge(their_client: PeerClient, client: everstep.Client, new_id: NewId) -> None:
    instance = new_id("approval")
    their_client.ask("start", instance, workflow="approval")
    their_client.ask("terminate", instance, output="enough")
    state = ended(their_client, instance)
    assert (state["status"], state["output"]) == ("TERMINATED", "enough")
    their_client.ask("purge", instance)
    with pytest.raises(everstep.NotFoundError):
        client.get_workflow(instance)


def test_an_id_in_use(their_client: PeerClient, new_id: NewId) -> None:
    instance = new_id("approval")
    their_client.ask("start", instance, workflow="approval")
    eventually(lambda: their_client.ask("state", instance)["status"] == "RUNNING", "it runs")
    with pytest.raises(PeerError, match="already exists"):
        their_client.ask("start", instance, workflow="approval")
    their_client.ask("raise_event", instance, event="Approval", data=1)
    assert ended(their_client, instance)["output"] == 1


def test_what_dotnet_sends_for_nothing(
    sdk: Sdk, their_client: PeerClient, client: everstep.Client, new_id: NewId
) -> None:
    if not sdk.name.startswith("python"):
        pytest.skip("the messages are made by hand with Python's SDK")
    instance = new_id("nothing")
    their_client.ask("start_empty", instance, workflow="nothing")
    assert client.get_handle(instance).result(timeout=SECONDS) is None
    state = client.get_workflow(instance)
    assert (state.runtime_status, state.input) == (RuntimeStatus.COMPLETED, None)
    instance = new_id("approval")
    their_client.ask("start_empty", instance, workflow="approval")
    their_client.ask("raise_empty", instance, event="Approval")
    assert client.get_handle(instance).result(timeout=SECONDS) is None
