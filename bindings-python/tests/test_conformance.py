"""Runs the cases of ``conformance/`` through this package; ``conformance/README.md`` says what a case is.

Each runs cached, replayed (``max_cached`` 0), restarted (after every step), and awaited (through ``AsyncClient``), on
``memory:`` and ``sqlite:``; with ``--place dapr_grpc`` cached on a real Dapr. Unknown steps, keys and needs are errors, as are skips that ``coverage.json`` gives no reason
for. All runs of a case must leave the same histories.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import threading
import time
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

import everstep
from awaited import Awaited
from conftest import CONFORMANCE, conformance
from everstep.errors import EverstepError
from everstep.payload import ABSENT
from programs import ACTIVITIES, program
from records import Records, records_of
from sidecars import DAPR, capabilities, is_skipped, other_history, ports, steps_at, sweep

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 30.0
MAIN = "main"
MODES = ("cached", "replayed", "restarted", "awaited")
PLACES = ("memory:", "sqlite:")
COVERAGE = conformance("coverage.json")
CAPABILITIES = {place: capabilities(place) for place in (*PLACES, DAPR)}
FIXTURES = {
    w["name"] + (f"@{w['variant']}" if "variant" in w else ""): w for w in conformance("fixtures.json")["workflows"]
}
CASES = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted((CONFORMANCE / "cases").glob("*.json"))}
CASE_KEYS = {"name", "feature", "kind", "about", "needs", "slow", "no_restart", "fixtures", "steps"}


def skipped(case: dict[str, Any], place: str, mode: str) -> str | None:
    """The listed reason why a case is not run here."""
    if mode == "restarted" and "no_restart" in case:
        return str(case["no_restart"])
    once = "slow" in case and (place, mode) not in {("memory:", "cached"), (DAPR, "cached")}
    for skip in COVERAGE["skips"]:
        if (
            skip.get("runner", "python") == "python"
            and skip.get("case", case["name"]) == case["name"]
            and skip.get("endpoint", place) == place
            and skip.get("mode", mode) == mode
            and ("need" not in skip or skip["need"] in case.get("needs", ()))
            and ("step" not in skip or any(step["do"] == skip["step"] for step in case["steps"]))
            and (not skip.get("slow") or once)
        ):
            assert skip["reason"]
            return str(skip["reason"])
    if place == DAPR and "STALLED" in json.dumps(case["steps"]):
        return "only a purge with force, which no client of ours does, takes a stalled instance away; Rust runs it"
    if place == DAPR:
        lacking = set(case.get("needs", ())) - CAPABILITIES[DAPR]
        return f"Dapr has no {min(lacking)}" if lacking else "a difference of Dapr" if is_skipped(case, place) else None
    return None


def runs(ways: list[tuple[str, str]]) -> list[tuple[str, str, str]]:
    """What runs on these places in these modes."""
    return [(name, *way) for name, case in CASES.items() for way in ways if skipped(case, *way) is None]


RUNS = runs([(place, mode) for place in PLACES for mode in MODES])
RUNS_ON_DAPR = runs([("memory:", "cached"), (DAPR, "cached")])
"""The first are those whose histories the others are compared with."""


BESIDE_DAPR = threading.Event()
FIRST: dict[str, tuple[str, Records]] = {}
"""What the first run of each case left."""


class World:
    """One case's store, client and worker."""

    def __init__(self, place: str, mode: str, fixtures: list[str]) -> None:
        self.directory = tempfile.mkdtemp(prefix="everstep-conformance-")
        self.endpoint = {
            "memory:": place,
            "sqlite:": f"sqlite:{self.directory}/workflows.db",
            DAPR: f"grpc://127.0.0.1:{ports()[0]}" if place == DAPR else "",
        }[place]
        self.place, self.mode = place, mode
        self.names = {"id": f"c-{uuid.uuid4().hex[:12]}"}
        self.runs: dict[str, str | None] = {}
        self.watches: dict[str, Iterator[everstep.WorkflowState]] = {}
        self.client = self.open()
        self.closed = False
        self.workers: dict[str, everstep.Worker] = {}
        self.deployed = {MAIN: fixtures}
        self.open_worker(MAIN, fixtures)
        if KEEPERS:
            # Its stream goes over to the worker that is there now.
            KEEPERS.pop().leave()

    def open(self) -> Any:
        return (
            Awaited(everstep.AsyncClient(self.endpoint)) if self.mode == "awaited" else everstep.Client(self.endpoint)
        )

    def close_client(self) -> None:
        self.client.close()
        if isinstance(self.client, Awaited):
            self.client.end()

    def open_worker(self, name: str, fixtures: list[str]) -> None:
        self.deployed[name] = fixtures
        if fixtures:
            self.workers[name] = everstep.Worker(
                self.client.subject if isinstance(self.client, Awaited) else self.client,
                [program(FIXTURES[fixture]) for fixture in fixtures],
                ACTIVITIES,
                max_cached=0 if self.mode == "replayed" else 1000,
                activity_threads=8,
                shutdown_timeout=0.2,
            )
            self.workers[name].start()
            self.workers[name].wait_until_ready(30)

    def close_worker(self, name: str) -> None:
        del self.deployed[name]
        self.workers.pop(name).close()

    def deploy(self, fixtures: list[str]) -> None:
        if MAIN in self.workers:
            self.workers.pop(MAIN).close()
        self.open_worker(MAIN, fixtures)

    def stop(self) -> None:
        while self.workers:
            self.workers.popitem()[1].close()

    def restart(self) -> None:
        self.stop()
        self.watches.clear()
        self.close_client()
        self.client = self.open()
        self.closed = False
        for name, fixtures in self.deployed.items():
            self.open_worker(name, fixtures)

    def tidy(self) -> None:
        """Takes away what the case has left on a sidecar, which the next one uses, too."""
        if self.place != DAPR:
            return
        # Dapr ends an instance only while a worker is connected. What the case had need not know all that it started.
        keeper = Keeper(self.endpoint)
        self.stop()
        sweep(keeper.client)
        KEEPERS.append(keeper)

    def close(self) -> None:
        self.stop()
        self.close_client()
        shutil.rmtree(self.directory)


