"""The programs of ``examples/dapr/java`` on a real sidecar, with everstep and with the official SDK: they print the same.

The import lines are changed by the names in ``surface.txt``; the rest of a program stays as it is.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from peers import INSTALLED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cluster import Cluster

pytestmark = pytest.mark.timeout(300)
ROOT = Path(__file__).resolve().parents[3]
HERE = ROOT / "examples" / "dapr" / "java"
PROGRAMS = sorted(path.stem for path in HERE.glob("*.java") if path.stem != "Surface")
LIBRARIES = INSTALLED / "java" / "lib"
TARGET = ROOT / "bindings-java" / "target"
PLACES = {
    "ours": [TARGET / "classes", TARGET / "natives", LIBRARIES / "*"],
    "official": [LIBRARIES / "*"],
}
OURS = re.compile(r"^import io\.github\.everstep\.dapr\.(\w+);", re.MULTILINE)


def tool(name: str, *arguments: object, environment: Mapping[str, str] | None = None) -> str:
    """What a tool of the JDK prints."""
    home = subprocess.run(
        [ROOT / "scripts" / "jdk"], capture_output=True, text=True, timeout=60, check=True
    ).stdout.strip()
    said = subprocess.run(
        [str(Path(home, "bin", name)), *map(str, arguments)],
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    return said.stdout


def class_path(*parts: object) -> str:
    """These as a class path."""
    return os.pathsep.join(map(str, parts))


def official_source(program: str) -> str:
    """A program with its import lines changed."""
    classes = (line for line in (HERE / "surface.txt").read_text("utf-8").splitlines() if "#" not in line)
    homes = {line.rpartition(".")[2]: line for line in classes}
    source = (HERE / f"{program}.java").read_text("utf-8")
    changed, count = OURS.subn(lambda found: f"import {homes[found[1]]};", source)
    assert count
    assert "everstep" not in changed
    return changed


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folders with the compiled programs: ``ours`` and ``official``."""
    folder = tmp_path_factory.mktemp("programs")

    def build(which: str) -> Path:
        sources = folder / f"{which}-sources"
        if not sources.exists():
            sources.mkdir()
            for program in PROGRAMS:
                ours = (HERE / f"{program}.java").read_text("utf-8")
                text = ours if which == "ours" else official_source(program)
                (sources / f"{program}.java").write_text(text, "utf-8")
            path = class_path(*PLACES[which])
            tool("javac", "-nowarn", "-d", folder / which, "-cp", path, *sorted(sources.glob("*.java")))
        return folder / which

    return build


@pytest.mark.parametrize("which", ["ours", "official"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_it_prints_what_is_expected(
    program: str, which: str, shared: Cluster, built: Callable[[str], Path]
) -> None:
    options = ["-XX:TieredStopAtLevel=1", "--enable-native-access=ALL-UNNAMED"]
    path = class_path(built(which), *PLACES[which])
    printed = tool("java", *options, "-cp", path, program, environment=shared.environment)
    assert printed == (HERE / "expected" / f"{program}.txt").read_text("utf-8")


def test_the_surface_is_that_of_the_official_sdk() -> None:
    [workflows] = LIBRARIES.glob("dapr-sdk-workflows-*.jar")
    said = tool("java", "-cp", LIBRARIES / "*", HERE / "Surface.java", workflows)
    assert said == (HERE / "surface.txt").read_text("utf-8")
