"""The histories of a case, so that its runs in different modes can be compared."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import everstep

Records = dict[str, list[str]]

DIFFERS_BY_DESIGN = ("WorkflowStarted", "ExecutionStalled")
"""How turns are cut, and how often stalled code is tried again."""
MADE_ANEW = ("counterpart", "execution_id", "fire_at", "start_at", "task_execution_id", "trace_parent")
"""Places in the history, generated ids and times."""
PAYLOADS = ("input", "result", "custom_status")
EVERYWHERE = ("name", "status", "input", "result")
"""What a real Dapr keeps of an event as well: it drops what is everstep's own, and adds what is its own."""


def records_of(client: everstep.Client, id: str, payloads: bool, beside_dapr: bool = False) -> Records:
    """What happened, per instance: the events without what is made anew in every run, in no order, as what runs side by
    side may end in any. ``id`` is the case's own. ``beside_dapr`` leaves out what only one of both has.
    """
    records: Records = {}
    for state in client.list_workflows():
        rest = state.instance_id.removeprefix(id)
        # A generated ID differs from run to run, so its instance stands under its workflow's name.
        known = rest != state.instance_id and ":" not in rest
        lines = records.setdefault("{id}" + rest if known else f"some {state.name}", [])
        events = client.get_workflow_history(state.instance_id)
        told = [event for event in events if event.type not in DIFFERS_BY_DESIGN]
        lines += [_line(event, id, payloads, beside_dapr) for event in told]
    return {name: sorted(lines) for name, lines in records.items()}


def _line(event: everstep.HistoryEvent, id: str, payloads: bool, beside_dapr: bool) -> str:
    said = {key: value for key, value in event.attributes.items() if key not in MADE_ANEW}
    if beside_dapr:
        said = {key: value for key, value in said.items() if key in EVERYWHERE}
    for key in PAYLOADS:
        if key in said:
            said[key] = _decoded(said[key]) if payloads else "some"
    if "failure" in said:
        said["failure"] = _described(said["failure"])
    text = json.dumps([event.type, event.event_id, said], sort_keys=True, default=str).replace(id, "{id}")
    # UUIDs, and the last part of a child's default ID.
    text = re.sub(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "{made}", text)
    return re.sub(r":[0-9a-f]{12}\b", ":{made}", text)


def _decoded(payload: str) -> Any:
    try:
        return json.loads(payload)
    except ValueError:
        return payload


def _described(failure: everstep.Failure | None) -> Any:
    """A failure without its stack."""
    return failure and [failure.error_type, failure.message, _described(failure.cause)]