class Keeper:
    """A worker of everything that stays connected from one case on Dapr to the next, as connecting takes a second or two."""

    def __init__(self, endpoint: str) -> None:
        self.client = everstep.Client(endpoint)
        everything = {(workflow["name"], workflow.get("version")): workflow for workflow in FIXTURES.values()}
        programs = [program(workflow) for workflow in everything.values()]
        self.worker = everstep.Worker(self.client, programs, ACTIVITIES, shutdown_timeout=0.2)
        self.worker.start()
        self.worker.wait_until_ready(30)

    def leave(self) -> None:
        self.worker.close()
        self.client.close()


KEEPERS: list[Keeper] = []


def fill(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, str):
        for name, text in names.items():
            value = value.replace(f"{{{name}}}", text)
        return value
    if isinstance(value, list):
        return [fill(item, names) for item in value]
    if isinstance(value, dict):
        if set(value) == {"$repeat", "times"}:
            return value["$repeat"] * value["times"]
        return {key: fill(item, names) for key, item in value.items()}
    return value


def same(found: Any, expected: Any) -> None:
    """Compares decoded payloads."""
    if isinstance(expected, dict) and "$default_child_of" in expected:
        assert re.fullmatch(re.escape(expected["$default_child_of"]) + ":[0-9a-f]{12}", found)
    else:
        assert found == expected
        assert isinstance(found, bool) == isinstance(expected, bool)


def check_failure(found: everstep.Failure | None, expected: dict[str, Any]) -> None:
    assert set(expected) <= {"type", "message", "cause"}
    assert found is not None
    assert expected.get("type", found.error_type) == found.error_type
    assert expected.get("message", found.message) == found.message
    if "cause" in expected:
        check_failure(found.cause, expected["cause"])


