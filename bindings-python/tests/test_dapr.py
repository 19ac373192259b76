"""What is particular to ``everstep.dapr``; that its programs print the right things is tested in ``examples/dapr/python``."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import json
import logging
import subprocess
import sys
import threading
import uuid
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

import pytest

import everstep
import everstep.dapr as wf
from everstep.dapr import aio, clients, connection, payloads
from everstep.dapr.logger import Logger, LoggerOptions
from everstep.dapr.task import call_failed
from everstep.dapr.workflow_state import OrchestrationFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECONDS = 20


@pytest.fixture(autouse=True)
def in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine of the test's own, which its runtimes and clients share; time skips while somebody waits."""
    monkeypatch.setenv("EVERSTEP_ENDPOINT", f"test:{uuid.uuid4().hex}")
    for name in ("DAPR_GRPC_PORT", "DAPR_GRPC_ENDPOINT", "DAPR_RUNTIME_HOST", "DAPR_API_TIMEOUT_SECONDS"):
        monkeypatch.delenv(name, raising=False)
    for name in ("DAPR_GRPC_MAX_INBOUND_MESSAGE_SIZE_BYTES",):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def client() -> Iterator[wf.DaprWorkflowClient]:
    with wf.DaprWorkflowClient() as client:
        yield client


def outcome(client: wf.DaprWorkflowClient, function: Callable[..., Any], given: Any = None) -> Any:
    """What a workflow returns, run on a runtime of its own with whatever is registered there."""
    instance_id = client.schedule_new_workflow(function, input=given)
    state = client.wait_for_workflow_completion(instance_id, timeout_in_seconds=SECONDS)
    assert state is not None
    state.raise_if_failed()
    return None if state.serialized_output is None else json.loads(state.serialized_output)


# Import.


def test_import_needs_nothing_of_the_official_sdk_and_is_lazy() -> None:
    code = (
        "import sys, everstep; assert 'everstep.dapr' not in sys.modules;"
        "import everstep.dapr as wf; assert 'everstep.client' not in sys.modules;"
        "assert not {'dapr', 'grpc', 'google'} & set(sys.modules);"
        "assert set(wf.__all__) <= set(dir(wf)); [getattr(wf, name) for name in wf.__all__];"
        "[getattr(wf.aio, name) for name in wf.aio.__all__];"
        "assert not {'dapr', 'grpc', 'google', 'pydantic'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)


def test_unknown_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="NoSuchName"):
        wf.NoSuchName
    with pytest.raises(AttributeError, match="NoSuchName"):
        aio.NoSuchName


# Payloads.


@dataclasses.dataclass
class Address:
    town: str


@dataclasses.dataclass
class Person:
    name: str
    address: Address


class Point(NamedTuple):
    x: int
    y: int


class Model:
    def __init__(self, size: int) -> None:
        self.size = size

    def model_dump(self) -> dict[str, int]:
        return {"size": self.size}

    @classmethod
    def model_validate(cls, value: dict[str, int]) -> Model:
        return cls(value["size"])


MARK = '"__durabletask_autoobject__": true'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": [1, "ä"]}, '{"a": [1, "\\u00e4"]}'),
        (Address("Ely"), f'{{"town": "Ely", {MARK}}}'),
        (Person("Ada", Address("Ely")), f'{{"name": "Ada", "address": {{"town": "Ely"}}, {MARK}}}'),
        ([Address("Ely")], f'[{{"town": "Ely", {MARK}}}]'),
        (Point(1, 2), f'{{"x": 1, "y": 2, {MARK}}}'),
        ([Point(1, 2)], "[[1, 2]]"),
        (SimpleNamespace(a=1), f'{{"a": 1, {MARK}}}'),
        (Model(3), '{"size": 3}'),
    ],
)
def test_values_are_written_as_the_official_sdk_writes_them(value: Any, text: str) -> None:
    assert payloads.to_json(value) == text


def test_writing_leaves_the_value_as_it_is() -> None:
    namespace = SimpleNamespace(a=1)
    payloads.to_json(namespace)
    assert vars(namespace) == {"a": 1}


