"""Says what is public in the official SDK that this Python has: names, members, parameters. Prints JSON.

    OFFICIAL_PYTHON examples/dapr/python/surface.py > examples/dapr/python/surface.json

``surface.json`` is what it says of 1.19; of ``DaprClient``, whose operations ended with 1.17, what it says of that.
"""

from __future__ import annotations

import dataclasses
import enum
import importlib
import inspect
import json
from typing import Any

MODULES = ("dapr.ext.workflow", "dapr.ext.workflow.aio", "dapr.ext.workflow.logger")
CLIENT = "dapr.clients"
OPERATIONS = ("start", "get", "pause", "resume", "raise", "terminate", "purge")


def parameters(function: Any) -> list[str]:
    """The parameters after ``self``; those that take keywords alone begin with ``*``."""
    try:
        found = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return []
    marks = {inspect.Parameter.KEYWORD_ONLY: "*"}
    return [
        marks.get(each.kind, "") + each.name
        for each in found
        if each.name != "self" and not each.name.startswith("_") and each.kind.name[:3] != "VAR"
    ]


def describe(value: Any) -> Any:
    """What is public of a class, a function or a constant."""
    if inspect.isclass(value) and issubclass(value, enum.Enum):
        return {"members": [member.name for member in value]}
    if inspect.isclass(value):
        own: dict[str, Any] = {}
        for name, member in inspect.getmembers(value):
            if name.startswith("_") or hasattr(Exception, name):
                continue
            own[name] = "property" if isinstance(member, property) else parameters(member)
        if dataclasses.is_dataclass(value):
            fields = (field.name for field in dataclasses.fields(value) if not field.name.startswith("_"))
            own |= dict.fromkeys(fields, "property")
        return {"parameters": parameters(value), "members": own}
    return {"parameters": parameters(value)} if callable(value) else {}


def surface() -> dict[str, Any]:
    """The surface of what is installed."""
    found: dict[str, Any] = {}
    for name in MODULES:
        module = importlib.import_module(name)
        found[name] = {each: describe(getattr(module, each)) for each in sorted(module.__all__)}
    client = describe(importlib.import_module(CLIENT).DaprClient)
    members = {
        name: what
        for name, what in client["members"].items()
        if "workflow" in name and name.split("_")[0] in OPERATIONS
    }
    if members:
        found[CLIENT] = {"DaprClient": {"parameters": client["parameters"], "members": members}}
    return found


if __name__ == "__main__":
    print(json.dumps(surface(), indent=1))
