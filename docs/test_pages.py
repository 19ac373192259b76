"""Every block of every document runs as it stands there and prints what the block below it says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import everstep.errors
import pages
import pytest

DOCUMENTS = list(pages.documents())
WITH_BLOCKS = [path for path in DOCUMENTS if "```" in path.read_text("utf-8")]
GUIDE = pages.ROOT / "docs" / "guide"


def test_there_are_pages() -> None:
    assert len(WITH_BLOCKS) >= 10
    assert pages.ROOT / "README.md" in WITH_BLOCKS


@pytest.mark.parametrize("path", WITH_BLOCKS, ids=lambda path: str(path.relative_to(pages.ROOT)))
def test_page(path: Path, tmp_path: Path) -> None:
    assert pages.run(pages.read(path), tmp_path) >= 1


def test_every_page_of_the_guide_is_in_its_index() -> None:
    index = (GUIDE / "README.md").read_text("utf-8")
    for path in GUIDE.glob("*.md"):
        if path.name != "README.md":
            assert f"]({path.name})" in index, path.name


def test_the_table_of_dapr_s_differences_is_the_tables_own() -> None:
    text = (pages.ROOT / "conformance" / "dapr" / "differences.json").read_text("utf-8")
    table = json.loads(text)["differences"]
    page = (GUIDE / "dapr-differences.md").read_text("utf-8")
    shown = re.findall(r"^\| (.*) \| (.*) \| (.*) \|$", page, re.MULTILINE)[1:]
    assert shown == [(row["embedded"], row["dapr"], row["reason"]) for row in table]


def test_the_table_of_errors_is_the_tables_own() -> None:
    table = json.loads((pages.ROOT / "conformance" / "errors.json").read_text("utf-8"))["errors"]
    shown = re.findall(
        r"^\| `(\w+)` \| `(\w+)` \| (.*) \| (.*) \|$", (GUIDE / "errors.md").read_text("utf-8"), re.MULTILINE
    )
    assert shown == [
        (row["code"], everstep.errors.BY_CODE[row["code"]].__name__, row["meaning"], row["cure"])
        for row in table
    ]