def test_what_has_no_json_is_a_type_error() -> None:
    for value in (object(), {1, 2}, datetime.now(timezone.utc), b"bytes", Address):
        with pytest.raises(TypeError):
            payloads.to_json(value)


def test_marked_objects_are_read_with_attributes() -> None:
    assert payloads.from_json(f'{{"town": "Ely", {MARK}}}') == SimpleNamespace(town="Ely")
    assert payloads.from_json('{"town": "Ely"}') == {"town": "Ely"}
    assert payloads.from_json("") is None


def test_inputs_become_models_where_the_annotation_says_so() -> None:
    def plain(ctx: Any, value: Model) -> None: ...
    def optional(ctx: Any, value: Optional[Model] = None) -> None: ...
    def union(ctx: Any, value: Model | None) -> None: ...
    def other(ctx: Any, value: Address) -> None: ...
    def unresolved(ctx: Any, value: NoSuchType) -> None: ...  # type: ignore[name-defined]  # noqa: F821
    def none(ctx: Any) -> None: ...

    for function in (plain, optional, union):
        (made,) = payloads.InputOf(function).arguments({"size": 4})
        assert isinstance(made, Model)
        assert made.size == 4
        (made,) = payloads.InputOf(function).arguments(SimpleNamespace(size=5))
        assert made.size == 5
        assert payloads.InputOf(function).arguments(None) == (None,)
        with pytest.raises(TypeError, match="Model"):
            payloads.InputOf(function).arguments([1])
    for function in (other, unresolved):
        assert payloads.InputOf(function).arguments({"size": 4}) == ({"size": 4},)
    assert payloads.InputOf(none).arguments(1) == ()
    assert payloads.InputOf(len).arguments(1) == ()


def test_falsy_data_arrives(client: wf.DaprWorkflowClient) -> None:
    runtime = wf.WorkflowRuntime()

    @runtime.workflow
    def collect(ctx: wf.DaprWorkflowContext) -> Any:
        return (yield wf.when_all([ctx.wait_for_external_event("data") for _ in range(6)]))

    with runtime:
        instance_id = client.schedule_new_workflow(collect)
        values: list[Any] = [0, False, "", [], {}, None]
        for value in values:
            client.raise_workflow_event(instance_id, "data", data=value)
        state = client.wait_for_workflow_completion(instance_id, timeout_in_seconds=SECONDS)
        assert state is not None
        assert json.loads(state.serialized_output or "") == values
        waiting = client.schedule_new_workflow(collect)
        client.terminate_workflow(waiting, output=0)
        state = client.wait_for_workflow_completion(waiting, timeout_in_seconds=SECONDS)
        assert state is not None
        assert (state.runtime_status, state.serialized_output) == (wf.WorkflowStatus.TERMINATED, "0")


# Registering.


def test_functions_stay_what_they_were() -> None:
    runtime = wf.WorkflowRuntime()

    @runtime.activity(name="add_one")
    def add(ctx: Any, x: int) -> int:
        return x + 1

    @runtime.workflow
    @wf.alternate_name("renamed")
    def flow(ctx: Any) -> str:
        return "plain"

    assert add(None, 1) == 2
    assert flow(None) == "plain"
    again = wf.WorkflowRuntime()
    again.register_activity(add, name="in_another_runtime")
    again.register_workflow(flow)


def test_what_is_registered_twice_is_refused() -> None:
    runtime = wf.WorkflowRuntime()

    def one(ctx: Any) -> None: ...
    def two(ctx: Any) -> None: ...
    def three(ctx: Any) -> None: ...

    runtime.register_workflow(one)
    runtime.register_activity(one)
    with pytest.raises(ValueError, match="registered already"):
        runtime.register_workflow(one, name="another")
    with pytest.raises(ValueError, match="already"):
        runtime.register_workflow(two, name="one")
    with pytest.raises(ValueError, match="already"):
        runtime.register_activity(two, name="one")
    wf.alternate_name("other")(three)
    with pytest.raises(ValueError, match="alternate name"):
        runtime.register_activity(three, name="third")
    with pytest.raises(ValueError, match="alternate name"):
        wf.alternate_name("again")(three)
    with pytest.raises(ValueError, match="name"):
        runtime.register_workflow(lambda ctx: None)
    runtime.register_versioned_workflow(two, name="versioned", version_name="1", is_latest=True)
    with pytest.raises(ValueError, match="already"):
        runtime.register_versioned_workflow(lambda ctx: None, name="versioned", version_name="1", is_latest=False)


