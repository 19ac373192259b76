"""What ``everstep.dapr`` makes of values: as Dapr's Python SDK writes and reads them."""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any, NamedTuple, Optional

import pytest

import everstep.dapr as wf
from everstep.dapr import payloads
from sdk import SECONDS

pytestmark = pytest.mark.usefixtures("dapr_engine")


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
