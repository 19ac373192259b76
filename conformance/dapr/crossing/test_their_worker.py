"""Instances that our client starts run on the official SDKs' workers, and what they leave is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import everstep
import pytest
from everstep import RuntimeStatus
from places import SECONDS, grpc_of, http_of, reached

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from peers import Sdk

    from cluster import Sidecar

    NewId = Callable[[str], str]

pytestmark = pytest.mark.usefixtures("their_worker")


@dataclass
class Address:
    city: str
    zip: int


@pytest.fixture(scope="module", params=["grpc", "http"])
def client(
    request: pytest.FixtureRequest, sdk: Sdk, sidecars: dict[str, Sidecar]
) -> Iterator[everstep.Client]:
    """Our client at the SDK's sidecar, over either protocol."""
    endpoint = {"grpc": grpc_of, "http": http_of}[request.param](sidecars[sdk.name])
    with everstep.Client(endpoint) as client:
        yield client


@pytest.mark.parametrize(
    ("name", "given", "output"),
    [
        ("chain", (1,), 4),
        ("fan_out", ([1, 2, 3],), 9),
        ("timer", (0.05,), "fired"),
        ("family", (1,), 4),
        ("caught", ("boom",), "caught"),
        ("nothing", (), None),
        ("nothing", (None,), None),
    ],
)
def test_outputs(
    client: everstep.Client, new_id: NewId, name: str, given: tuple[Any, ...], output: Any
) -> None:
    handle = client.start_workflow(name, *given, instance_id=new_id(name))
    assert handle.result(timeout=SECONDS) == output
    state = client.get_workflow(handle.instance_id)
    assert (state.name, state.runtime_status) == (name, RuntimeStatus.COMPLETED)
    assert state.input == (given[0] if given else None)


def test_a_record_has_no_mark(client: everstep.Client, new_id: NewId) -> None:
    handle = client.start_workflow("address", instance_id=new_id("address"))
    assert handle.result(timeout=SECONDS) == {"city": "Ghent", "zip": 9000}
    assert client.get_workflow(handle.instance_id).output_as(Address) == Address("Ghent", 9000)


def test_an_event_and_the_custom_status(client: everstep.Client, new_id: NewId) -> None:
    handle = client.start_workflow("approval", instance_id=new_id("approval"))
    handle.wait_for_start(timeout=SECONDS)
    assert client.get_workflow(handle.instance_id).custom_status == "waiting"
    client.raise_workflow_event(handle.instance_id, "Approval", {"by": "eve", "notes": ["é", ""]})
    assert handle.result(timeout=SECONDS) == {"by": "eve", "notes": ["é", ""]}


def test_the_case_of_an_event_s_name(sdk: Sdk, client: everstep.Client, new_id: NewId) -> None:
    handle = client.start_workflow("approval", instance_id=new_id("approval"))
    handle.wait_for_start(timeout=SECONDS)
    client.raise_workflow_event(handle.instance_id, "APPROVAL", "first")
    client.raise_workflow_event(handle.instance_id, "Approval", "second")
    assert handle.result(timeout=SECONDS) == ("first" if sdk.folds_waits else "second")


@pytest.mark.parametrize("data", [(), (None,)], ids=["absent", "null"])
def test_an_event_without_data(client: everstep.Client, new_id: NewId, data: tuple[Any, ...]) -> None:
    handle = client.start_workflow("approval", instance_id=new_id("approval"))
    client.raise_workflow_event(handle.instance_id, "Approval", *data)
    assert handle.result(timeout=SECONDS) is None


def test_events_are_carried_to_the_last_generation(client: everstep.Client, new_id: NewId) -> None:
    handle = client.start_workflow("generations", 3, instance_id=new_id("generations"))
    client.raise_workflow_event(handle.instance_id, "go", [1, 2])
    assert client.wait_for_workflow_completion(handle.instance_id, timeout=SECONDS).output == [1, 2]


def test_a_failure(client: everstep.Client, new_id: NewId) -> None:
    handle = client.start_workflow("failing", "boom", instance_id=new_id("failing"))
    with pytest.raises(everstep.WorkflowFailedError) as raised:
        handle.result(timeout=SECONDS)
    assert raised.value.code == "workflow_failed"
    assert raised.value.instance_id == handle.instance_id
    failure = client.get_workflow(handle.instance_id).failure
    assert failure is not None
    assert "boom" in failure.message


def test_a_failing_child(client: everstep.Client, new_id: NewId) -> None:
    handle = client.start_workflow("bad_family", "boom", instance_id=new_id("bad-family"))
    state = client.wait_for_workflow_completion(handle.instance_id, timeout=SECONDS)
    assert state.runtime_status is RuntimeStatus.FAILED
    assert state.failure is not None
    assert "boom" in state.failure.message


def test_pause_and_resume(client: everstep.Client, new_id: NewId) -> None:
    handle = client.start_workflow("approval", instance_id=new_id("approval"))
    handle.wait_for_start(timeout=SECONDS)
    client.pause_workflow(handle.instance_id)
    reached(client, handle.instance_id, RuntimeStatus.SUSPENDED)
    client.raise_workflow_event(handle.instance_id, "Approval", "kept")
    client.resume_workflow(handle.instance_id)
    assert handle.result(timeout=SECONDS) == "kept"