def test_what_is_registered_while_it_runs_runs_too(client: wf.DaprWorkflowClient) -> None:
    with wf.WorkflowRuntime() as runtime:

        @runtime.activity
        def late(ctx: Any, x: int) -> int:
            return x * 2

        @runtime.workflow
        def flow(ctx: wf.DaprWorkflowContext, x: int) -> Any:
            return (yield ctx.call_activity(late, input=x))

        assert outcome(client, flow, 4) == 8


def test_every_kind_of_async_activity_is_awaited(client: wf.DaprWorkflowClient) -> None:
    async def plain(ctx: Any, x: int) -> int:
        await asyncio.sleep(0)
        return x

    @functools.wraps(plain)
    def wrapped(*given: Any) -> Any:
        return plain(*given)

    class Called:
        async def __call__(self, ctx: Any, x: int) -> int:
            return x

    class Owner:
        async def method(self, ctx: Any, x: int) -> int:
            return x

    names = {"plain": plain, "wrapped": wrapped, "partial": functools.partial(plain), "called": Called()}
    names["method"] = Owner().method
    runtime = wf.WorkflowRuntime()
    for name, function in names.items():
        runtime.register_activity(function, name=name)

    @runtime.workflow
    def flow(ctx: wf.DaprWorkflowContext) -> Any:
        return (yield wf.when_all([ctx.call_activity(name, input=1) for name in names]))

    with runtime:
        assert outcome(client, flow) == [1] * len(names)


def test_a_runtime_starts_again_but_not_twice(client: wf.DaprWorkflowClient) -> None:
    runtime = wf.WorkflowRuntime(maximum_thread_pool_workers=2, history_cache_max_instances=10)
    runtime.register_workflow(lambda ctx: 1, name="one")
    runtime.shutdown()
    assert runtime.wait_for_worker_ready(timeout=0) is False
    for _ in range(2):
        runtime.start()
        assert runtime.wait_for_worker_ready(timeout=SECONDS)
        with pytest.raises(RuntimeError, match="running"):
            runtime.start()
        instance_id = client.schedule_new_workflow("one")
        assert client.wait_for_workflow_completion(instance_id, timeout_in_seconds=SECONDS) is not None
        runtime.shutdown()


def test_without_a_cache_every_turn_is_a_replay(client: wf.DaprWorkflowClient) -> None:
    runtime = wf.WorkflowRuntime(disable_stateful_history=True)
    begun = []

    @runtime.workflow
    def flow(ctx: wf.DaprWorkflowContext) -> Any:
        begun.append(ctx.is_replaying)
        for _ in range(3):
            yield ctx.create_timer(timedelta(milliseconds=1))
        return "done"

    with runtime:
        assert outcome(client, flow) == "done"
    assert begun == [False, True, True, True]


# Tasks.


def test_tasks_of_tasks(client: wf.DaprWorkflowClient) -> None:
    runtime = wf.WorkflowRuntime()

    @runtime.activity
    def echo(ctx: Any, x: Any) -> Any:
        if x == "bad":
            raise ValueError(x)
        return x

    @runtime.workflow
    def flow(ctx: wf.DaprWorkflowContext) -> Any:
        one, two = ctx.call_activity(echo, input=1), ctx.call_activity(echo, input=2)
        both = wf.when_all([one, two])
        assert (both.pending_tasks, both.get_completed_tasks(), both.is_complete) == (2, 0, False)
        never = ctx.create_timer(timedelta(days=1))
        winner = yield wf.when_any([never, both])
        assert winner is both
        assert both.get_tasks() == [one, two]
        # The same task twice, and in several groups, is allowed.
        twice = yield wf.when_all([one, one, wf.when_all([two])])
        bad = ctx.call_activity(echo, input="bad")
        failed = yield wf.when_any([bad, never])
        assert failed.is_failed
        empty = yield wf.when_any([])
        both_bad = wf.when_all([ctx.call_activity(echo, input="bad"), ctx.create_timer(timedelta(hours=1))])
        try:
            yield both_bad
        except wf.TaskFailedError as error:
            assert isinstance(error.__cause__, everstep.ActivityError)
            return [both.get_result(), twice, empty, error.details.message, both_bad.is_failed]

    with runtime:
        assert outcome(client, flow) == [[1, 2], [1, 1, [2]], [], "bad", True]


