"""Every kind of annotation, from a value to its payload and back."""

from __future__ import annotations

import collections
import json
import math
import sys
import threading
from collections.abc import Collection, Iterable, Mapping, MutableMapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import KW_ONLY, InitVar, dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, Flag, IntEnum, IntFlag
from pathlib import Path, PurePosixPath
from typing import (
    Annotated,
    Any,
    ClassVar,
    Final,
    Generic,
    Literal,
    NamedTuple,
    NewType,
    Optional,
    TypeVar,
    Union,
)
from uuid import UUID

import pytest
from typing_extensions import NotRequired, Required, TypeAliasType, TypedDict

from everstep.errors import DecodeError, InvalidArgumentError
from everstep.payload import decode, decoder_of, encode
from everstep.wire import JSON

T = TypeVar("T")
N = TypeVar("N", bound=Decimal)
SKU = NewType("SKU", str)
UTC = timezone.utc
ID = UUID("12345678-1234-5678-1234-567812345678")


class Color(Enum):
    RED = "red"
    BLUE = "blue"


class Size(str, Enum):
    SMALL = "s"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Rights(Flag):
    READ = 1
    WRITE = 2


class Bits(IntFlag):
    A = 1
    B = 2


class Day(Enum):
    FIRST = date(2026, 1, 1)
    PAIR = (1, 2)


class Mixed(Enum):
    ONE = 1
    TRUE = "true"
    HALF = 0.5
    NONE = None


class Guessing(Enum):
    KNOWN = "known"

    @classmethod
    def _missing_(cls, value: object) -> Guessing:
        return cls.KNOWN


@dataclass
class Item:
    sku: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class Point:
    x: float
    y: float


@dataclass
class Everything:
    kinds: ClassVar[int] = 3
    id: UUID
    price: Decimal
    _: KW_ONLY
    at: datetime
    note: str | None
    items: list[Item] = field(default_factory=list)
    by_color: dict[Color, Point] = field(default_factory=dict)
    by_id: dict[UUID, int] = field(default_factory=dict)
    point: Point = Point(0.0, 1.0)
    blob: bytes = b"\xff\x00"
    seed: InitVar[int] = 7
    doubled: int = field(init=False, default=0)

    def __post_init__(self, seed: int) -> None:
        self.doubled = seed * 2


@dataclass
class Tree:
    name: str
    children: list[Tree] = field(default_factory=list)
    parent: Tree | None = None


@dataclass
class Page(Generic[T]):
    items: list[T]
    first: T | None = None
    next: Page[T] | None = None


@dataclass
class OrderPage(Page[Item]):
    total: int = 0


@dataclass
class Bounded(Generic[N]):
    value: N


@dataclass
class Derived(Item):
    color: Color = Color.RED


class Movie(TypedDict):
    title: str
    released: date
    rating: NotRequired[Decimal]


class Loose(TypedDict, total=False):
    at: datetime
    id: Required[UUID]


class More(Movie, total=False):
    length: timedelta


class GenericDict(TypedDict, Generic[T]):
    value: T


class Pair(NamedTuple):
    left: int
    right: Decimal = Decimal(2)


Plain = collections.namedtuple("Plain", ["a", "b"])  # noqa: PYI024
Json = TypeAliasType("Json", "dict[str, Json] | list[Json] | str | int | None")
ListOf = TypeAliasType("ListOf", list[T], type_params=(T,))


