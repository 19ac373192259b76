"""Workflow tasks in, answers out. One instance of this lives on the worker's workflow thread."""

from __future__ import annotations

from threading import get_ident
from time import monotonic
from typing import TYPE_CHECKING, Any

from ..context import WorkflowContext
from ..errors import EverstepError, InvalidArgumentError, WorkflowBlocked
from ..functions import Definition, definition_of
from ..payload import ABSENT
from ..wire import JSON, Wire
from .failures import quoted, stack_of
from .loop import Stall, WorkflowLoop

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .watchdog import Watchdog

BLOCKED = "the workflow did not give its turn back for 10 s; move what blocks into an activity"
LONG_JOB = 1.0
"""After a job of more than this many seconds the watchdog is asked whether it interrupts."""


class Workflows:
    """The workflows of a worker, by name and version."""

    def __init__(self, functions: Iterable[object], wire: Wire = JSON) -> None:
        self._definitions: dict[tuple[str, str | None], Definition] = {}
        latest: set[str] = set()
        for function in functions:
            definition = definition_of(function, "workflows")
            name, version = definition.name, definition.version
            if definition.kind != "workflow":
                raise InvalidArgumentError(f"{name} is an activity; give it in activities")
            if (name, version) in self._definitions:
                which = "" if version is None else f" version {version!r}"
                raise InvalidArgumentError(
                    f"workflow {name!r}{which} is given twice; give each function a name or a version of its own"
                )
            if definition.latest and name in latest:
                raise InvalidArgumentError(
                    f"workflow {name!r} has two latest versions; mark only the one that new runs are to use"
                )
            if definition.latest:
                latest.add(name)
            wire.prepare(*definition.resolve())
            self._definitions[name, version] = definition

    def find(self, name: str, version: str | None) -> Definition | None:
        """The function with this name and exactly this version, or without one: the core has chosen it."""
        return self._definitions.get((name, version))

    def declare(self) -> list[dict[str, object]]:
        """What the worker says of them when it opens, in the order in which they were given."""
        declared: list[dict[str, object]] = []
        for (name, version), definition in self._definitions.items():
            entry: dict[str, object] = {"name": name}
            if version is not None:
                entry["version"] = version
            if definition.latest:
                entry["latest"] = True
            declared.append(entry)
        return declared


def batch_text(turns: list[str]) -> str:
    """The text of ``complete`` for answers to turns."""
    return f'{{"v":1,"turns":[{",".join(turns)}]}}'


def stall_text(task: dict[str, Any], stall: Stall) -> str:
    """The answer of a turn that cannot go on."""
    text = f'"code":"{stall.code}","message":{quoted(stall.message)}'
    if stall.stack is not None:
        text += f',"stack":{quoted(stall.stack)}'
    return f'{{"t":"{task["t"]}","stall":{{{text}}}}}'


class Abandoned(BaseException):
    """This thread was given up: another one has its work. Ends the thread."""


