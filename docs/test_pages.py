"""Every block of every document runs as it stands there and prints what the block below it says.

PAGES names the language whose blocks run; without it, Python's do.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pages
import pytest
from languages import LANGUAGES, ROOT

DOCUMENTS = [pages.read(path) for path in pages.documents() if "```" in path.read_text("utf-8")]
LANGUAGE = LANGUAGES[os.environ.get("PAGES", "python")]
SPEAKING = [page for page in DOCUMENTS if page.speaks(LANGUAGE)]
GUIDE = ROOT / "docs" / "guide"


@pytest.mark.parametrize("page", SPEAKING, ids=lambda page: str(page.path.relative_to(ROOT)))
def test_page(page: pages.Page, tmp_path: Path) -> None:
    assert pages.run(page, tmp_path, LANGUAGE) >= 1


def test_there_are_pages() -> None:
    assert len(SPEAKING) >= 10
    assert ROOT / "README.md" in [page.path for page in SPEAKING]


def test_every_page_of_the_guide_speaks_the_language() -> None:
    for page in DOCUMENTS:
        if page.path.parent == GUIDE and page.path.name not in pages.OF_ONE_LANGUAGE:
            assert page in SPEAKING, f"{page.path.name} has no program in {LANGUAGE.fence}"


def test_every_page_of_the_guide_is_in_its_index() -> None:
    index = (GUIDE / "README.md").read_text("utf-8")
    for path in GUIDE.glob("*.md"):
        if path.name != "README.md":
            assert f"]({path.name})" in index, path.name


def test_the_table_of_dapr_s_differences_is_the_tables_own() -> None:
    text = (ROOT / "conformance" / "dapr" / "differences.json").read_text("utf-8")
    table = json.loads(text)["differences"]
    page = (GUIDE / "dapr-differences.md").read_text("utf-8")
    shown = re.findall(r"^\| (.*) \| (.*) \| (.*) \|$", page, re.MULTILINE)[1:]
    assert shown == [(row["embedded"], row["dapr"], row["reason"]) for row in table]


def test_the_table_of_errors_is_the_tables_own() -> None:
    errors = pytest.importorskip(
        "everstep.errors", reason="the table names the classes of the Python package"
    )
    table = json.loads((ROOT / "conformance" / "errors.json").read_text("utf-8"))["errors"]
    shown = re.findall(
        r"^\| `(\w+)` \| `(\w+)` \| (.*) \| (.*) \|$", (GUIDE / "errors.md").read_text("utf-8"), re.MULTILINE
    )
    assert shown == [
        (row["code"], errors.BY_CODE[row["code"]].__name__, row["meaning"], row["cure"]) for row in table
    ]