@pytest.mark.parametrize(
    ("annotation", "value", "text"),
    [
        (bool, True, "true"),
        (int, 2**200, str(2**200)),
        (int, -(2**63) - 1, str(-(2**63) - 1)),
        (float, 0.1, "0.1"),
        (float, -0.0, "-0.0"),
        (str, "é\u2028𝄞", '"é\u2028𝄞"'),
        (Decimal, Decimal("1.50"), '"1.50"'),
        (Decimal, Decimal("1E+30"), '"1E+30"'),
        (UUID, ID, f'"{ID}"'),
        (bytes, b"\xff\x00a", '"/wBh"'),
        (bytearray, bytearray(b"a"), '"YQ=="'),
        (datetime, datetime(2026, 11, 21, 10, 0, 0, 5, tzinfo=UTC), '"2026-11-21T10:00:00.000005+00:00"'),
        (datetime, datetime(2026, 11, 21, 10), '"2026-11-21T10:00:00"'),
        (date, date(2026, 11, 21), '"2026-11-21"'),
        (time, time(10, 30, tzinfo=UTC), '"10:30:00+00:00"'),
        (timedelta, timedelta(days=3, microseconds=1), "259200.000001"),
        (Path, Path("/a/b"), '"/a/b"'),
        (PurePosixPath, PurePosixPath("a"), '"a"'),
        (Color, Color.BLUE, '"blue"'),
        (Size, Size.SMALL, '"s"'),
        (Level, Level.HIGH, "2"),
        (Rights, Rights.READ | Rights.WRITE, "3"),
        (Bits, Bits.A | Bits.B, "3"),
        (Day, Day.FIRST, '"2026-01-01"'),
        (Day, Day.PAIR, "[1,2]"),
        (Mixed, Mixed.ONE, "1"),
        (Mixed, Mixed.TRUE, '"true"'),
        (Mixed, Mixed.HALF, "0.5"),
        (Mixed, Mixed.NONE, "null"),
        (Literal["a", 1, Color.RED, None], Color.RED, '"red"'),  # noqa: PYI061
        (Literal["a", 1, Color.RED, None], None, "null"),  # noqa: PYI061
        (set[int], {1}, "[1]"),
        (frozenset[Color], frozenset((Color.RED,)), '["red"]'),
        (AbstractSet[int], {1}, "[1]"),
        (tuple[int, Decimal], (1, Decimal(2)), '[1,"2"]'),
        (tuple[UUID, ...], (ID, ID), f'["{ID}","{ID}"]'),
        (tuple[()], (), "[]"),
        (tuple, (1, "a"), '[1,"a"]'),
        (collections.deque[int], collections.deque((1, 2)), "[1,2]"),
        (Sequence[Decimal], [Decimal(1)], '["1"]'),
        (Iterable[int], [1], "[1]"),
        (Collection[int], [1], "[1]"),
        (Mapping[str, Decimal], {"a": Decimal(1)}, '{"a":"1"}'),
        (MutableMapping[int, str], {1: "a"}, '{"1":"a"}'),
        (collections.OrderedDict[str, int], collections.OrderedDict(b=1, a=2), '{"b":1,"a":2}'),
        (dict[int, UUID], {-3: ID}, f'{{"-3":"{ID}"}}'),
        (dict[float, int], {0.5: 1}, '{"0.5":1}'),
        (dict[bool, int], {True: 1, False: 0}, '{"true":1,"false":0}'),
        (dict[UUID, int], {ID: 1}, f'{{"{ID}":1}}'),
        (dict[Color, int], {Color.RED: 1}, '{"red":1}'),
        (dict[Size, int], {Size.SMALL: 1}, '{"s":1}'),
        (dict[Level, int], {Level.LOW: 1}, '{"1":1}'),
        (dict[date, int], {date(2026, 1, 1): 1}, '{"2026-01-01":1}'),
        (dict[Decimal, int], {Decimal("1.0"): 1}, '{"1.0":1}'),
        (dict[Literal["a", 1], int], {"a": 1, 1: 2}, '{"a":1,"1":2}'),
        (dict[SKU, int], {SKU("a"): 1}, '{"a":1}'),
        (dict[int | str, int], {1: 1, "a": 2}, '{"1":1,"a":2}'),
        (dict[int | None, int], {None: 1, 2: 3}, '{"null":1,"2":3}'),
        (dict[str, Any], {"a": [1, {"b": None}]}, '{"a":[1,{"b":null}]}'),
        (Optional[Decimal], None, "null"),
        (Optional[Decimal], Decimal(1), '"1"'),
        (SKU, SKU("a"), '"a"'),
        (Annotated[date | None, "remark"], date(2026, 1, 1), '"2026-01-01"'),
        (Item, Item("a", 3), '{"sku":"a","count":3}'),
        (Point, Point(1.5, 2.0), '{"x":1.5,"y":2.0}'),
        (Derived, Derived("a", 1, Color.BLUE), '{"sku":"a","count":1,"color":"blue"}'),
        (Tree, Tree("a", [Tree("b")], Tree("c")), None),
        (Page[Item], Page([Item("a")], Item("b"), Page([Item("c")])), None),
        (Page[Page[UUID]], Page([Page([ID], ID)]), None),
        (Page, Page([1], {"a": 2}), None),
        (OrderPage, OrderPage([Item("a")], None, None, 3), None),
        (Bounded, Bounded(Decimal("1.5")), '{"value":"1.5"}'),
        (Movie, {"title": "a", "released": date(2026, 1, 1)}, '{"title":"a","released":"2026-01-01"}'),
        (More, {"title": "a", "released": date(2026, 1, 1), "rating": Decimal(9), "length": timedelta(1)}, None),
        (Loose, {"id": ID}, f'{{"id":"{ID}"}}'),
        (GenericDict[Decimal], {"value": Decimal(1)}, '{"value":"1"}'),
        (Pair, Pair(1, Decimal(3)), '[1,"3"]'),
        (Plain, Plain(1, "a"), '[1,"a"]'),
        (list[Item | Point], [Point(1.0, 2.0), Item("a")], None),
        (Json, {"a": [1, {"b": None}], "c": "d"}, '{"a":[1,{"b":null}],"c":"d"}'),
        (ListOf[Decimal], [Decimal(1)], '["1"]'),
        (object, {"a": 1}, '{"a":1}'),
        (T, [1], "[1]"),
    ],
)
def test_a_value_comes_back_as_it_was(annotation: Any, value: Any, text: str | None) -> None:
    encoded = encode(value)
    if text is not None:
        assert encoded == text
    back = decode(encoded, decoder_of(annotation))
    assert back == value
    assert type(back) is type(value)
    assert encode(back) == encoded
    # As a field too, where the ways are shorter.
    assert encode([value, {"a": value}]) == f'[{encoded},{{"a":{encoded}}}]'


