"""What running cases on a real Dapr takes: its ports, its capabilities, its differences, and a sidecar left as it was found."""

from __future__ import annotations

import os
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from conftest import conformance
from everstep.errors import EverstepError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import everstep

DAPR = "dapr_grpc"
PATIENCE = 10.0
TABLE = conformance("dapr/differences.json")
ENTRIES = [entry for difference in TABLE["differences"] for entry in difference["cases"]]


def ports() -> list[str]:
    """The gRPC ports of the sidecars."""
    listed = os.environ.get("EVERSTEP_DAPR_GRPC_PORTS") or os.environ.get("DAPR_GRPC_PORT", "")
    return [port for port in listed.split(",") if port]


def capabilities(place: str) -> set[str]:
    """What a column of the table has, on Dapr in the version that the differences are about."""
    rows = conformance("capabilities.json")["capabilities"]
    if place != DAPR:
        return {row["name"] for row in rows if row["embedded"]}
    runtime = _number(TABLE["runtime"])
    return {row["name"] for row in rows if row[place] and _number(row[place]) <= runtime}


def _number(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def _entries(case: dict[str, Any], place: str) -> Iterator[dict[str, Any]]:
    for entry in ENTRIES:
        if entry["case"] == case["name"] and place == DAPR and place in entry.get("places", (place,)):
            yield entry


def is_skipped(case: dict[str, Any], place: str) -> bool:
    """Whether a difference of Dapr leaves nothing of a case."""
    return any(entry.get("skip") for entry in _entries(case, place))


def other_history(case: dict[str, Any], place: str) -> bool:
    """Whether a case leaves other histories there."""
    return any(entry.get("history") for entry in _entries(case, place))


def steps_at(case: dict[str, Any], place: str) -> list[dict[str, Any]]:
    """The steps of a case as they hold at a place."""
    steps = [[step] for step in deepcopy(case["steps"])]
    for entry in _entries(case, place):
        for index, other in entry.get("steps", {}).items():
            at = int(index)
            if other is None:
                steps[at] = []
            else:
                steps[at] = other if isinstance(other, list) else [_patched(case["steps"][at], other)]
    return [step for part in steps for step in part]


def _patched(target: Any, patch: Any) -> Any:
    """Puts keys over those of an object, in depth; None takes a key away."""
    if not isinstance(patch, dict):
        return patch
    target = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        old = target.pop(key, None)
        if value is not None:
            target[key] = _patched(old, value)
    return target


def sweep(client: everstep.Client) -> None:
    """Ends and purges all instances; a worker must be connected."""
    for _ in range(4):
        left = list(client.list_workflows())
        if not left:
            return
        for state in left:
            try:
                if not state.runtime_status.is_terminal:
                    client.terminate_workflow(state.instance_id)
                    client.wait_for_workflow_completion(state.instance_id, timeout=PATIENCE)
                client.purge_workflow(state.instance_id, recursive=False)
            except EverstepError:
                # What went away with its parent meanwhile, or ends late, is seen in the next round.
                continue
    raise AssertionError(f"these cannot be taken away: {left}")