def check_state(found: everstep.WorkflowState, expected: dict[str, Any]) -> None:
    checks = {
        "status": lambda value: found.runtime_status.value == value,
        "name": lambda value: found.name == value,
        "version": lambda value: found.version == value,
        "input": lambda value: same(found.input, value) is None,
        "input_absent": lambda value: (found.raw_input is None) == value,
        "output": lambda value: same(found.output, value) is None,
        "custom_status": lambda value: same(found.custom_status, value) is None,
        "started": lambda value: (found.started_at is not None) == value,
        "completed": lambda value: (found.completed_at is not None) == value,
        "failure": lambda value: check_failure(found.failure, value) is None,
        "reason_names": lambda value: all(text in (found.reason or "") for text in value),
        "has_reason": lambda value: (found.reason is not None) == value,
        "parent": lambda value: found.parent_instance_id == value,
        "tags": lambda value: found.tags == value,
    }
    for key, value in expected.items():
        assert checks[key](value), f"{key} should be {value!r}: {found!r}"


def fits(found: everstep.WorkflowState, expected: dict[str, Any]) -> bool:
    try:
        check_state(found, expected)
    except AssertionError:
        return False
    return True


def below(history: everstep.History) -> Iterator[str]:
    """The names of all workflows below this one."""
    for id in history.child_ids:
        child = history.child(id)
        if child is not None:
            yield str(child.events_of("ExecutionStarted")[0].name)
            yield from below(child)


