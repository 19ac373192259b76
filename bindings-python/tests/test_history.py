"""Histories, and how they, states and handles look in notebooks."""

from __future__ import annotations

import asyncio
import copy
import pickle
import subprocess
import sys
from dataclasses import asdict
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import everstep
from everstep.display import SHOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

HOSTILE = '<script>alert("1")</script><img src=x onerror=alert(1)>&amp;\'"'
VOID = {"br", "img"}


@everstep.activity
def flaky(number: int) -> int:
    if everstep.current_activity().attempt < 3:
        raise ValueError(HOSTILE)
    return number + 1


@everstep.activity
def shout(text: str) -> str:
    return text.upper()


@everstep.workflow
async def child(ctx: everstep.WorkflowContext, text: str) -> str:
    return await ctx.call(shout, text)


@everstep.workflow
async def parent(ctx: everstep.WorkflowContext, text: str) -> Any:
    ctx.set_custom_status(text)
    retry = everstep.Retry(max_attempts=3, first_interval=0.001)
    number = await ctx.call(flaky, 1, retry=retry)
    said = await ctx.wait_for_event("go", timeout=3600)
    return [number, said, await ctx.call(child, text, instance_id=f"{ctx.instance_id}-child")]


@everstep.activity
async def hangs() -> None:
    await asyncio.sleep(60)


@everstep.workflow
async def unlucky(ctx: everstep.WorkflowContext) -> str:
    try:
        await ctx.call(fails, retry=everstep.Retry(max_attempts=2, first_interval=0.001))
    except everstep.ChildWorkflowError:
        pass
    try:
        await ctx.call(hangs, timeout=0.02)
    except TimeoutError:
        return "done"
    return "it has ended"


@everstep.workflow
async def waits(ctx: everstep.WorkflowContext) -> Any:
    ctx.set_custom_status("waiting")
    return await ctx.wait_for_event("go", timeout=3600)


@everstep.workflow
async def fails(ctx: everstep.WorkflowContext) -> None:
    raise ValueError(HOSTILE)


@everstep.workflow
async def loops(ctx: everstep.WorkflowContext, count: int) -> None:
    for _ in range(count):
        await ctx.call(shout, "x")


@pytest.fixture
def client() -> Iterator[everstep.Client]:
    with (
        everstep.Client("memory:") as client,
        everstep.Worker(client, [parent, child, unlucky, waits, fails, loops], [flaky, shout, hangs]),
    ):
        yield client


@pytest.fixture
def handle(client: everstep.Client) -> everstep.WorkflowHandle[Any]:
    handle = client.start_workflow(parent, HOSTILE, instance_id="p")
    handle.raise_event("go", "yes")
    assert handle.result(timeout=30) == [2, "yes", HOSTILE.upper()]
    return handle


def test_events_are_linked(client: everstep.Client, handle: everstep.WorkflowHandle[Any]) -> None:
    history = handle.history()
    assert history.instance_id == "p"
    first, second, third, kid = history.calls
    assert [call.attempt for call in (first, second, third)] == [1, 2, 3]
    assert (first.first_attempt, second.first_attempt, third.first_attempt) == (None, first, first)
    assert first.outcome is not None
    assert first.outcome.type == "TaskFailed"
    assert first.outcome.scheduled is first
    assert first.outcome.name == "flaky"
    assert first.outcome.failure is not None
    assert first.outcome.failure.error_type == "ValueError"
    assert third.outcome is not None
    assert (third.input, third.outcome.result, third.outcome.raw_result) == (1, 2, "2")
    assert [event.type for event in history.failures] == ["TaskFailed", "TaskFailed"]
    pauses = [timer for timer in history.events_of("TimerCreated") if timer.timer_use == "retry"]
    assert [pause.serves for pause in pauses] == [first, second]
    assert kid.duration is not None
    assert kid.duration > timedelta(0)
    started, ended = history.events_of("ExecutionStarted", "ExecutionCompleted")
    assert (started.outcome, ended.scheduled) == (ended, started)
    assert ended.status is everstep.RuntimeStatus.COMPLETED
    assert (started.index, history[0].index) == (list(history).index(started), 0)
    assert history[1:3] == list(history)[1:3]
    assert history[-1] is ended
    assert history == handle.history() != client.get_workflow_history("p-child")
    assert "events" in repr(history)


