"""Every program prints with everstep, on an engine in its own memory, what it prints with the official SDK.

``expected/`` was printed by the official SDK on a real sidecar; ``test_sidecar.py`` says whether it still is so.
"""

from __future__ import annotations

import ast
import inspect
import sys
from pathlib import Path
from types import ModuleType

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import everstep.dapr
import everstep.dapr.aio
import run
from everstep.dapr import clients, logger


@pytest.mark.parametrize("program", run.PROGRAMS)
def test_it_prints_what_the_official_sdk_prints(program: str) -> None:
    if program == "models":
        pytest.importorskip("pydantic")
    assert run.in_memory(program) == run.expected(program)


@pytest.mark.parametrize("program", run.PROGRAMS)
def test_import_lines_decide_and_nothing_else(program: str) -> None:
    assert "dapr.ext.workflow as wf" in run.official_source(program)


def public(module: ModuleType) -> set[str]:
    """The names of a module that stand for something of Dapr's SDK."""
    names: set[str] = set(getattr(module, "__all__", ()))
    return names or {
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    }


def members(kind: type) -> set[str]:
    """The methods and properties of a class."""
    return {
        name
        for name, value in inspect.getmembers(kind)
        if not name.startswith("_") and (callable(value) or isinstance(value, property))
    }


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


def test_together_they_use_every_public_name() -> None:
    names = public(everstep.dapr) | public(everstep.dapr.aio)
    assert len(names) >= 25
    for kind in (
        everstep.dapr.WorkflowRuntime,
        everstep.dapr.DaprWorkflowContext,
        everstep.dapr.WorkflowActivityContext,
        everstep.dapr.DaprWorkflowClient,
        everstep.dapr.aio.DaprWorkflowClient,
        everstep.dapr.DaprMCPClient,
        everstep.dapr.RetryPolicy,
        everstep.dapr.TaskFailedError,
        everstep.dapr.FailureDetails,
        everstep.dapr.WorkflowState,
        clients.DaprClient,
    ):
        names |= members(kind)
    names |= set(everstep.dapr.WorkflowHistoryEvent.__dataclass_fields__)
    names |= set(everstep.dapr.WorkflowInstanceIdPage.__dataclass_fields__)
    names |= set(everstep.dapr.MCPToolDef.__dataclass_fields__)
    names |= set(inspect.signature(logger.LoggerOptions).parameters)
    names |= set(inspect.signature(everstep.dapr.WorkflowRuntime).parameters)
    # Of an exception's own methods nobody speaks, and these are everstep's.
    names -= {"add_note", "with_traceback", "context", "leave"}
    assert sorted(names - used()) == []
