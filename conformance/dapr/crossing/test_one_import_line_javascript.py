"""The programs of ``examples/dapr/node`` on a real sidecar, with everstep and with the official SDK: they print the same.

Both are compiled strictly, each by the types of what it imports.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from peers import INSTALLED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cluster import Cluster

pytestmark = pytest.mark.timeout(300)
HERE = Path(__file__).resolve().parents[3] / "examples" / "dapr" / "node"
PROGRAMS = sorted(path.stem for path in HERE.glob("*.ts"))
OFFICIAL = INSTALLED / "javascript" / "node_modules"


def node(*arguments: object, environment: Mapping[str, str] | None = None) -> str:
    """What a program of the folder prints."""
    told = subprocess.run(
        ["node", str(HERE / str(arguments[0])), *map(str, arguments[1:])],
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    return told.stdout


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folders with the compiled programs: ``ours`` and ``official``."""
    folder = tmp_path_factory.mktemp("programs")

    def build(which: str) -> Path:
        if not (folder / which).exists():
            more = ("--official", OFFICIAL) if which == "official" else ()
            node("run.mjs", "--build", folder / which, *more)
        return folder / which

    return build


def expected(program: str) -> str:
    """What the official SDK printed when the program was written."""
    return (HERE / "expected" / f"{program}.txt").read_text("utf-8")


@pytest.mark.parametrize("which", ["ours", "official"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_it_prints_what_is_expected(
    program: str, which: str, shared: Cluster, built: Callable[[str], Path]
) -> None:
    printed = node("run.mjs", program, "--built", built(which), environment=shared.environment)
    assert printed == expected(program)


def test_the_surface_is_that_of_the_official_sdk() -> None:
    written = json.loads((HERE / "surface.json").read_text("utf-8"))
    assert json.loads(node("surface.mjs", OFFICIAL)) == written