def test_limits_and_attempts_of_children_are_linked(client: everstep.Client) -> None:
    handle = client.start_workflow(unlucky)
    assert handle.result(timeout=30) == "done"
    history = handle.history()
    first, second, hung = history.calls
    assert [(call.attempt, call.first_attempt) for call in (first, second)] == [(1, None), (2, first)]
    assert first.instance_id != second.instance_id
    answers = history.events_of("ChildWorkflowInstanceFailed")
    assert [(answer.scheduled, answer.instance_id) for answer in answers] == [
        (first, first.instance_id),
        (second, second.instance_id),
    ]
    pause, limit = history.events_of("TimerCreated")
    assert (pause.timer_use, pause.serves) == ("retry", first)
    assert (limit.timer_use, limit.serves) == ("activity_timeout", hung)
    assert limit.outcome is not None
    assert hung.outcome is None
    assert hung.is_given_up
    diagram = history.to_mermaid()
    assert "loop fails, 2 attempts" in diagram
    assert "the attempt timed out" in diagram


def test_an_event_can_be_copied_and_kept(handle: everstep.WorkflowHandle[Any]) -> None:
    for event in handle.history():
        kept = pickle.loads(pickle.dumps(event))
        assert kept == copy.deepcopy(event) == event
        assert (kept.outcome, kept.scheduled, kept.child, kept.index) == (None, None, None, None)
        assert asdict(event)["type"] == event.type


def test_an_event_knows_the_wait_that_took_it(client: everstep.Client) -> None:
    handle = client.start_workflow(waits)
    for state in handle.watch():
        if state.custom_status == "waiting":
            handle.raise_event("go", 1)
    assert state.output == 1
    history = handle.history()
    wait = next(event for event in history if event.timer_use == "event_timeout")
    assert wait.is_given_up
    assert wait.outcome is not None
    assert (wait.outcome.type, wait.outcome.scheduled) == ("EventRaised", wait)


def test_children_are_read_when_they_are_asked_for(
    client: everstep.Client, handle: everstep.WorkflowHandle[Any]
) -> None:
    for history in (handle.history(), handle.history(expand=2)):
        assert history.child_ids == ["p-child"]
        kid = history.calls[-1].child
        assert kid is not None
        assert kid.calls[0].name == "shout"
        assert kid.child("p") is None
        assert history[1].child is None
        plain, whole = history.to_mermaid(), history.to_mermaid(expand=1)
        assert plain.startswith("sequenceDiagram\n")
        assert "participant" in plain
        assert "rect" not in plain
        assert "rect" in whole
        assert "<" not in whole
    history = handle.history()
    client.purge_workflow("p")
    client.start_workflow(child, "other", instance_id="p-child").result(timeout=30)
    assert history.child("p-child") is None, "another workflow has its ID"
    with pytest.raises(everstep.NotFoundError):
        handle.history()


@pytest.mark.parametrize("wrong", [-1, True, 1.5, "1", 2**40])
def test_wrong_arguments(handle: everstep.WorkflowHandle[Any], wrong: Any) -> None:
    history = handle.history()
    with pytest.raises(everstep.InvalidArgumentError):
        handle.history(expand=wrong)
    with pytest.raises(everstep.InvalidArgumentError):
        history.to_mermaid(expand=wrong)
    with pytest.raises(everstep.InvalidArgumentError):
        history.to_mermaid(max_lines=wrong)


def test_an_asyncio_history_has_the_children_that_were_read(tmp_path: Path) -> None:
    async def run() -> None:
        async with everstep.AsyncClient(f"sqlite:{tmp_path / 'a.db'}") as client:
            async with everstep.Worker(client, [parent, child], [flaky, shout]):
                handle = await client.start_workflow(parent, "x", instance_id="p")
                await handle.raise_event("go")
                await handle.result(timeout=30)
            bare, whole = await handle.history(), await handle.history(expand=1)
            kid = whole.calls[-1].child
            assert kid is not None
            assert kid.events_of("ExecutionStarted")[0].name == "child"
            with pytest.raises(everstep.FailedPreconditionError):
                _ = bare.calls[-1].child
            assert "rect" in whole.to_mermaid(expand=1)
            assert "rect" not in bare.to_mermaid(expand=1)
            assert "await" in handle._repr_html_()

    asyncio.run(run())


