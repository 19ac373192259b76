"""How states, handles and histories look in notebooks.

HTML with styles of its own and nothing from elsewhere; colours are the page's, so that light and dark themes both work.
Every text is escaped and shortened. Nothing here is imported before a notebook asks.
"""

from __future__ import annotations

from html import escape
from itertools import count
from typing import TYPE_CHECKING, Any

from .errors import EverstepError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime, timedelta

    from .handle import BaseHandle
    from .history import History, HistoryEvent
    from .models import Failure, WorkflowState

SHOWN = 100
"""How many events are shown of the beginning and of the end of a long history."""
TEXT = 160
"""How many characters of a payload or a message are shown."""

_COLORS = {
    "COMPLETED": "#2f9e52",
    "RUNNING": "#3f83e8",
    "FAILED": "#e0484f",
    "TERMINATED": "#e0484f",
    "CANCELED": "#e0484f",
    "STALLED": "#c27c1a",
    "SUSPENDED": "#c27c1a",
}
_TABLE = "border-collapse:collapse;color:inherit;background:transparent;text-align:left;font-size:13px"
_CELL = "text-align:left;vertical-align:top;padding:2px 10px 2px 0;border:0;background:transparent;color:inherit"
_NUMBERS = count(1)


def bundle(value: object, html: str, mermaid: str | None = None) -> dict[str, str]:
    """What a front end chooses from."""
    data = {"text/plain": repr(value), "text/html": html}
    if mermaid is not None:
        data["text/vnd.mermaid"] = mermaid
    return data


def state_html(state: WorkflowState) -> str:
    """A state as a table of what it has."""
    return _facts(f"Workflow {_text(state.name)}", _state_rows(state))


def handle_html(handle: BaseHandle[Any]) -> str:
    """A handle with the state of its instance, where it can ask for it."""
    rows = [("Instance", _code(handle.instance_id)), ("Execution", _code(handle.execution_id))]
    get = getattr(handle, "_peek", None)
    if get is None:
        return _facts("Workflow handle", [*rows, ("State", "<code>await handle.get()</code>")])
    try:
        state = get()
    except EverstepError as error:
        return _facts("Workflow handle", [*rows, ("State", f"{_text(error.code)}: {_text(error.message)}")])
    return state_html(state)


