"""Encoding, and decoding by annotation."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any, Literal, NewType, Optional, Union
from uuid import UUID

import pytest

from conftest import conformance
from everstep.codecs import Codec, wire_of
from everstep.errors import DecodeError, InvalidArgumentError
from everstep.payload import ABSENT, RawPayload, decode, decoder_of, encode, parse
from everstep.wire import JSON

OrderId = NewType("OrderId", str)


class Color(Enum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 1


@dataclass
class Item:
    sku: str
    count: int = 1


class Custom: ...


@dataclass
class Holder:
    custom: Custom


@dataclass(frozen=True)
class Order:
    id: OrderId
    items: list[Item]
    paid: Decimal | None = None
    color: Color = Color.RED
    at: datetime | None = None
    tags: dict[str, int] = field(default_factory=dict)
    parent: Order | None = None


@pytest.mark.parametrize("backend", ["json", "msgspec"])
@pytest.mark.parametrize("vector", conformance("vectors/marks.json")["vectors"], ids=lambda vector: vector["name"])
def test_the_marks_of_dapr_s_python_sdk_are_no_part_of_a_value(vector: dict[str, Any], backend: Any) -> None:
    wire, stored, meant = wire_of(Codec(backend=backend)), vector["stored"], vector["meant"]
    assert wire.value(stored) == meant
    assert wire.loads(f'{{"tasks":[{{"input":{stored}}}]}}') == {"tasks": [{"input": meant}]}


def test_a_marked_record_is_read_by_annotation() -> None:
    assert JSON.value('{"sku": "a", "count": 2, "__durabletask_autoobject__": true}', decoder_of(Item)) == Item("a", 2)


@pytest.mark.parametrize("value", [0, False, "", [], {}, None, 0.0])
def test_falsy_values_arrive_as_sent(value: Any) -> None:
    text = JSON.text(value, "input")
    assert text is not None
    back = decode(text)
    assert back == value
    assert type(back) is type(value)


def test_absent_is_not_null() -> None:
    assert JSON.text(ABSENT, "input") is None
    assert JSON.text(None, "input") == "null"
    assert JSON.member("input", ABSENT, "input") == ""
    assert JSON.member("input", None, "input") == ',"input":null'
    assert JSON.member("input", RawPayload("{"), "input") == ',"input_text":"{"'
    assert not ABSENT
    assert decode(None) is None
    assert decode("") is None


def test_a_dataclass_goes_there_and_back() -> None:
    order = Order(
        OrderId("o-1"),
        [Item("a", 2), Item("b")],
        Decimal("1.50"),
        Color.BLUE,
        datetime(2026, 11, 21, tzinfo=timezone.utc),
        {"x": 1},
        Order(OrderId("o-0"), []),
    )
    assert decode(encode(order), decoder_of(Order)) == order


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        (Any, "[1]", [1]),
        (None, "null", None),
        (int, "3", 3),
        (int, "3.0", 3),
        (float, "3", 3.0),
        (bool, "true", True),
        (Optional[int], "null", None),
        (Union[int, str], '"a"', "a"),
        (Union[float, int], "1", 1),
        (Union[Item, Color], '"red"', Color.RED),
        (list[Item], '[{"sku":"a"}]', [Item("a")]),
        (tuple[int, str], '[1,"a"]', (1, "a")),
        (tuple[int, ...], "[1,2]", (1, 2)),
        (set[int], "[1,1]", {1}),
        (frozenset[str], '["a"]', frozenset({"a"})),
        (dict[int, Item], '{"1":{"sku":"a"}}', {1: Item("a")}),
        (dict[Color, int], '{"red":1}', {Color.RED: 1}),
        (Literal["a", 1], "1", 1),
        (Level, "1", Level.LOW),
        (date, '"2026-11-21"', date(2026, 11, 21)),
        (datetime, '"2026-11-21T10:00:00Z"', datetime(2026, 11, 21, 10, tzinfo=timezone.utc)),
        (timedelta, "1.5", timedelta(seconds=1.5)),
        (UUID, '"12345678-1234-5678-1234-567812345678"', UUID("12345678-1234-5678-1234-567812345678")),
        (Item, '{"sku":"a","of":"tomorrow"}', Item("a")),
    ],
)
def test_annotations_decode(annotation: Any, text: str, value: Any) -> None:
    decoded = decode(text, decoder_of(annotation))
    assert decoded == value
    assert type(decoded) is type(value)


@pytest.mark.parametrize(
    ("annotation", "text", "reason"),
    [
        (int, '"3"', "int: expected int, got string"),
        (int, "true", "int: expected int, got boolean"),
        (int, "1.5", "int: expected int, got number"),
        (int, "1e300", "int: expected int, got number"),
        (float, "true", "float: expected float, got boolean"),
        (float, "1" + "0" * 400, "beyond its range"),
        (bool, "1", "bool: expected bool, got number"),
        (str, "null", "str: expected str, got null"),
        (Order, '{"id":"a","items":[{"sku":"b"},{"sku":1}]}', "Order: items[1].sku: expected str, got number"),
        (
            Order,
            '{"id":"a","items":[],"parent":{"id":"b","items":{}}}',
            "parent.items: expected list[Item], got object",
        ),
        (Order, '{"id":"a","items":[],"paid":1.5}', "paid: expected Decimal (a string or a whole number), got number"),
        (Order, '{"items":[]}', "id: expected a value, got none"),
        (Order, "[]", "Order: expected Order, got list"),
        (list[int], "{}", "list[int]: expected list[int], got object"),
        (list[int], "[1,null]", "[1]: expected int, got null"),
        (tuple[int, str], "[1]", "expected tuple[int, str], got a list of 1"),
        (tuple[int, str], "[1,2]", "[1]: expected str, got number"),
        (Color, '"green"', "expected one of 'red', 'blue', got string"),
        (Level, "true", "expected one of 1, got boolean"),
        (datetime, '"soon"', "expected datetime (ISO 8601), got another string"),
        (UUID, "1", "expected UUID, got number"),
        (dict[int, int], '{"a":1}', "a: expected int as a key, got another string"),
        (dict[str, int], '{"a":null}', "a: expected int, got null"),
        (Literal["a", 1], "true", "expected one of 'a', 1, got boolean"),
        (
            Union[int, Item],
            '"a"',
            "expected Union[int, Item], got string; tried: expected Item, got string; expected int",
        ),
        (
            Union[Item, Color],
            '{"sku":1}',
            "tried: expected one of 'red', 'blue', got object; sku: expected str, got number",
        ),
        (None, "1", "null: expected null, got number"),
        (timedelta, "1e300", "beyond its range"),
    ],
)
def test_what_does_not_fit_names_its_place(annotation: Any, text: str, reason: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decode(text, decoder_of(annotation))
    assert f"does not fit {reason}" in caught.value.message or reason in caught.value.message
    assert json.loads(str(caught.value.text)) == json.loads(text)


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        -math.inf,
        [math.nan],
        "\ud800",
        ["\udfff"],
        RawPayload("\ud800"),
        {"a": object()},
        [10**5000],
        {(1, 2): 3},
        {1, object()},
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_json_cannot_say_is_refused(value: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="input"):
        JSON.text(value, "input")
    assert JSON.text([1], "input") == "[1]"


def test_circles_and_depth_are_refused() -> None:
    circle: list[Any] = []
    circle.append(circle)
    deep: Any = 0
    for _ in range(100_000):
        deep = [deep]
    for value in (circle, deep):
        with pytest.raises(InvalidArgumentError):
            encode(value)
        assert encode([[1]]) == "[[1]]"


@pytest.mark.parametrize("text", ["{", "NaN", "[1,]", "[" * 100_000, "1" * 5000, "\x00"], ids=lambda text: text[:3])
def test_what_is_no_json_keeps_its_text(text: str) -> None:
    with pytest.raises(DecodeError) as caught:
        parse(text)
    assert caught.value.text == text


@pytest.mark.parametrize("annotation", [Custom, list[Custom], "text", 3, dict[Custom, int], Union[str, bytes]])
def test_unknown_annotations_are_refused_early(annotation: Any) -> None:
    with pytest.raises(InvalidArgumentError):
        JSON.decoder(annotation)


def test_what_holds_an_unknown_annotation_says_where() -> None:
    with pytest.raises(InvalidArgumentError, match=r"Holder\.custom: Custom is no type"):
        JSON.decoder(list[Holder])


def test_a_prototype_key_is_a_key() -> None:
    assert decode('{"__proto__":{"a":1},"__class__":2}') == {"__proto__": {"a": 1}, "__class__": 2}
