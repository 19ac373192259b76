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


def best(call: Callable[[], Any], rounds: int, calls: int = 500) -> float:
    """The microseconds of one call, in the round that was disturbed least."""
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        for _ in range(calls):
            call()
        took.append(time.perf_counter() - began)
    return min(took) / calls * 1e6


def main() -> None:
    given = arguments(__doc__, rounds=40)
    decoder = Decoder(Order)
    text = encode(ORDER)
    plain = json.loads(text)
    assert decode(text, decoder) == ORDER
    json_us = best(lambda: json.dumps(plain), given.rounds) + best(lambda: json.loads(text), given.rounds)
    encode_us = best(lambda: encode(ORDER), given.rounds)
    decode_us = best(lambda: decode(text, decoder), given.rounds)
    report(
        dataclass_us=encode_us + decode_us - json_us,
        encode_us=encode_us,
        decode_us=decode_us,
        json_us=json_us,
        bytes=len(text),
    )


if __name__ == "__main__":
    main()