def test_terminate_and_purge(client: everstep.Client, new_id: NewId) -> None:
    instance = new_id("approval")
    handle = client.start_workflow("approval", instance_id=instance)
    handle.wait_for_start(timeout=SECONDS)
    with pytest.raises(everstep.FailedPreconditionError):
        client.purge_workflow(instance)
    client.terminate_workflow(instance)
    assert handle.wait_for_completion(timeout=SECONDS).runtime_status is RuntimeStatus.TERMINATED
    client.purge_workflow(instance)
    with pytest.raises(everstep.NotFoundError):
        client.get_workflow(instance)


def test_an_id_in_use(client: everstep.Client, new_id: NewId) -> None:
    instance = new_id("approval")
    handle = client.start_workflow("approval", instance_id=instance)
    handle.wait_for_start(timeout=SECONDS)
    with pytest.raises(everstep.AlreadyExistsError):
        client.start_workflow("approval", instance_id=instance)
    client.raise_workflow_event(instance, "Approval", 1)
    assert handle.result(timeout=SECONDS) == 1


# Histories, which only gRPC has.


def finished(
    client: everstep.Client, instance: str, name: str, *given: Any, event: tuple[Any, ...] = ()
) -> everstep.History:
    """The history of a workflow that has come to its end."""
    handle = client.start_workflow(name, *given, instance_id=instance)
    if event:
        client.raise_workflow_event(instance, *event)
    handle.wait_for_completion(timeout=SECONDS)
    return client.get_workflow_history(instance)


def test_a_history_is_decoded_and_linked(our_client: everstep.Client, new_id: NewId) -> None:
    history = finished(our_client, new_id("fan-out"), "fan_out", [1, 2, 3])
    (start,) = history.events_of("ExecutionStarted")
    assert (start.name, start.input) == ("fan_out", [1, 2, 3])
    calls = history.events_of("TaskScheduled")
    assert sorted((call.name, call.input) for call in calls) == [
        ("plus_one", 1),
        ("plus_one", 2),
        ("plus_one", 3),
    ]
    for call in calls:
        assert call.outcome is not None
        assert call.outcome.type == "TaskCompleted"
        assert call.outcome.result == call.input + 1
        assert call.outcome.scheduled is call
    (end,) = history.events_of("ExecutionCompleted")
    assert (end.status, end.result, end.scheduled) == (RuntimeStatus.COMPLETED, 9, start)


def test_a_timer_is_linked(our_client: everstep.Client, new_id: NewId) -> None:
    history = finished(our_client, new_id("timer"), "timer", 0.05)
    (timer,) = history.events_of("TimerCreated")
    assert timer.outcome is not None
    assert timer.outcome.type == "TimerFired"
    assert timer.outcome.fire_at == timer.fire_at


def test_a_failure_keeps_its_type(sdk: Sdk, our_client: everstep.Client, new_id: NewId) -> None:
    history = finished(our_client, new_id("failing"), "failing", "boom")
    (failed,) = history.events_of("TaskFailed")
    assert failed.failure is not None
    assert (failed.failure.error_type, failed.failure.message) == (sdk.error_type, "boom")
    assert failed.scheduled is not None
    assert failed.scheduled.name == "explode"


def test_a_child_is_reached_from_its_parent(our_client: everstep.Client, new_id: NewId) -> None:
    history = finished(our_client, new_id("family"), "family", 1)
    (created,) = history.events_of("ChildWorkflowInstanceCreated")
    assert created.outcome is not None
    assert (created.outcome.type, created.outcome.result) == ("ChildWorkflowInstanceCompleted", 4)
    child = created.child
    assert child is not None
    assert [call.name for call in child.calls] == ["plus_one"] * 3


def test_an_event_is_read(our_client: everstep.Client, new_id: NewId) -> None:
    history = finished(our_client, new_id("approval"), "approval", event=("Approval", {"by": "eve"}))
    (raised,) = history.events_of("EventRaised")
    assert raised.name is not None
    assert (raised.name.lower(), raised.input) == ("approval", {"by": "eve"})


@pytest.mark.parametrize(
    ("name", "given", "event"),
    [
        ("chain", (1,), ()),
        ("fan_out", ([1, 2],), ()),
        ("timer", (0.05,), ()),
        ("approval", (), ("Approval", 1)),
        ("family", (1,), ()),
        ("bad_family", ("boom",), ()),
        ("generations", (2,), ("go", 1)),
        ("nothing", (), ()),
    ],
)
def test_a_diagram_of_each(
    our_client: everstep.Client, new_id: NewId, name: str, given: tuple[Any, ...], event: tuple[Any, ...]
) -> None:
    history = finished(our_client, new_id(name.replace("_", "-")), name, *given, event=event)
    diagram = history.to_mermaid(expand=1)
    assert diagram.startswith("sequenceDiagram")
    for call in history.calls:
        assert call.name is not None
        assert call.name in diagram
