"""Every program prints with everstep, on an engine in its own memory, what it prints with the official SDK.

``expected/`` was printed by the official SDK on a real sidecar; ``make interop`` says whether it still is so.
"""

from __future__ import annotations

import ast
import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import run
import surface

OURS = {
    "dapr.ext.workflow": "everstep.dapr",
    "dapr.ext.workflow.aio": "everstep.dapr.aio",
    "dapr.ext.workflow.logger": "everstep.dapr.logger",
    "dapr.clients": "everstep.dapr.clients",
}
OFFICIAL: dict[str, dict[str, Any]] = json.loads((run.HERE / "surface.json").read_text("utf-8"))
CLASSES = [(module, name) for module, names in OFFICIAL.items() for name in names]
ELSEWHERE = {
    # What a history that was handed down holds: everstep hands none down yet, and these are never seen.
    "PropagatedHistory": {"from_proto", "get_events_by_app_id", "get_events_by_instance_id"}
    | {"get_events_by_workflow_name"},
}
NOBODY_MAKES = {
    "DaprWorkflowContext",
    "WorkflowActivityContext",
    "WorkflowState",
    "PropagatedHistory",
    "WorkflowResult",
}
NEVER_MET = {"PropagatedHistory", "WorkflowResult", "ActivityResult", "ChildWorkflowResult"}


@pytest.mark.parametrize("program", run.PROGRAMS)
def test_it_prints_what_the_official_sdk_prints(program: str) -> None:
    if program == "models":
        pytest.importorskip("pydantic")
    assert run.in_memory(program) == run.expected(program)


@pytest.mark.parametrize("program", run.PROGRAMS)
def test_import_lines_decide_and_nothing_else(program: str) -> None:
    assert "import dapr.ext.workflow as wf" in run.official_source(program)


@pytest.mark.parametrize(("module", "name"), CLASSES)
def test_everything_is_there_and_takes_the_same(module: str, name: str) -> None:
    official = OFFICIAL[module][name]
    ours = surface.describe(getattr(importlib.import_module(OURS[module]), name))
    assert ours.keys() == official.keys()
    if name not in NOBODY_MAKES:
        _takes(ours.get("parameters"), official.get("parameters"))
    theirs, members = official.get("members", ()), ours.get("members", {})
    missing = set(theirs) - set(members) - ELSEWHERE.get(name, set())
    assert not missing
    for member in theirs if isinstance(theirs, dict) else ():
        if member not in ELSEWHERE.get(name, ()):
            assert (members[member] == "property") == (theirs[member] == "property"), member
            _takes(members[member], theirs[member])


def _takes(ours: Any, theirs: Any) -> None:
    """Ours takes by position what theirs takes by position, at the same place, and by keyword what theirs does."""
    if not isinstance(ours, list) or not isinstance(theirs, list):
        return
    positional = [each for each in theirs if not each.startswith("*")]
    assert [each for each in ours if not each.startswith("*")][: len(positional)] == positional
    assert {each.lstrip("*") for each in theirs} <= {each.lstrip("*") for each in ours}


def test_together_they_use_every_public_name() -> None:
    names: set[str] = set()
    for described in OFFICIAL.values():
        for name, what in described.items():
            names.add(name)
            if name not in NEVER_MET:
                names.update(what.get("members", ()))
    assert len(names) > 120
    # A logger's own methods are the standard library's; a scope or kind is an enum's member, and one stands for all.
    names -= {*OFFICIAL["dapr.ext.workflow.logger"]["Logger"]["members"], "Logger"}
    for name in ("PropagationScope", "WorkflowHistoryEventType", "WorkflowStatus"):
        names -= set(OFFICIAL["dapr.ext.workflow"][name]["members"])
    assert sorted(names - used()) == []


def test_the_guide_says_what_each_name_is() -> None:
    guide = (run.HERE.parents[2] / "docs" / "guide" / "from-dapr.md").read_text("utf-8")
    assert [name for _, name in CLASSES if f"`{name}" not in guide and f".{name}`" not in guide] == []


def used() -> set[str]:
    """Every name that the programs mention: of attributes, variables, imports and keywords."""
    found: set[str] = set()
    for program in run.PROGRAMS:
        for node in ast.walk(ast.parse((run.HERE / f"{program}.py").read_text("utf-8"))):
            if isinstance(node, ast.Attribute):
                found.add(node.attr)
            elif isinstance(node, ast.Name):
                found.add(node.id)
            elif isinstance(node, ast.alias):
                found.update((node.name.rpartition(".")[2], node.asname or ""))
            elif isinstance(node, ast.keyword):
                found.add(node.arg or "")
    return found
