"""What the tests of ``everstep.dapr`` share beside their fixtures, which are in ``conftest.py``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import everstep.dapr as wf

SECONDS = 20


def outcome(client: wf.DaprWorkflowClient, function: Callable[..., Any], given: Any = None) -> Any:
    """What a workflow returns, run on a runtime of its own with whatever is registered there."""
    instance_id = client.schedule_new_workflow(function, input=given)
    state = client.wait_for_workflow_completion(instance_id, timeout_in_seconds=SECONDS)
    assert state is not None
    state.raise_if_failed()
    return None if state.serialized_output is None else json.loads(state.serialized_output)
