"""Tasks, timers, events and statuses in workflows by the names of Dapr's SDK."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

import everstep
import everstep.dapr as wf
from everstep.dapr.task import call_failed
from everstep.dapr.workflow_state import OrchestrationFailedError
from sdk import SECONDS, outcome

pytestmark = pytest.mark.usefixtures("dapr_engine")


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
