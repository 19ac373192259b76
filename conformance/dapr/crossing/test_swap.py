"""A deployment changes the SDK while an instance runs.

An instance is finished by the SDK that began it. What of another SDK's history means the same to our worker goes on there;
what does not stalls, keeps all that was done, and goes on when the SDK that began it is back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import everstep
import pytest
from everstep import RuntimeStatus
from peers import PeerWorker
from places import SECONDS, environment_of, eventually, grpc_of, reached
from programs import ACTIVITIES, WORKFLOWS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from peers import Sdk

    from cluster import Sidecar

    NewId = Callable[[str], str]


@pytest.fixture(scope="module")
def client(sdk: Sdk, sidecars: dict[str, Sidecar]) -> Iterator[everstep.Client]:
    """Our client at the sidecar where the workers change."""
    with everstep.Client(grpc_of(sidecars[sdk.name])) as client:
        yield client


@pytest.fixture
def theirs(sdk: Sdk, sidecars: dict[str, Sidecar], log: Path) -> Callable[[], PeerWorker]:
    """Starts the SDK's worker."""
    return lambda: PeerWorker(sdk, environment_of(sidecars[sdk.name]), log)


def ours(client: everstep.Client) -> everstep.Worker:
    """Our worker."""
    return everstep.Worker(client, WORKFLOWS, ACTIVITIES)


def begin(client: everstep.Client, instance: str, workflow: str, *events: str) -> None:
    """Starts a workflow and waits until all that it does before the change is done."""
    client.start_workflow(workflow, 1, instance_id=instance)
    for event in events:
        client.raise_workflow_event(instance, event)
    steps = 1 + len(events)
    eventually(lambda: len(done(client, instance)) == steps, f"step {steps} is done")


def done(client: everstep.Client, instance: str) -> list[str | None]:
    """The activities that are done, by name."""
    return [event.name for event in client.get_workflow_history(instance).events_of("TaskCompleted")]


def stalls(client: everstep.Client, instance: str) -> None:
    """Sees that an instance stalls, and that nothing was asked for after what was done."""
    before = done(client, instance)
    with pytest.raises(everstep.WorkflowStalledError):
        client.wait_for_workflow_completion(instance, timeout=SECONDS)
    reached(client, instance, RuntimeStatus.STALLED)
    history = client.get_workflow_history(instance)
    assert [call.name for call in history.calls] == before
    assert history[-1].type == "ExecutionStalled"


def test_theirs_goes_on_where_it_means_the_same(
    client: everstep.Client, theirs: Callable[[], PeerWorker], new_id: NewId
) -> None:
    instance = new_id("deploy")
    with theirs():
        begin(client, instance, "deploy")
    with ours(client):
        client.raise_workflow_event(instance, "deployed")
        client.raise_workflow_event(instance, "verified")
        assert client.get_handle(instance).result(timeout=SECONDS) == 3
    assert done(client, instance) == ["plus_one"] * 2


def test_theirs_stalls_where_the_functions_differ(
    client: everstep.Client,
    theirs: Callable[[], PeerWorker],
    new_id: NewId,
    caplog: pytest.LogCaptureFixture,
) -> None:
    instance = new_id("changed")
    with theirs():
        begin(client, instance, "changed")
    with ours(client):
        client.raise_workflow_event(instance, "deployed")
        stalls(client, instance)
        # The runtime keeps no text for a stall, so the worker's log says what does not fit.
        eventually(lambda: any(instance in text for text in caplog.messages), "the worker tells of the stall")
    (told,) = (text for text in caplog.messages if instance in text)
    assert "plus_one" in told
    assert "idle" in told
    with theirs():
        reached(client, instance, RuntimeStatus.COMPLETED)
    assert client.get_workflow(instance).output == 2
    assert done(client, instance) == ["plus_one"]


def test_theirs_stalls_where_the_ids_differ(
    sdk: Sdk, client: everstep.Client, theirs: Callable[[], PeerWorker], new_id: NewId
) -> None:
    """With Java's SDK a wait takes an ID and leaves nothing in the history that tells."""
    instance = new_id("deploy")
    with theirs():
        begin(client, instance, "deploy", "deployed")
    with ours(client):
        client.raise_workflow_event(instance, "verified")
        if not sdk.hides_ids:
            assert client.get_handle(instance).result(timeout=SECONDS) == 3
        else:
            stalls(client, instance)
    with theirs():
        reached(client, instance, RuntimeStatus.COMPLETED)
    assert client.get_workflow(instance).output == 3
    assert done(client, instance) == ["plus_one"] * 2


def test_ours_meets_their_worker(
    sdk: Sdk, client: everstep.Client, theirs: Callable[[], PeerWorker], new_id: NewId
) -> None:
    if sdk.hides_ids:
        pytest.skip("Java's SDK does not compare the history with what its function asks for")
    same, changed = new_id("deploy"), new_id("changed")
    with ours(client):
        begin(client, same, "deploy")
        begin(client, changed, "changed")
    with theirs():
        for event in ("deployed", "verified"):
            client.raise_workflow_event(same, event)
        assert client.get_handle(same).result(timeout=SECONDS) == 3
        client.raise_workflow_event(changed, "deployed")
        with pytest.raises(everstep.WorkflowFailedError):
            client.get_handle(changed).result(timeout=SECONDS)
    failure = client.get_workflow(changed).failure
    assert failure is not None
    assert failure.error_type == "NonDeterminismError"