class WorkflowHost:
    """Runs workflow tasks on the instances that it keeps, on the one thread that owns it."""

    def __init__(self, workflows: Workflows, wire: Wire = JSON) -> None:
        self._workflows = workflows
        self._wire = wire
        self._instances: dict[tuple[str, str], WorkflowLoop] = {}
        self.since = 0.0
        """When the job at work began, by the monotonic clock; 0 between tasks."""
        self.watchdog: Watchdog | None = None
        self.owner: int | None = None
        """The thread that runs tasks; the watchdog gives the host to another one when it is stuck."""
        self._tasks: list[dict[str, Any]] = []
        self._answers: list[str] = []
        self.at_work: tuple[str, str] | None = None
        """The instance at work, for the watchdog."""

    def answer(self, tasks: list[dict[str, Any]]) -> str:
        """Runs the tasks of a batch and gives the text of ``complete``."""
        self.owner = get_ident()
        self._tasks = tasks
        answers = self._answers = []
        for task in tasks:
            answers.append(self.turn(task))  # noqa: PERF401 - the watchdog looks at what is there
        return batch_text(answers)

    def give_up(self) -> tuple[list[str], list[dict[str, Any]]]:
        """Takes the work from a stuck thread: the answers that are there, with a stall of the turn it is stuck in, and
        the tasks that are left. What that thread still holds is never looked at again.
        """
        self.owner = None
        self.since = 0.0
        answers, tasks = self._answers, self._tasks
        stuck = tasks[len(answers)]
        self._instances.pop((stuck["id"], stuck["run"]), None)
        return [*answers, stall_text(stuck, Stall("blocked", BLOCKED))], tasks[len(answers) + 1 :]

    def turn(self, task: dict[str, Any]) -> str:
        """Runs one task; a turn that cannot go on is a stall."""
        key = (task["id"], task["run"])
        self.at_work = key
        try:
            steps = self._steps(key, task)
        except Stall as stall:
            return self._stalled(key, task, stall)
        except WorkflowBlocked:
            self.since = 0.0
            if self.watchdog is not None:
                self.watchdog.delivered()
            return self._stalled(key, task, Stall("blocked", BLOCKED))
        except Exception as error:
            # A fault of this package must not take the worker's other instances along.
            message = f"the host failed: {type(error).__name__}: {error}"
            return self._stalled(key, task, Stall("invalid_argument", message, stack_of(error)))
        finally:
            self.since = 0.0
        return f'{{"t":"{task["t"]}","steps":[{",".join(steps)}]}}'

    def _stalled(self, key: tuple[str, str], task: dict[str, Any], stall: Stall) -> str:
        if self.since and monotonic() - self.since > LONG_JOB:
            try:
                self._settle()
            except WorkflowBlocked:
                stall = Stall("blocked", BLOCKED)
        self._drop(key)
        return stall_text(task, stall)

    def _settle(self) -> None:
        """After a long job: an interrupt may be on its way, and must not hit another instance."""
        self.since = 0.0
        if self.watchdog is not None and self.watchdog.settle():
            raise WorkflowBlocked

    def _steps(self, key: tuple[str, str], task: dict[str, Any]) -> list[str]:
        instances = self._instances
        loop = instances.get(key)
        steps = []
        for job in task["jobs"]:
            now = monotonic()
            if now - self.since > LONG_JOB and self.since:
                self._settle()
            self.since = now
            kind = job["kind"]
            if kind == "done":
                if loop is not None and loop.at_work:
                    loop.done(job)
                    steps.append(loop.drain())
                    continue
            elif kind == "turn":
                if loop is None:
                    loop = WorkflowLoop(self._wire)  # type: ignore[abstract]
                loop.now = job["now"]
                loop.replaying = job["replay"]
                loop.patches = job["patches"]
            elif kind == "start":
                if loop is None:
                    raise Stall("invalid_argument", "a start came before its turn")
                if loop.at_work:
                    loop = self._again(key, loop)
                instances[key] = loop
                self._start(loop, task, job)
                steps.append(loop.drain())
                continue
            elif kind == "failed":
                if loop is not None and loop.at_work:
                    loop.failed(job)
                    steps.append(loop.drain())
                    continue
            elif kind == "evict":
                self._drop(key)
                loop = None
            else:
                raise Stall("invalid_argument", f"the job {kind!r} is unknown to this host")
            steps.append("[]")
        if monotonic() - self.since > LONG_JOB:
            self._settle()
        if loop is not None and not loop.at_work:
            instances.pop(key, None)
        return steps

    def _again(self, key: tuple[str, str], old: WorkflowLoop) -> WorkflowLoop:
        """A second start of an instance begins from nothing."""
        self._drop(key)
        loop = WorkflowLoop(self._wire)  # type: ignore[abstract]
        loop.now, loop.replaying, loop.patches = old.now, old.replaying, old.patches
        return loop

    def _start(self, loop: WorkflowLoop, task: dict[str, Any], job: dict[str, Any]) -> None:
        definition = self._workflows.find(job["name"], job.get("version"))
        if definition is None:
            version = job.get("version")
            which = "" if version is None else f" version {version!r}"
            raise Stall("version_not_available", f"this worker has no workflow {job['name']!r}{which}")
        context = WorkflowContext(loop, task, job)
        function = definition.function
        try:
            if not definition.has_input:
                main = function(context)
            else:
                value = self._wire.take(job, "input", definition.input)
                if value is not ABSENT:
                    main = function(context, value)
                elif function.__defaults__:
                    main = function(context)
                else:
                    main = function(context, self._wire.absent(definition.input))
        except EverstepError as error:
            loop.refuse(error)
        else:
            loop.begin(main, not definition.is_async)

    def _drop(self, key: tuple[str, str]) -> None:
        loop = self._instances.pop(key, None)
        if loop is not None:
            try:
                loop.close()
            except WorkflowBlocked:
                return

    def close(self) -> None:
        """Drops all instances."""
        for key in list(self._instances):
            self._drop(key)