def history_html(history: History) -> str:
    """A history as a table, its first and its last events."""
    mark = f"everstep-{next(_NUMBERS)}"
    events = list(history)
    places = range(len(events))
    shown: Iterable[int] = places
    if len(events) > 2 * SHOWN:
        shown = [*places[:SHOWN], *places[-SHOWN:]]
    known = set(shown)
    began = next((event.timestamp for event in events if event.type == "ExecutionStarted"), None)
    heads = ("#", "Time", "Event", "Name", "What it says", "Took", "Belongs to")
    head = "".join(f'<th scope="col" style="{_CELL};border-bottom:1px solid">{name}</th>' for name in heads)
    rows = []
    for place in shown:
        if place == len(events) - SHOWN and len(known) < len(events):
            left_out = len(events) - len(known)
            rows.append(f'<tr><td colspan="{len(heads)}" style="{_CELL}"><em>{left_out} events left out</em></td></tr>')
        rows.append(_event_row(mark, events, place, known, began))
    return (
        f'<table class="everstep-history" style="{_TABLE}"><caption style="text-align:left;font-weight:bold">'
        f"{_caption(history, events)}</caption><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


def _caption(history: History, events: list[HistoryEvent]) -> str:
    started = next((event for event in events if event.type == "ExecutionStarted"), None)
    ended = next((event for event in reversed(events) if event.type == "ExecutionCompleted"), None)
    parts = [f"History of {_text(history.instance_id)}"]
    if started is not None and started.name:
        parts.append(_text(started.name))
    if ended is not None and ended.status is not None:
        parts.append(_status(ended.status.value))
    parts.append(f"{len(events)} event{'' if len(events) == 1 else 's'}")
    if ended is not None and ended.duration is not None:
        parts.append(_spoken(ended.duration))
    return " · ".join(parts)


def _event_row(mark: str, events: list[HistoryEvent], place: int, known: set[int], began: datetime | None) -> str:
    event = events[place]
    cells = [
        _time(event.timestamp, began),
        _text(event.type),
        _text(event.name),
        "<br>".join(_said(event)),
        _spoken(event.duration) if event.duration is not None else "",
        " ".join(_links(mark, event, known)),
    ]
    data = "".join(f'<td style="{_CELL}">{cell}</td>' for cell in cells)
    return f'<tr id="{mark}-{place}"><th scope="row" style="{_CELL}">{place}</th>{data}</tr>'


def _said(event: HistoryEvent) -> Iterator[str]:
    """What an event says beyond its name, a line each."""
    if event.status is not None:
        yield _status(event.status.value)
    if event.type.startswith("ChildWorkflow"):
        yield _code(event.instance_id)
    if event.attempt is not None and event.attempt > 1:
        yield f"attempt {event.attempt}"
    if event.timer_use is not None:
        yield _text(event.timer_use.replace("_", " "))
    if event.is_given_up:
        yield "given up"
    for text in (event.raw_input, event.raw_result, event.attributes.get("custom_status")):
        if text is not None:
            yield _code(text)
    for key in ("description", "reason"):
        if event.attributes.get(key):
            yield _text(event.attributes[key])
    if event.failure is not None:
        yield _failure(event.failure)


def _links(mark: str, event: HistoryEvent, known: set[int]) -> Iterator[str]:
    pairs = (
        ("answers", event.scheduled),
        ("answered by", event.outcome),
        ("first attempt", event.first_attempt),
        ("of", event.serves),
    )
    for words, other in pairs:
        place = None if other is None else other.index
        if place is not None:
            link = f'<a href="#{mark}-{place}" style="color:inherit">{place}</a>' if place in known else str(place)
            yield f"{words} {link}"


def _state_rows(state: WorkflowState) -> Iterator[tuple[str, str]]:
    yield "Instance", _code(state.instance_id)
    yield "Status", _status(state.runtime_status.value)
    yield "Reason", _text(state.reason)
    yield "Version", _text(state.version)
    yield "Created", _time(state.created_at)
    yield "To begin", _time(state.start_at)
    yield "Started", _time(state.started_at)
    yield "Last change", _time(state.last_updated_at)
    yield "Completed", _time(state.completed_at)
    if state.created_at is not None and state.completed_at is not None:
        yield "Took", _spoken(state.completed_at - state.created_at)
    yield "Custom status", _code(state.raw_custom_status)
    yield "Input", _code(state.raw_input)
    yield "Output", _code(state.raw_output)
    if state.failure is not None:
        yield "Failure", "<br>caused by ".join(_failure(failure) for failure in list(state.failure.chain())[:8])
    yield "Parent", _code(state.parent_instance_id)
    yield "Tags", ", ".join(f"{_text(key)}={_text(value)}" for key, value in list(state.tags.items())[:32])
    yield "Execution", _code(state.execution_id)


def _facts(title: str, rows: Iterable[tuple[str, str]]) -> str:
    body = "".join(
        f'<tr><th scope="row" style="{_CELL}">{name}</th><td style="{_CELL}">{value}</td></tr>'
        for name, value in rows
        if value
    )
    return (
        f'<table class="everstep-facts" style="{_TABLE}"><caption style="text-align:left;font-weight:bold">'
        f"{title}</caption><tbody>{body}</tbody></table>"
    )


def _failure(failure: Failure) -> str:
    return f'<span style="color:#e0484f">{_text(failure.error_type)}</span>: {_text(failure.message)}'


def _status(status: str) -> str:
    # The word says it; the colour only helps.
    return f'<span style="color:{_COLORS.get(status, "inherit")}">{_text(status)}</span>'


def _text(value: object, limit: int = TEXT) -> str:
    """Text of the user's: short, on one line, read from left to right, and never markup."""
    if value is None:
        return ""
    text = str(value)
    shown = "".join(letter if letter.isprintable() else " " for letter in text[:limit])
    return escape(" ".join(shown.split()), quote=True) + ("…" if len(text) > limit else "")


def _code(value: object) -> str:
    text = _text(value)
    return f'<code style="background:transparent;color:inherit">{text}</code>' if text else ""


def _time(moment: datetime | None, since: datetime | None = None) -> str:
    if moment is None:
        return ""
    full = moment.isoformat(sep=" ", timespec="milliseconds")
    shown = full.removesuffix("+00:00") + " UTC" if full.endswith("+00:00") else full
    if since is not None and moment >= since:
        shown = "+" + _spoken(moment - since)
    return f'<time datetime="{moment.isoformat()}" title="{full}">{shown}</time>'


def _spoken(length: timedelta) -> str:
    """A length of time in its two largest units."""
    seconds = length.total_seconds()
    if seconds < 0:
        return f"-{_spoken(-length)}"
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms"
    if seconds < 60:
        return f"{seconds:.3g} s"
    for size, unit, smaller, name in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= size:
            rest = int(seconds % size // smaller)
            return f"{int(seconds // size)} {unit}" + (f" {rest} {name}" if rest else "")
    return f"{seconds:.3g} s"