def test_what_no_task_is_is_refused(client: wf.DaprWorkflowClient) -> None:
    runtime = wf.WorkflowRuntime()

    @runtime.workflow
    def flow(ctx: wf.DaprWorkflowContext) -> Any:
        try:
            wf.when_all([1])  # type: ignore[list-item]
        except TypeError:
            return (yield ctx.create_timer(ctx.current_utc_datetime - timedelta(hours=1)))

    with runtime:
        assert outcome(client, flow) is None


def test_failures_have_the_names_of_the_official_sdk() -> None:
    explain = call_failed("a call")
    failure = everstep.Failure("ActivityNotRegistered", "nobody has it")
    missing = explain(everstep.ActivityNotRegisteredError("missing", failure=failure))
    assert isinstance(missing, wf.TaskFailedError)
    assert missing.details == wf.FailureDetails("nobody has it", "ActivityNotRegisteredError")
    cancelled = explain(asyncio.CancelledError())
    assert isinstance(cancelled, wf.TaskFailedError)
    assert cancelled.details.error_type == "Cancelled"
    unreadable = everstep.DecodeError("no JSON")
    assert explain(unreadable) is unreadable


def test_waits_with_every_kind_of_timeout(client: wf.DaprWorkflowClient) -> None:
    runtime = wf.WorkflowRuntime()

    @runtime.workflow
    def flow(ctx: wf.DaprWorkflowContext) -> Any:
        late = []
        for timeout in (
            timedelta(0),
            timedelta(minutes=1),
            ctx.current_utc_datetime + timedelta(minutes=2),
            ctx.current_utc_datetime - timedelta(minutes=2),
            datetime.now(timezone.utc),
        ):
            try:
                yield ctx.wait_for_external_event("never", timeout=timeout)
            except TimeoutError as error:
                late.append(type(error) is TimeoutError)
        try:
            ctx.wait_for_external_event("never", timeout=5)  # type: ignore[arg-type]
        except TypeError:
            late.append("numbers are refused")
        return [late, (yield ctx.wait_for_external_event("comes", timeout=timedelta(seconds=-1)))]

    with runtime:
        instance_id = client.schedule_new_workflow(flow)
        client.raise_workflow_event(instance_id, "comes", data="here")
        state = client.wait_for_workflow_completion(instance_id, timeout_in_seconds=SECONDS)
        assert state is not None
        assert json.loads(state.serialized_output or "") == [[True] * 5 + ["numbers are refused"], "here"]


def test_continue_as_new_does_not_leave_the_function(client: wf.DaprWorkflowClient) -> None:
    runtime = wf.WorkflowRuntime()
    after = []

    @runtime.workflow
    def flow(ctx: wf.DaprWorkflowContext, how: str) -> Any:
        if how == "again":
            return "second run"
        ctx.continue_as_new("again")
        ctx.continue_as_new("only the first call counts")
        after.append(how)
        if how == "raise":
            raise ValueError("too late to fail")
        if how == "yield":
            yield ctx.create_timer(timedelta(days=1))
            after.append("never")

    @runtime.workflow
    def no_generator(ctx: wf.DaprWorkflowContext, number: int) -> Any:
        if number < 2:
            ctx.continue_as_new(number + 1)
        return number

    with runtime:
        for how in ("return", "raise", "yield"):
            assert outcome(client, flow, how) == "second run"
        assert outcome(client, no_generator, 0) == 2
    assert after == ["return", "raise", "yield"]


