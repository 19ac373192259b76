"""A typed value of 1 KB to its payload and back: what it takes beyond ``json`` with the same data untyped."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from everstep.payload import Decoder, decode, encode
from subject import arguments, report

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass
class Line:
    sku: str
    count: int
    price: Decimal


@dataclass
class Address:
    street: str
    city: str
    postcode: str


@dataclass
class Order:
    id: UUID
    customer: str
    placed_at: datetime
    total: Decimal
    address: Address
    lines: list[Line]
    note: str | None = None
    tags: dict[str, str] = field(default_factory=dict)


ORDER = Order(
    UUID("12345678-1234-5678-1234-567812345678"),
    "customer-17",
    datetime(2026, 11, 21, 10, 5, 3, 1200, tzinfo=timezone.utc),
    Decimal("199.90"),
    Address("Long Street 17", "Ulm", "89073"),
    [Line(f"sku-{number:04}-some-name", number + 1, Decimal(f"{number}.95")) for number in range(14)],
    None,
    {"channel": "web", "campaign": "autumn"},
)


def best(calls: dict[str, Callable[[], Any]], rounds: int, repeats: int = 50) -> dict[str, float]:
    """The microseconds of each call in the round that was disturbed least. They take turns, a millisecond each."""
    took = dict.fromkeys(calls, float("inf"))
    for _ in range(rounds):
        for name, call in calls.items():
            began = time.perf_counter()
            for _ in range(repeats):
                call()
            took[name] = min(took[name], (time.perf_counter() - began) / repeats * 1e6)
    return took


def main() -> None:
    given = arguments(__doc__, rounds=400)
    decoder = Decoder(Order)
    text = encode(ORDER)
    plain = json.loads(text)
    assert decode(text, decoder) == ORDER
    took = best(
        {
            "encode_us": lambda: encode(ORDER),
            "decode_us": lambda: decode(text, decoder),
            "json_dumps_us": lambda: json.dumps(plain),
            "json_loads_us": lambda: json.loads(text),
        },
        given.rounds,
    )
    over = took["encode_us"] + took["decode_us"] - took["json_dumps_us"] - took["json_loads_us"]
    report(dataclass_us=over, **took, bytes=len(text))


if __name__ == "__main__":
    main()
