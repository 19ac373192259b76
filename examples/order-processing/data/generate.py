"""Writes orders.csv, products.csv and what must come out of them: expected.csv (per order) and expected.json (in sum).

The files are the same at every run. The outcomes come from the rules of story.md applied to one order after the
other, without a workflow engine, so that they are a reference for the programs beside this folder.
"""

from __future__ import annotations

import csv
import datetime
import json
import random
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
ORDERS = 3000
APPROVAL_LIMIT_CENTS = 100_000
MAX_ATTEMPTS = 5

# name, price in cents, how often it is ordered. The last two are discontinued: nothing of them is in stock.
PRODUCTS = [
    ("DESK-160", "Standing desk, 160 cm", 54_900, 6),
    ("CHAIR-ERG", "Ergonomic chair", 38_900, 7),
    ("LAMP-LED", "Desk lamp, LED", 4_990, 12),
    ("MON-27", "Monitor, 27 inch", 28_900, 9),
    ("ARM-MON", "Monitor arm", 8_490, 8),
    ("DOCK-USBC", "USB-C dock", 17_900, 8),
    ("KEYB-DE", "Keyboard, German layout", 7_990, 9),
    ("KEYB-US", "Keyboard, US layout", 7_990, 9),
    ("MOUSE-W", "Mouse, wireless", 3_490, 12),
    ("HEAD-NC", "Headset, noise cancelling", 19_900, 7),
    ("CAM-4K", "Webcam, 4K", 12_900, 6),
    ("CABLE-2M", "USB-C cable, 2 m", 1_290, 16),
    ("PAPER-A4", "Paper A4, 500 sheets", 590, 20),
    ("PEN-12", "Pens, box of 12", 840, 16),
    ("NOTE-A5", "Notebook A5, dotted", 1_150, 15),
    ("BOARD-120", "Whiteboard, 120 cm", 9_900, 5),
    ("SHELF-5", "Shelf, five boards", 11_900, 5),
    ("FILE-CAB", "Filing cabinet", 21_900, 4),
    ("SHRED-P5", "Paper shredder, P-5", 16_400, 3),
    ("PLANT-L", "Office plant, large", 6_900, 5),
    ("FAX-01", "Fax machine", 14_900, 1),
    ("CRT-17", "Monitor, 17 inch tube", 9_900, 1),
]
DISCONTINUED = {"FAX-01", "CRT-17"}


def order_lines() -> list[dict[str, str | int]]:
    draw = random.Random(20_261_121)
    basket = [product for product in PRODUCTS for _ in range(product[3])]
    placed = datetime.datetime(2026, 11, 2, 8, 0, tzinfo=datetime.timezone.utc)
    lines: list[dict[str, str | int]] = []
    for number in range(1, ORDERS + 1):
        sku, _, price, _ = basket[draw.randrange(len(basket))]
        bulk = draw.randrange(1000)
        quantity = 1 + draw.randrange(3) if price > 5_000 else 1 + draw.randrange(12)
        if bulk < 4:
            quantity = 5_000 + draw.randrange(5_000)  # more than any warehouse has
        placed += datetime.timedelta(seconds=20 + draw.randrange(500))
        lines.append(
            {
                "order_id": f"order-{number:05}",
                "placed_at": placed.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "customer": f"C-{10_000 + draw.randrange(1800)}",
                "sku": sku,
                "quantity": quantity,
                "total_cents": quantity * price,
                "card": f"card-{draw.randrange(10_000):04}",
            }
        )
    return lines


def outcome(line: dict[str, str | int], stock: dict[str, int]) -> tuple[str, int, int]:
    """What story.md makes of an order: its outcome, the cents charged and the payment attempts made."""
    number = int(str(line["order_id"])[-5:])
    total = int(line["total_cents"])
    if int(line["quantity"]) > stock[str(line["sku"])]:
        return "out_of_stock", 0, 0
    if total > APPROVAL_LIMIT_CENTS:
        digit = int(str(line["customer"])[-1])
        if digit == 9:
            return "approval_timed_out", 0, 0
        if digit >= 7:
            return "approval_declined", 0, 0
    attempt = 1
    while (number * 37 + attempt * 5) % 100 < 12:
        attempt += 1
        assert attempt <= MAX_ATTEMPTS, "the gateway gives up on nobody"
    if str(line["card"]).endswith("00"):
        return "card_declined", 0, attempt
    return "shipped", total, attempt


def main() -> None:
    lines = order_lines()
    ordered: Counter[str] = Counter()
    for line in lines:
        if int(line["quantity"]) < 5_000:
            ordered[str(line["sku"])] += int(line["quantity"])
    stock = {sku: 0 if sku in DISCONTINUED else ordered[sku] + 40 for sku, *_ in PRODUCTS}

    with (HERE / "products.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["sku", "name", "unit_cents", "stock"])
        writer.writerows([sku, name, price, stock[sku]] for sku, name, price, _ in PRODUCTS)
    with (HERE / "orders.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(lines[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(lines)

    outcomes = [(line, *outcome(line, stock)) for line in lines]
    with (HERE / "expected.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["order_id", "outcome", "charged_cents", "payment_attempts"])
        writer.writerows([line["order_id"], *rest] for line, *rest in outcomes)

    shipped = [line for line, end, *_ in outcomes if end == "shipped"]
    for line in shipped:
        stock[str(line["sku"])] -= int(line["quantity"])
    expected = {
        "orders": len(lines),
        "outcomes": dict(sorted(Counter(end for _, end, *_ in outcomes).items())),
        "charged_cents": sum(cents for _, _, cents, _ in outcomes),
        "units_shipped": sum(int(line["quantity"]) for line in shipped),
        "payment_attempts": sum(attempts for *_, attempts in outcomes),
        "stock_left": stock,
    }
    (HERE / "expected.json").write_text(json.dumps(expected, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