def test_custom_status_is_sent_as_it_stands(client: wf.DaprWorkflowClient) -> None:
    runtime = wf.WorkflowRuntime()

    @runtime.workflow
    def flow(ctx: wf.DaprWorkflowContext, status: Any) -> Any:
        if isinstance(status, dict):
            with pytest.warns(DeprecationWarning, match="custom status"):
                ctx.set_custom_status(status)
        else:
            ctx.set_custom_status(status)
            ctx.set_custom_status(None if status == "cleared" else status)

    with runtime:
        for given, expected in (("bare text", "bare text"), ({"a": 1}, '{"a": 1}'), ("cleared", None)):
            instance_id = client.schedule_new_workflow(flow, input=given)
            state = client.wait_for_workflow_completion(instance_id, timeout_in_seconds=SECONDS)
            assert state is not None
            assert state.serialized_custom_status == expected


def test_another_application_and_histories_handed_down_are_refused(client: wf.DaprWorkflowClient) -> None:
    runtime = wf.WorkflowRuntime()

    @runtime.workflow
    def flow(ctx: wf.DaprWorkflowContext) -> Any:
        yield ctx.call_activity("any", propagation=wf.PropagationScope.LINEAGE)

    with runtime:
        with pytest.raises(OrchestrationFailedError) as failed:
            outcome(client, flow)
        assert failed.value.failure_details.error_type == "OperationNotImplementedError"
    for call in (
        lambda: client.schedule_new_workflow("any", app_id="other"),
        lambda: client.get_workflow_state("any", app_id="other"),
        lambda: client.rerun_workflow_from_event("any", 1, new_child_workflow_instance_id="mine"),
    ):
        with pytest.raises(everstep.OperationNotImplementedError):
            call()


def test_a_history_that_was_handed_down_is_searched_by_name() -> None:
    checks = [wf.ActivityResult("check", True, True, False, None, str(number), None) for number in range(2)]
    child = wf.ChildWorkflowResult("inspect", True, True, False, "fine", None)
    audit = wf.WorkflowResult("audit-1", "app", "audit", checks, [child])
    history = wf.PropagatedHistory(wf.PropagationScope.LINEAGE, [audit, audit])
    assert history.get_app_ids() == ["app"]
    assert history.get_workflows() == history.get_workflows_by_name("audit") == [audit, audit]
    assert history.get_last_workflow_by_name("audit").get_last_activity_by_name("check").output == "1"
    assert audit.get_activities_by_name("check") == checks
    assert audit.get_child_workflows_by_name("inspect") == [child]
    assert audit.get_last_child_workflow_by_name("inspect") is child
    for search in (history.get_last_workflow_by_name, audit.get_last_activity_by_name):
        with pytest.raises(wf.PropagationNotFoundError):
            search("nothing")


# Clients.


def test_errors_are_typed(client: wf.DaprWorkflowClient) -> None:
    runtime = wf.WorkflowRuntime()

    @runtime.workflow
    def waits(ctx: wf.DaprWorkflowContext) -> Any:
        yield ctx.wait_for_external_event("go")

    with runtime:
        client.schedule_new_workflow(waits, instance_id="waits")
        with pytest.raises(everstep.AlreadyExistsError):
            client.schedule_new_workflow(waits, instance_id="waits")
        with pytest.raises(everstep.FailedPreconditionError):
            client.purge_workflow("waits")
        with pytest.raises(everstep.FailedPreconditionError):
            client.rerun_workflow_from_event("waits", 1)
        with pytest.raises(TimeoutError):
            client.wait_for_workflow_completion("waits", timeout_in_seconds=0.05)
        with pytest.warns(DeprecationWarning, match="reuse_id_policy"), pytest.raises(everstep.AlreadyExistsError):
            client.schedule_new_workflow(waits, instance_id="waits", reuse_id_policy="terminate")
    for call in (
        client.pause_workflow,
        client.resume_workflow,
        client.terminate_workflow,
        client.purge_workflow,
        client.get_workflow_history,
        lambda missing: client.raise_workflow_event(missing, "any"),
    ):
        with pytest.raises(everstep.NotFoundError):
            call("missing")
    assert client.get_workflow_state("missing") is None
    assert client.wait_for_workflow_start("missing", timeout_in_seconds=1) is None
    assert client.wait_for_workflow_completion("missing", timeout_in_seconds=1) is None
    for wrong in (
        lambda: client.list_workflow_instance_ids(page_size=0),
        lambda: client.rerun_workflow_from_event("missing", -1),
        lambda: client.rerun_workflow_from_event("missing", 1, new_instance_id=""),
    ):
        with pytest.raises(ValueError):
            wrong()


