"""The vectors of ``conformance/bridge``, without an engine."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conftest import conformance
from everstep._host.host import WorkflowHost, Workflows
from everstep._host.random import WorkflowRandom, WorkflowUuids
from programs import program


@pytest.mark.parametrize("vector", conformance("bridge/random.json")["runs"], ids=lambda vector: vector["run"][:8])
def test_random_and_uuids_are_the_cores(vector: dict[str, Any]) -> None:
    random, uuids = WorkflowRandom(int(vector["seed"])), WorkflowUuids(vector["run"])
    assert [str(random.next_u64()) for _ in vector["u64"]] == vector["u64"]
    random.seed(int(vector["seed"]))
    assert [random.random() for _ in vector["f64"]] == [float(text) for text in vector["f64"]]
    made = [str(uuids.next()) for _ in range(12)]
    assert [*made[:3], made[11]] == vector["uuids"]


@pytest.mark.parametrize("vector", conformance("bridge/turns.json")["vectors"], ids=lambda vector: vector["name"])
def test_turns_are_answered_as_the_vectors_say(vector: dict[str, Any]) -> None:
    table = conformance("bridge/turns.json")
    fixture = {"name": "program", "body": vector["body"], **{key: vector[key] for key in ("version",) if key in vector}}
    host = WorkflowHost(Workflows([program(fixture)]))
    for index, task in enumerate(vector["tasks"]):
        assert set(task) <= {"more", "jobs", "steps", "stall"}
        asked = {"t": str(index), "id": table["id"], "run": table["run"], "more": task["more"], "jobs": task["jobs"]}
        (answer,) = json.loads(host.answer([asked]))["turns"]
        if "stall" in task:
            assert answer["stall"]["code"] == task["stall"]
        else:
            assert [_comparable(step) for step in answer["steps"]] == [_comparable(step) for step in task["steps"]]


def _comparable(step: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without stacks and without what an absent key says as well."""
    commands = []
    for command in step:
        error = command.get("error")
        while error is not None:
            error.pop("stack", None)
            if error.get("retryable") is True:
                del error["retryable"]
            error = error.get("cause")
        if command.get("keep_events") is True:
            del command["keep_events"]
        commands.append({key: value for key, value in command.items() if key == "status" or value is not False})
    return commands