class Steps:
    """One method per step."""

    def __init__(self, world: World) -> None:
        self.world = world

    def take(self, step: dict[str, Any]) -> None:
        step = fill(step, self.world.names)
        method = getattr(self, f"do_{step.pop('do')}")
        expected = step.pop("error", None)
        if expected is None:
            method(**step)
            return
        with pytest.raises(EverstepError) as caught:
            method(**step)
        assert caught.value.code == expected["code"], caught.value
        if "failure" in expected:
            check_failure(caught.value.failure, expected["failure"])

    def do_start(self, workflow: Any, **step: Any) -> None:
        keys = {"id", "version", "input", "start_in_ms", "options", "tags", "reuse", "component", "as", "expect"}
        assert set(step) <= keys, f"unknown keys {set(step) - keys}"
        more: dict[str, Any] = (
            {"start_at": timedelta(milliseconds=step["start_in_ms"])} if "start_in_ms" in step else {}
        )
        handle = self.world.client.start_workflow(
            workflow_name=workflow,
            input=step.get("input", ABSENT),
            instance_id=step.get("id"),
            version=step.get("version"),
            workflow_component=step.get("component"),
            workflow_options=step.get("options"),
            tags=step.get("tags"),
            reuse=step.get("reuse", "finished"),
            **more,
        )
        self._keep(handle, step)

    def do_rerun(self, id: str, **step: Any) -> None:
        keys = {"from", "new_id", "input", "as", "expect"}
        assert set(step) <= keys, f"unknown keys {set(step) - keys}"
        handle = self.world.client.rerun_workflow(
            id, step["from"], new_instance_id=step.get("new_id"), input=step.get("input", ABSENT)
        )
        self._keep(handle, step)

    def _keep(self, handle: everstep.WorkflowHandle[Any], step: dict[str, Any]) -> None:
        if "as" in step:
            self.world.names[step["as"]] = handle.instance_id
            self.world.runs[step["as"]] = handle.execution_id
        if "expect" in step:
            assert uuid.UUID(handle.instance_id).version == step["expect"]["uuid"]

    def do_wait_for_start(self, id: str, timeout_ms: int = 30_000, expect: Any = ()) -> None:
        check_state(self.world.client.wait_for_workflow_start(id, timeout=timeout_ms / 1000), dict(expect))

    def do_wait_for_completion(self, id: str, timeout_ms: int = 30_000, expect: Any = ()) -> None:
        check_state(self.world.client.wait_for_workflow_completion(id, timeout=timeout_ms / 1000), dict(expect))

    def do_await(self, id: str, expect: dict[str, Any]) -> None:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return check_state(self.world.client.get_workflow(id), expect)
            except (AssertionError, everstep.NotFoundError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.002)

    def do_result(
        self, id: str | None = None, run: str | None = None, timeout_ms: int = 30_000, expect: Any = None
    ) -> None:
        instance_id = id if id is not None else self.world.names[str(run)]
        execution_id = self.world.runs[run] if run is not None else None
        handle = self.world.client.get_handle(instance_id, execution_id=execution_id)
        output = handle.result(timeout=timeout_ms / 1000)
        if expect is not None:
            assert set(expect) == {"output"}
            same(output, expect["output"])

    def do_get(self, id: str, component: str | None = None, payloads: bool = True, expect: Any = ()) -> None:
        check_state(self.world.client.get_workflow(id, component, payloads=payloads), dict(expect))

    def do_pause(self, id: str, reason: str | None = None) -> None:
        self.world.client.pause_workflow(id, reason=reason)

    def do_resume(self, id: str, reason: str | None = None) -> None:
        self.world.client.resume_workflow(id, reason=reason)

    def do_raise_event(self, id: str, event: str, data: Any = ABSENT) -> None:
        self.world.client.raise_workflow_event(instance_id=id, event_name=event, event_data=data)

    def do_terminate(self, id: str, output: Any = ABSENT, recursive: bool = True) -> None:
        self.world.client.terminate_workflow(id, output=output, recursive=recursive)

    def do_purge(self, id: str, recursive: bool = True, expect: Any = None) -> None:
        count = self.world.client.purge_workflow(id, recursive=recursive)
        assert expect is None or expect == {"count": count}

    def do_bulk(self, action: str, filter: dict[str, Any], expect: Any = None, **options: Any) -> None:
        progress: list[int] = []
        do = getattr(self.world.client, f"{action}_workflows")
        count = do(**self._filter(filter), **options, progress=progress.append)
        assert progress == sorted(progress)
        assert progress[-1] == count
        assert expect is None or expect == {"count": count}

    def do_count(self, filter: Any = (), expect: Any = None) -> None:
        counts = self.world.client.count_workflows(**self._filter(dict(filter)))
        assert expect is None or expect == counts

    def do_list(self, filter: Any = (), limit: int = 100, payloads: bool = False, expect: Any = None) -> None:
        client = self.world.client
        states = list(client.list_workflows(**self._filter(dict(filter)), page_size=limit, payloads=payloads))
        if expect is None:
            return
        if expect.get("order") == "any":
            states.sort(key=lambda state: (expect["ids"] + [state.instance_id]).index(state.instance_id))
        assert [state.instance_id for state in states] == expect["ids"]
        for state, expected in zip(states, expect.get("states", ())):
            check_state(state, dict(expected))
        if "pages" in expect:
            assert max(1, -(-len(states) // limit)) == expect["pages"]

    def do_history(self, id: str, expect: Any = None) -> None:
        events = self.world.client.get_workflow_history(id)
        if expect is not None:
            # WorkflowStarted says only how turns were cut.
            kinds = [event.type for event in events if event.type != "WorkflowStarted"]
            assert set(expect) <= {"kinds", "order", "children"}
            if "children" in expect:
                assert sorted(below(self.world.client.get_workflow_history(id, expand=64))) == expect["children"]
            if expect.get("order") == "any":
                assert sorted(kinds) == sorted(expect["kinds"])
            else:
                assert kinds == expect["kinds"]

    def do_watch(self, id: str, until: Any = None, expect: Any = None, **step: Any) -> None:
        assert set(step) <= {"as"}
        kept = self.world.watches.pop(step["as"], None) if "as" in step else None
        watch = kept or self.world.client.watch_workflow(id)
        states = []
        for state in watch:
            assert not states or states[-1] != state
            assert not states or not states[-1].runtime_status.is_terminal
            states.append(state)
            if until is not None and fits(state, until):
                break
        else:
            assert until is None, states
            assert not states or states[-1].runtime_status.is_terminal
        if "as" in step:
            self.world.watches[step["as"]] = watch
        expect = expect or {}
        assert set(expect) <= {"last", "states"}
        if "last" in expect:
            check_state(states[-1], expect["last"])
        if "states" in expect:
            assert len(states) == len(expect["states"])
            for state, expected in zip(states, expect["states"], strict=True):
                check_state(state, expected)

    def do_deploy(self, fixtures: list[str]) -> None:
        self.world.deploy(fixtures)

    def do_open_worker(self, name: str, fixtures: list[str]) -> None:
        self.world.open_worker(name, fixtures)

    def do_close_worker(self, name: str) -> None:
        self.world.close_worker(name)

    def do_restart(self) -> None:
        self.world.restart()

    def do_close(self) -> None:
        self.world.client.close()
        self.world.closed = True

    def _filter(self, filter: dict[str, Any]) -> dict[str, Any]:
        assert set(filter) <= {"name", "statuses", "parent", "created_from", "created_to"}
        criteria = {"workflow_name": filter.get("name"), "statuses": filter.get("statuses", ())}
        if "parent" in filter:
            criteria["parent_instance_id"] = filter["parent"]
        for moment in {"created_from", "created_to"} & set(filter):
            # A moment is named by the instance that was created then.
            criteria[moment] = self.world.client.get_workflow(filter[moment]).created_at
        return criteria


def test_there_are_cases_and_each_has_its_format() -> None:
    assert len(CASES) >= 60
    listed = {skip["need"] for skip in COVERAGE["skips"] if "need" in skip}
    for name, case in CASES.items():
        assert case["name"] == name
        assert set(case) <= CASE_KEYS
        assert set(case.get("needs", ())) <= CAPABILITIES["memory:"] | listed
        assert set(case["fixtures"]) <= set(FIXTURES)


def test_every_feature_runs_in_every_mode() -> None:
    empty = {(row["feature"], row["cell"]) for row in COVERAGE["empty"]}
    cells = {(CASES[name]["feature"], mode) for name, _, mode in RUNS}
    cells |= {(CASES[name]["feature"], CASES[name]["kind"]) for name, _, _ in RUNS}
    features = {case["feature"] for case in CASES.values()}
    assert {(feature, cell) for feature in features for cell in ("happy", "error", *MODES)} - cells == empty


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.function is not test_case:
        return
    place = metafunc.config.getoption("place")
    assert place in {None, DAPR}, f"there is no place {place!r}"
    assert place is None or ports(), "no sidecar: set EVERSTEP_DAPR_GRPC_PORTS"
    found = RUNS if place is None else RUNS_ON_DAPR
    if place == DAPR:
        BESIDE_DAPR.set()
    metafunc.parametrize(("name", "place", "mode"), found, ids=["-".join(run).replace(":", "") for run in found])


def test_case(name: str, place: str, mode: str) -> None:
    case = CASES[name]
    world = World(place, mode, case["fixtures"])
    found = None
    try:
        steps = Steps(world)
        taken = steps_at(case, place)
        for index, step in enumerate(taken):
            steps.take(step)
            if mode == "restarted" and index + 1 < len(taken):
                world.restart()
        if not world.closed:
            # Random values differ from run to run by design.
            payloads = case["feature"] != "determinism"
            found = records_of(world.client, world.names["id"], payloads, beside_dapr=BESIDE_DAPR.is_set())
    finally:
        world.tidy()
        world.close()
    if found is not None:
        first, expected = FIRST.setdefault(name, (f"{place} {mode}", found))
        assert found == expected or other_history(case, place), f"{place} {mode} left another history than {first}"