def test_pages_end(client: wf.DaprWorkflowClient) -> None:
    ids = {client.schedule_new_workflow("nobody") for _ in range(5)}
    page = client.list_workflow_instance_ids(page_size=3)
    assert len(page.instance_ids) == 3
    rest = client.list_workflow_instance_ids(page_size=3, continuation_token=page.continuation_token)
    assert rest.continuation_token is None
    assert {*page.instance_ids, *rest.instance_ids} == ids == set(client.iter_workflow_instance_ids(page_size=2))


def test_a_stalled_instance_is_waited_for(client: wf.DaprWorkflowClient, caplog: pytest.LogCaptureFixture) -> None:
    first, second = wf.WorkflowRuntime(), wf.WorkflowRuntime()

    def waits(ctx: wf.DaprWorkflowContext) -> Any:
        return (yield ctx.wait_for_external_event("go"))

    def other(ctx: wf.DaprWorkflowContext) -> str:
        return "other"

    first.register_versioned_workflow(waits, name="flow", version_name="1", is_latest=True)
    second.register_versioned_workflow(other, name="flow", version_name="2", is_latest=True)
    with first:
        instance_id = client.schedule_new_workflow("flow")
        client.wait_for_workflow_start(instance_id, timeout_in_seconds=SECONDS)
    with second:
        client.raise_workflow_event(instance_id, "go", data="back")
        with caplog.at_level(logging.WARNING), pytest.raises(TimeoutError):
            client.wait_for_workflow_completion(instance_id, timeout_in_seconds=0.4)
        told = [record for record in caplog.records if record.name == "DaprWorkflowClient"]
        state = client.get_workflow_state(instance_id)
        assert state is not None
        if state.runtime_status is wf.WorkflowStatus.STALLED:
            assert len(told) == 1
    waiter: list[Any] = []
    thread = threading.Thread(
        target=lambda: waiter.append(client.wait_for_workflow_completion(instance_id, timeout_in_seconds=SECONDS))
    )
    thread.start()
    with first:
        thread.join(SECONDS)
    assert waiter[0].serialized_output == '"back"'


def test_states_read_as_in_the_official_sdk(client: wf.DaprWorkflowClient) -> None:
    runtime = wf.WorkflowRuntime()

    @runtime.workflow
    def fails(ctx: wf.DaprWorkflowContext, text: str) -> Any:
        raise KeyError(text)

    with runtime:
        begun = datetime.now(timezone.utc).replace(tzinfo=None) - timedelta(seconds=1)
        instance_id = client.schedule_new_workflow(fails, input="k", start_at=begun)
        state = client.wait_for_workflow_completion(instance_id, timeout_in_seconds=SECONDS)
    assert state is not None
    assert state.created_at is not None
    assert state.created_at.tzinfo is None
    assert state.created_at >= begun
    assert state.failure_details is not None
    assert (state.failure_details.error_type, state.failure_details.message) == ("KeyError", "'k'")
    assert json.loads(str(state))["failure_details"]["error_type"] == "KeyError"
    with pytest.raises(OrchestrationFailedError):
        state.raise_if_failed()


