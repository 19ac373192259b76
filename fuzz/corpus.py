"""Writes the corpus anew from `conformance/history` and `conformance/bridge`: files that were sent by a real Dapr, a few per shape.

What a fuzzer finds is added by hand, under a name that says what it is; this script leaves such files alone.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CONFORMANCE = HERE.parent / "conformance"


def varint(number: int) -> bytes:
    text = bytearray()
    while number >= 0x80:
        text.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(text) + bytes([number])


def fields(message: bytes) -> list[tuple[int, bytes]]:
    """The fields of a message that have a length."""
    found, at = [], 0

    def number() -> int:
        nonlocal at
        value, shift = 0, 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(message):
        key = number()
        if key & 7 == 2:
            length = number()
            found.append((key >> 3, message[at : at + length]))
            at += length
        else:
            number()
    return found


def write(target: str, name: str, data: bytes) -> None:
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def recorded() -> list[tuple[str, dict[str, Any]]]:
    files = sorted(path for path in CONFORMANCE.glob("history/*/*.json") if path.name[0] != "_")
    return [(f"{path.parent.name}-{path.stem}", json.loads(path.read_text())) for path in files]


def main() -> None:
    for name, case in recorded():
        items = [base64.b64decode(item) for item in case["work_items_b64"]]
        turns = [item for item in items if fields(item)[0][0] == 1]
        activities = [item for item in items if fields(item)[0][0] == 2]
        longest = max(turns, key=len)
        history = base64.b64decode(case["history_b64"])
        if name.startswith(("python-", "go-")):
            write("replay", name, fields(longest)[0][1])
        if name.startswith(("python-", "java-")):
            write("history", name, history)
            write("work_item", name, longest)
        if name.startswith("javascript-"):
            write("work_item", f"{name}-first", turns[0])
            write("state_grpc", name, base64.b64decode(case["instance_b64"]))
            if activities:
                write("work_item", f"{name}-activity", activities[0])
        if name.startswith("go-"):
            write("record", name, b"".join(varint(len(event)) + event for _, event in fields(history)))
    vectors = json.loads((CONFORMANCE / "bridge/turns.json").read_text())["vectors"]
    for vector in vectors:
        answers = [
            {"t": f"t{number}", "steps": task.get("steps", [])} for number, task in enumerate(vector["tasks"])
        ]
        answer = {"v": 1, "turns": answers, "activities": [{"t": "a", "value": vector["name"]}]}
        write("completion", vector["name"].replace(" ", "-"), json.dumps(answer, ensure_ascii=False).encode())


if __name__ == "__main__":
    main()