def test_a_dataclass_of_everything_comes_back() -> None:
    value = Everything(
        ID,
        Decimal("9.95"),
        at=datetime(2026, 11, 21, tzinfo=UTC),
        note=None,
        items=[Item("a"), Item("b", 2)],
        by_color={Color.RED: Point(1.0, 2.0)},
        by_id={ID: 1},
    )
    text = encode(value)
    assert "kinds" not in json.loads(text)
    assert "seed" not in json.loads(text)
    back = decode(text, decoder_of(Everything))
    assert back == value
    assert back.doubled == 14


def test_defaults_stand_in_for_what_is_absent() -> None:
    text = f'{{"id":"{ID}","price":3,"at":"2026-11-21T10:00:00Z","note":null,"of":"tomorrow"}}'
    back = decode(text, decoder_of(Everything))
    assert (back.items, back.point, back.price) == ([], Point(0.0, 1.0), Decimal(3))
    assert decode(text, decoder_of(Everything)).items is not back.items


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-11-21T10:00:00Z", datetime(2026, 11, 21, 10, tzinfo=UTC)),
        ("2026-11-21T10:00:00.1Z", datetime(2026, 11, 21, 10, 0, 0, 100_000, tzinfo=UTC)),
        ("2026-11-21T10:00:00.123456789Z", datetime(2026, 11, 21, 10, 0, 0, 123_456, tzinfo=UTC)),
        ("2026-11-21t10:00z", datetime(2026, 11, 21, 10, tzinfo=UTC)),
        ("2026-11-21T12:00:00+0200", datetime(2026, 11, 21, 10, tzinfo=UTC)),
    ],
)
def test_times_of_other_languages_are_read(text: str, value: datetime) -> None:
    assert decode(json.dumps(text), decoder_of(datetime)) == value


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        (date, "20261121"),
        (date, "2026-W47-6"),
        (datetime, "2026-11-21"),
        (datetime, "20261121T100000"),
        (time, "1000"),
        (UUID, ID.hex),
        (UUID, f"{{{ID}}}"),
        (bytes, "a-b_"),
        (bytes, "YQ"),
        (Decimal, "one"),
    ],
)
def test_forms_that_not_every_python_takes_are_refused(annotation: Any, text: str) -> None:
    with pytest.raises(DecodeError, match="got another string"):
        decode(json.dumps(text), decoder_of(annotation))


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        (Union[float, int], "1", 1),
        (Union[int, float], "1.0", 1.0),
        (Union[str, UUID], f'"{ID}"', ID),
        (Union[str, UUID], '"other"', "other"),
        (Union[str, Color], '"red"', Color.RED),
        (Union[str, Literal["a"], None], '"a"', "a"),  # noqa: PYI051
        (Union[int, Level], "1", Level.LOW),
        (Union[int, Level], "7", 7),
        (Union[int, Decimal], "1", 1),
        (Union[int, Decimal], '"1"', Decimal(1)),
        (Union[bool, int], "true", True),
        (Union[datetime, str, None], '"2026-11-21T10:00:00Z"', datetime(2026, 11, 21, 10, tzinfo=UTC)),
        (Union[list[int], tuple[str, ...]], '["a"]', ("a",)),
        (Union[Item, Derived], '{"sku":"a","color":"blue"}', Derived("a", color=Color.BLUE)),
        (Union[Derived, Item], '{"sku":"a","count":2}', Item("a", 2)),
        (Union[Item, Point], '{"x":1,"y":2,"of":"tomorrow"}', Point(1.0, 2.0)),
        (Union[int | None, Item], "null", None),
        (Union[int, Any], '"a"', "a"),
    ],
)
def test_a_union_takes_what_fits_best(annotation: Any, text: str, value: Any) -> None:
    back = decode(text, decoder_of(annotation))
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize(
    "annotation", [Union[str, bytes], Union[Path, str], Union[float, timedelta], Union[bytes, Path]]
)
def test_a_union_of_what_looks_the_same_is_refused(annotation: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="looks the same in JSON"):
        JSON.decoder(annotation)