def test_a_client_that_is_closed_says_so() -> None:
    client = wf.DaprWorkflowClient()
    client.close()
    with pytest.raises(everstep.ClosedError):
        client.get_workflow_state("any")

    async def closed() -> None:
        async with aio.DaprWorkflowClient() as client:
            assert await client.get_workflow_state("missing") is None
            assert await client.wait_for_workflow_completion("missing") is None
            assert await client.wait_for_workflow_start("missing") is None
        with pytest.raises(everstep.ClosedError):
            await client.get_workflow_state("any")

    asyncio.run(closed())


def test_the_seven_operations_fail_as_in_the_official_sdk() -> None:
    with clients.DaprClient() as client:
        for call in (client.get_workflow, client.pause_workflow, client.purge_workflow):
            with pytest.raises(clients.DaprInternalError, match="no such instance exists") as failed:
                call("missing", "dapr")
            assert failed.value.as_dict()["errorCode"] == "ERR_INSTANCE_ID_NOT_FOUND"
            with pytest.raises(ValueError, match="instance_id"):
                call("", "dapr")
        with pytest.raises(clients.DaprInternalError, match="no JSON"):
            client.start_workflow("dapr", "flow", input={1, 2})
        with pytest.raises(clients.DaprInternalError):
            client.start_workflow("no-such-component", "flow")
        started = client.start_workflow("dapr", "flow", input=b'{"raw": 1}', send_raw_bytes=True)
        state = client.get_workflow(started.instance_id, "dapr")
        assert (state.runtime_status, state.properties["dapr.workflow.input"]) == ("Pending", '{"raw": 1}')
        answer = client.raise_workflow_event(started.instance_id, "dapr", "event", event_data=None)
        assert (answer.headers, answer.get_headers(), answer.get_headers(as_dict=True)) == ({}, (), {})


# Connections and logs.


@pytest.mark.parametrize(
    ("host", "port", "endpoint"),
    [
        ("localhost", "50005", "grpc://localhost:50005"),
        (None, 4001, "grpc://127.0.0.1:4001"),
        ("10.0.0.1", None, "grpc://10.0.0.1:50001"),
        ("https://dapr.example", "443", "grpcs://dapr.example:443"),
        ("[::1]", "1", "grpc://[::1]:1"),
    ],
)
def test_hosts_and_ports_become_endpoints(host: str | None, port: str | int | None, endpoint: str) -> None:
    assert connection.endpoint_of(host, port) == endpoint


@pytest.mark.parametrize(
    ("address", "endpoint"),
    [
        ("localhost:50001", "grpc://localhost:50001"),
        ("dns:localhost:50001", "grpc://localhost:50001"),
        ("https://dapr.example", "grpcs://dapr.example:443"),
        ("dapr.example:1?tls=true", "grpcs://dapr.example:1"),
        ("[::1]", "grpc://[::1]:443"),
    ],
)
def test_addresses_become_endpoints(address: str, endpoint: str) -> None:
    assert connection.address_of(address) == endpoint


def test_what_is_no_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for address in ("ftp://host:1", "host:1?tls=perhaps"):
        with pytest.raises(everstep.InvalidArgumentError, match="address"):
            connection.address_of(address)
    monkeypatch.setenv("DAPR_API_TIMEOUT_SECONDS", "soon")
    with pytest.raises(everstep.InvalidArgumentError, match="DAPR_API_TIMEOUT_SECONDS"):
        wf.DaprWorkflowClient()
    monkeypatch.setenv("DAPR_API_TIMEOUT_SECONDS", "2.5")
    assert connection.options_of() == {"call_timeout": 2.5}
    assert connection.options_of(1 << 20)["max_payload_bytes"] == 1 << 20
    monkeypatch.setenv("DAPR_GRPC_MAX_INBOUND_MESSAGE_SIZE_BYTES", "4096")
    assert connection.options_of()["max_payload_bytes"] == 4096


def test_a_runtime_and_its_clients_share_the_engine_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVERSTEP_ENDPOINT", "memory:")
    assert connection.endpoint_of() == "memory:dapr"
    monkeypatch.setenv("EVERSTEP_ENDPOINT", "memory:mine")
    assert connection.endpoint_of() is None


