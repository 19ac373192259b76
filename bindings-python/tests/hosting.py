"""A workflow host without an engine: jobs in, commands out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import everstep
from everstep._host.host import WorkflowHost, Workflows

RUN = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"


@dataclass
class Order:
    id: str
    total: float = 0.0


@everstep.activity
def reserve(order: Order) -> Order:
    return order


@everstep.activity(name="ship-it")
async def ship(order: str) -> str:
    return order


def kinds(commands: list[dict[str, Any]]) -> list[str]:
    return [command["kind"] for command in commands]


class Script:
    """Plays the core to one instance of a workflow."""

    def __init__(self, *functions: Any) -> None:
        self.host = WorkflowHost(Workflows(functions))
        self.name = functions[0].__everstep__.name
        self.now = 1_000_000

    def raw(self, *jobs: dict[str, Any], replay: bool = False, patches: tuple[str, ...] = ()) -> dict[str, Any]:
        turn = {"kind": "turn", "now": self.now, "replay": replay, "patches": list(patches)}
        task = {"t": "t1", "id": "instance", "run": RUN, "more": False, "jobs": [turn, *jobs]}
        batch = json.loads(self.host.answer([json.loads(json.dumps(task))]))
        (answer,) = batch["turns"]
        assert answer["t"] == "t1"
        return answer  # type: ignore[no-any-return]

    def play(self, *jobs: dict[str, Any], **options: Any) -> list[dict[str, Any]]:
        """The commands of the jobs' steps, in order."""
        answer = self.raw(*jobs, **options)
        assert "stall" not in answer, answer
        assert len(answer["steps"]) == len(jobs) + 1
        assert answer["steps"][0] == []
        return [command for step in answer["steps"] for command in step]

    def start(self, *input: Any, **options: Any) -> list[dict[str, Any]]:
        job: dict[str, Any] = {"kind": "start", "name": self.name, "seed": "7"}
        if input:
            job["input"] = input[0]
        return self.play(job, **options)

    def done(self, ref: int, *value: Any, **options: Any) -> list[dict[str, Any]]:
        return self.play({"kind": "done", "ref": ref, **({"value": value[0]} if value else {})}, **options)

    def failed(self, ref: int, type: str = "ValueError", message: str = "bad", **more: Any) -> list[dict[str, Any]]:
        error = {"type": type, "message": message, "retryable": True, **more}
        return self.play({"kind": "failed", "ref": ref, "error": error})

    def stall(self, *jobs: dict[str, Any]) -> dict[str, Any]:
        answer = self.raw(*(jobs or ({"kind": "start", "name": self.name, "seed": "7"},)))
        return answer["stall"]  # type: ignore[no-any-return]

    @property
    def instances(self) -> int:
        return len(self.host._instances)