class Page(HTMLParser):
    """Reads HTML strictly: what is open is closed, and nothing comes from elsewhere or runs."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in {"table", "caption", "thead", "tbody", "tr", "th", "td", "a", "br", "code", "em", "span", "time"}
        assert {key for key, _ in attrs} <= {"class", "style", "id", "href", "scope", "colspan", "datetime", "title"}
        attributes = dict(attrs)
        assert "url(" not in (attributes.get("style") or "")
        assert (attributes.get("href") or "#").startswith("#")
        self.tags.append((tag, attributes))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_a_history_is_a_table_of_linked_rows(handle: everstep.WorkflowHandle[Any]) -> None:
    history = handle.history()
    page = Page(history._repr_html_())
    rows = [row["id"] for row in page.of("tr") if "id" in row]
    assert len(rows) == len(set(rows)) == len(history)
    assert len(page.of("caption")) == 1
    assert {head["scope"] for head in page.of("th")} == {"col", "row"}
    targets = [str(link["href"])[1:] for link in page.of("a")]
    assert targets
    assert set(targets) <= set(rows)
    assert HOSTILE in "".join(page.text)
    other = Page(history._repr_html_())
    assert not {row["id"] for row in other.of("tr") if "id" in row} & set(rows), "each output has ids of its own"
    data = history._repr_mimebundle_()
    assert set(data) == {"text/plain", "text/html", "text/vnd.mermaid"}
    assert data["text/vnd.mermaid"] == history.to_mermaid()


def test_states_and_handles_show_what_they_are(client: everstep.Client, handle: everstep.WorkflowHandle[Any]) -> None:
    shown = Page(handle.get()._repr_html_())
    assert {head["scope"] for head in shown.of("th")} == {"row"}
    assert {"COMPLETED", "Instance", "Output", "Took"} <= set(shown.text)
    assert Page(handle._repr_html_()).text == shown.text
    assert set(handle._repr_mimebundle_()) == {"text/plain", "text/html"}
    failed = client.start_workflow(fails)
    state = failed.wait_for_completion(timeout=30)
    page = Page(state._repr_html_())
    assert f": {HOSTILE}" in page.text
    missing = Page(client.get_handle("nobody")._repr_html_())
    assert any("not_found" in text for text in missing.text)
    assert "nobody" in missing.text


def test_a_long_history_shows_its_ends(client: everstep.Client) -> None:
    handle = client.start_workflow(loops, 400)
    handle.result(timeout=60)
    history = handle.history()
    assert len(history) > 1000
    page = Page(history._repr_html_())
    assert len([row for row in page.of("tr") if "id" in row]) == 2 * SHOWN
    assert f"{len(history) - 2 * SHOWN} events left out" in page.text
    assert len(history._repr_html_()) < 400_000
    assert len(history.to_mermaid().splitlines()) <= 400
    assert len(history.to_mermaid(max_lines=60).splitlines()) <= 60
    assert "left out" in history.to_mermaid()


def test_long_payloads_are_cut() -> None:
    state = everstep.WorkflowState(
        "a",
        None,
        "w",
        None,
        everstep.RuntimeStatus.RUNNING,
        None,
        None,
        raw_input="<" * 1_000_000,
        tags={"\u202e" + HOSTILE: HOSTILE},
    )
    html = state._repr_html_()
    assert len(html) < 10_000
    assert "\u202e" not in html
    assert "".join(Page(html).text).count("<") < 200


def test_displaying_costs_nothing_before_it_is_asked_for() -> None:
    code = (
        "import sys, everstep\n"
        "with everstep.Client('memory:') as client:\n"
        "    try: client.get_workflow('x')\n"
        "    except everstep.NotFoundError: pass\n"
        "assert not {'everstep.display', 'everstep.history', 'html'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