def test_interceptors_are_refused_where_they_would_not_be_called() -> None:
    runtime = wf.WorkflowRuntime(interceptors=[object()])
    runtime.start()
    runtime.shutdown()
    refused = wf.WorkflowRuntime(host="127.0.0.1", port="1", interceptors=[object()])
    with pytest.raises(everstep.OperationNotImplementedError, match="interceptors"):
        refused.start()
    with pytest.raises(everstep.OperationNotImplementedError, match="interceptors"):
        clients.DaprClient("127.0.0.1:1", interceptors=[object()])


def test_a_runtime_that_reaches_nobody_is_not_ready() -> None:
    runtime = wf.WorkflowRuntime(host="127.0.0.1", port="1", worker_ready_timeout=0.2)
    runtime.register_workflow(lambda ctx: None, name="one")
    with pytest.raises(RuntimeError, match="ready"):
        runtime.start()


def test_the_log_goes_where_the_options_say(client: wf.DaprWorkflowClient) -> None:
    lines: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    handler = Kept()
    options = LoggerOptions("WARNING", handler, logging.Formatter("%(levelname)s %(message)s"))
    runtime = wf.WorkflowRuntime(logger_options=options)
    again = Logger("WorkflowRuntime", options)
    try:
        again.info("too quiet")
        for level in ("warning", "error", "critical"):
            getattr(again, level)("%s", level)
        again.debug("too quiet")
        try:
            raise ValueError("at hand")
        except ValueError:
            again.exception("seen")
        assert again.get_options() is options
        assert [line.splitlines()[0] for line in lines] == [
            "WARNING warning",
            "ERROR error",
            "CRITICAL critical",
            "ERROR seen",
        ]

        @runtime.activity
        def fails(ctx: Any) -> None:
            raise ValueError("on purpose")

        @runtime.workflow
        def flow(ctx: wf.DaprWorkflowContext) -> Any:
            yield ctx.call_activity(fails)

        with runtime, pytest.raises(OrchestrationFailedError):
            outcome(client, flow)
        assert "on purpose" in lines[-1]
    finally:
        logging.getLogger("WorkflowRuntime").removeHandler(handler)


# Tools.


def test_tools_are_listed_by_their_workflow(client: wf.DaprWorkflowClient) -> None:
    runtime = wf.WorkflowRuntime()
    answers: dict[str, Any] = {
        "weather": {
            "tools": [{"name": "tides", "description": "high water"}, {"name": "wind", "inputSchema": {"a": 1}}]
        },
        "empty": None,
    }

    def list_tools(ctx: Any, request: dict[str, str]) -> Any:
        return answers[request["mcpServerName"]]

    def broken(ctx: Any) -> None:
        raise ValueError("no")

    for name in answers:
        runtime.register_workflow(functools.partial(list_tools), name=f"{'dapr.internal.mcp.'}{name}.ListTools")
    runtime.register_workflow(broken, name="dapr.internal.mcp.broken.ListTools")
    with runtime:
        finder = wf.DaprMCPClient(timeout_in_seconds=SECONDS, wf_client=client)
        finder.connect("weather")
        finder.connect("empty")
        tides, wind = finder.get_all_tools()
        assert tides == wf.MCPToolDef("tides", "high water", {}, "weather", "dapr.internal.mcp.weather.CallTool.tides")
        assert wind.input_schema == {"a": 1}
        assert finder.get_connected_servers() == ["weather", "empty"]
        with pytest.raises(RuntimeError, match="FAILED"):
            finder.connect("broken")

        async def allowed() -> list[wf.MCPToolDef]:
            some = aio.DaprMCPClient(timeout_in_seconds=SECONDS, allowed_tools={"wind"})
            await some.connect("weather")
            return some.get_server_tools("weather")

        assert [tool.name for tool in asyncio.run(allowed())] == ["wind"]
    with pytest.raises(RuntimeError, match="in time"):
        wf.DaprMCPClient(timeout_in_seconds=0.1, wf_client=client).connect("nobody")
    with pytest.raises(ValueError, match="above 0"):
        wf.DaprMCPClient(timeout_in_seconds=0)
    with pytest.raises(ValueError, match="empty"):
        finder.connect(" ")