def test_a_typed_dict_needs_its_keys_and_keeps_others() -> None:
    text = '{"title":"a","released":"2026-01-01","of":"tomorrow"}'
    assert decode(text, decoder_of(Movie)) == {"title": "a", "released": date(2026, 1, 1), "of": "tomorrow"}
    with pytest.raises(DecodeError, match="released: expected a value, got none"):
        decode('{"title":"a"}', decoder_of(Movie))
    with pytest.raises(DecodeError, match="id: expected a value, got none"):
        decode("{}", decoder_of(Loose))


def test_a_named_tuple_reads_objects_too() -> None:
    assert decode('{"left":1}', decoder_of(Pair)) == Pair(1)
    assert decode("[1]", decoder_of(Pair)) == Pair(1)
    with pytest.raises(DecodeError, match="left: expected a value, got none"):
        decode("{}", decoder_of(Pair))
    with pytest.raises(DecodeError, match=r"\[1\]: expected Decimal"):
        decode("[1,null]", decoder_of(Pair))
    with pytest.raises(DecodeError, match="a list of 3"):
        decode("[1,2,3]", decoder_of(Pair))


def test_what_a_class_refuses_keeps_its_place_and_cause() -> None:
    @dataclass
    class Positive:
        value: int

        def __post_init__(self) -> None:
            if self.value < 0:
                raise KeyError("below zero")

    with pytest.raises(DecodeError, match=r"\[1\]: Positive refused it: 'below zero'"):
        decode('[{"value":1},{"value":-1}]', decoder_of(list[Positive]))


def test_enums_guess_as_they_were_told() -> None:
    assert decode('"other"', decoder_of(Guessing)) is Guessing.KNOWN


def test_plain_data_is_made_of_what_json_does_not_know() -> None:
    class Name(str):
        __slots__ = ()

    class Count(int):
        pass

    views = {"a": Name("b")}
    assert encode([views.keys(), views.values(), Count(3), memoryview(b"a")]) == '[["a"],["b"],3,"YQ=="]'
    assert encode({Name("a"): {Count(1): {(ID): Name("c")}}}) == f'{{"a":{{"1":{{"{ID}":"c"}}}}}}'
    assert encode({"a": {None: 1, True: 2, 0.5: 3}}) == '{"a":{"null":1,"true":2,"0.5":3}}'


@pytest.mark.parametrize(
    "value",
    [
        Point(math.nan, 1.0),
        [Point(math.inf, 1.0)],
        {ID: math.nan},
        {ID: {(1, 2): 3}},
        {math.nan: 1, ID: 2},
        (each for each in [1]),
        Item,
        print,
        object(),
        Item("\ud800"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_has_no_plain_form_is_refused(value: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="the value cannot be encoded"):
        encode(value, "the value")


def test_a_property_that_raises_is_told_of() -> None:
    class Broken:
        @property
        def sku(self) -> str:
            raise AttributeError("no sku")

    broken = Item.__new__(Item)
    with pytest.raises(InvalidArgumentError, match="AttributeError"):
        encode(broken)
    tree = Tree("a")
    tree.children.append(tree)
    with pytest.raises(InvalidArgumentError, match="holds itself"):
        encode(tree)


def test_an_init_var_without_default_is_refused_early() -> None:
    @dataclass
    class Seeded:
        seed: InitVar[int]

    with pytest.raises(InvalidArgumentError, match="InitVar 'seed'"):
        JSON.decoder(Seeded)


def test_a_local_class_that_holds_itself_is_found() -> None:
    @dataclass
    class Local:
        next: Local | None = None
        last: Final[int] = 1

    assert decode('{"next":{"next":null}}', decoder_of(Local)) == Local(Local())


def test_many_threads_may_compile_and_encode_the_same() -> None:
    @dataclass
    class Fresh:
        trees: list[Tree]

    value = Fresh([Tree("a", [Tree("b")])] * 50)
    text = encode(value)
    failures: list[BaseException] = []
    start = threading.Barrier(8, timeout=30)

    def work() -> None:
        try:
            start.wait()
            for _ in range(50):
                assert encode(value) == text
                assert decode(text, decoder_of(Fresh)) == value
        except BaseException as error:
            failures.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
    finally:
        sys.setswitchinterval(interval)
    assert not failures
