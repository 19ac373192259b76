"""Models of pydantic, msgspec and attrs as payloads. Each library keeps its own rules."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Generic, Literal, Optional, TypeVar, Union
from uuid import UUID

import pytest

from everstep.errors import DecodeError, InvalidArgumentError
from everstep.payload import decode, decoder_of, encode
from everstep.wire import JSON

pydantic = pytest.importorskip("pydantic")
msgspec = pytest.importorskip("msgspec")
attrs = pytest.importorskip("attrs")

T = TypeVar("T")
ID = UUID("12345678-1234-5678-1234-567812345678")
NOON = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)


class Color(Enum):
    RED = "red"


class Line(pydantic.BaseModel):
    sku: str
    price: Decimal


class Order(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(strict=True)

    id: UUID
    placed_at: datetime = pydantic.Field(alias="placedAt")
    lines: list[Line]
    colors: set[Color] = set()
    size: tuple[int, int] = (1, 2)
    wait: timedelta = timedelta(0)


class Cat(pydantic.BaseModel):
    kind: Literal["cat"] = "cat"
    lives: int = 9


class Dog(pydantic.BaseModel):
    kind: Literal["dog"] = "dog"
    tricks: list[str] = []


class Names(pydantic.RootModel[list[str]]):
    pass


class Box(pydantic.BaseModel, Generic[T]):
    value: T


@pydantic.dataclasses.dataclass
class Checked:
    count: Annotated[int, pydantic.Field(gt=0)]
    at: date


@dataclass
class Limited:
    """Remarks to pydantic have no hash."""

    count: Annotated[int, pydantic.Field(gt=0)]
    counts: list[Annotated[int, pydantic.Field(gt=0)]]
    either: Union[Annotated[int, pydantic.Field(gt=0)], str, None]
    by_text: dict[Annotated[str, {"no": "hash"}], Annotated[int, {"no": "hash"}]]
    remarks: list[Annotated[int, {"no": "hash"}]]


@dataclass
class Shipment:
    """A dataclass that holds models of all kinds."""

    line: Line
    struct: Struct
    thing: Thing
    pets: list[Cat | Dog]
    note: Line | None = None


class Struct(msgspec.Struct, rename="camel"):
    order_id: UUID
    at: datetime
    price: Decimal
    by_number: dict[int, str] = {}
    blob: bytes = b"\xff"
    wait: timedelta = timedelta(0)


class GenericStruct(msgspec.Struct, Generic[T]):
    value: T


@attrs.define
class Thing:
    name: str
    price: Decimal
    _hidden: date = date(2026, 1, 1)
    size: int = attrs.field(default=attrs.Factory(lambda self: len(self.name), takes_self=True), kw_only=True)
    made: int = attrs.field(init=False, default=1)


ORDER = Order(id=ID, placedAt=NOON, lines=[Line(sku="a", price=Decimal("1.50"))], colors={Color.RED})
STRUCT = Struct(ID, NOON, Decimal("1.50"), {1: "a"})
THING = Thing("abc", Decimal(1), date(2026, 2, 2), size=7)
PETS = Annotated[Cat | Dog, pydantic.Field(discriminator="kind")]


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (Order, ORDER),
        (list[Order], [ORDER, ORDER]),
        (dict[str, Order], {"a": ORDER}),
        (Optional[Order], ORDER),
        (Optional[Order], None),
        (Union[Cat, Dog], Dog(tricks=["sit"])),
        (PETS, Dog(tricks=["sit"])),
        (list[PETS], [Cat(), Dog()]),
        (tuple[Line, ...], (Line(sku="a", price=Decimal(1)),)),
        (Names, Names(["a", "b"])),
        (Box[Line], Box[Line](value=Line(sku="a", price=Decimal(1)))),
        (Checked, Checked(1, date(2026, 1, 1))),
        (Struct, STRUCT),
        (list[Struct], [STRUCT]),
        (GenericStruct[Decimal], GenericStruct(Decimal(1))),
        (Union[Struct, int], STRUCT),
        (Thing, THING),
        (dict[UUID, Thing], {ID: THING}),
        (Shipment, Shipment(Line(sku="a", price=Decimal(1)), STRUCT, THING, [Cat(), Dog()])),
        (Annotated[int, pydantic.Field(gt=0)], 3),
        (Limited, Limited(1, [2], "a", {"b": 3}, [4])),
    ],
)
def test_a_model_comes_back_as_it_was(annotation: Any, value: Any) -> None:
    back = decode(encode(value), decoder_of(annotation))
    assert back == value
    assert type(back) is type(value)
    assert encode([{"a": value}]) == f'[{{"a":{encode(value)}}}]'


def test_models_have_the_names_that_they_are_read_by() -> None:
    assert json.loads(encode(ORDER))["placedAt"] == "2026-11-21T12:00:00Z"
    assert json.loads(encode(STRUCT))["orderId"] == str(ID)
    assert json.loads(encode(THING)) == {"name": "abc", "price": "1", "_hidden": "2026-02-02", "size": 7, "made": 1}
    assert decode('{"name":"abc","price":1}', decoder_of(Thing)) == Thing("abc", Decimal(1))


@pytest.mark.parametrize(
    ("annotation", "text", "reason"),
    [
        (Order, "{}", "Order: id: Field required; placedAt: Field required; lines: Field required"),
        (Shipment, '{"line":{"sku":"a","price":"x"}}', "Shipment: line.price: Input should be a valid decimal"),
        (list[Line], '[{"sku":"a","price":1},{"sku":"a"}]', "list[Line]: [1].price: Field required"),
        (PETS, '{"kind":"cow"}', "Input tag 'cow'"),
        (Checked, '{"count":0,"at":"2026-01-01"}', "count: Input should be greater than 0"),
        (Limited, '{"count":1,"counts":[1,0]}', "counts[1]: Input should be greater than 0"),
        (Annotated[int, pydantic.Field(gt=0)], "0", "Input should be greater than 0"),
        (Struct, '{"orderId":1}', "Struct: orderId: Expected `uuid`, got `int`"),
        (list[Thing], '[{"name":1,"price":1}]', "list[Thing]: [0].name: expected str, got number"),
    ],
)
def test_what_a_model_refuses_names_its_place(annotation: Any, text: str, reason: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decode(text, decoder_of(annotation))
    assert reason in caught.value.message
    assert json.loads(str(caught.value.text)) == json.loads(text)


def test_an_error_never_shows_the_payload() -> None:
    with pytest.raises(DecodeError) as caught:
        decode('{"sku":"a","price":"secret"}', decoder_of(Line))
    assert "secret" not in caught.value.message


def test_nan_is_refused_in_models_too() -> None:
    for value in (Box[float](value=math.nan), GenericStruct(math.inf)):
        with pytest.raises(InvalidArgumentError):
            encode(value)


def test_what_no_library_knows_is_refused() -> None:
    class Custom: ...

    with pytest.raises(InvalidArgumentError, match="Custom is no type"):
        JSON.decoder(dict[str, Custom | Line])


def test_no_library_is_imported_for_its_own_sake() -> None:
    program = """
import sys
from dataclasses import dataclass
from everstep import Client, Worker, workflow
from everstep.payload import decode, decoder_of, encode
@dataclass
class Item:
    sku: str
@workflow
async def pack(_, item: Item) -> Item:
    return item
assert decode(encode([Item("a")]), decoder_of(list[Item])) == [Item("a")]
with Client("memory:") as client, Worker(client, [pack]):
    assert client.start_workflow(pack, Item("a")).result(timeout=60) == Item("a")
print(sorted({"pydantic", "msgspec", "attr", "attrs", "orjson", "ctypes", "decimal", "pathlib", "uuid"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"
