"""Runs a program of this folder with everstep or with the official SDK, and gives what it prints.

    python examples/dapr/python/run.py hello                      # everstep, in this process's memory
    python examples/dapr/python/run.py hello --sidecar            # everstep, on the sidecar that DAPR_GRPC_PORT names
    python examples/dapr/python/run.py hello --official PYTHON    # the official SDK of that Python, on the same sidecar

A line that ends with ``# official: OTHER`` is the import that decides; for the official SDK it is OTHER.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE = Path(__file__).resolve().parent
PROGRAMS = tuple(
    sorted(
        path.stem
        for path in HERE.glob("*.py")
        if path.stem not in ("run", "surface") and not path.stem.startswith("test_")
    )
)
SECONDS = 120
_DECIDES = re.compile(r"^(?P<indent> *)\S.*# official: (?P<other>.+)$", re.MULTILINE)
_PLACES = (
    "EVERSTEP_ENDPOINT",
    "DAPR_GRPC_PORT",
    "DAPR_GRPC_ENDPOINT",
    "DAPR_HTTP_PORT",
    "DAPR_HTTP_ENDPOINT",
)


class ProgramError(RuntimeError):
    """A program did not end as it should."""


def official_source(program: str) -> str:
    """The program with its import lines changed."""
    source = (HERE / f"{program}.py").read_text("utf-8")
    changed, count = _DECIDES.subn(lambda found: found["indent"] + found["other"], source)
    if count == 0 or "everstep" in changed:
        raise ProgramError(f"{program}.py has no import that decides, or imports everstep elsewhere")
    return changed


def expected(program: str) -> str:
    """What the official SDK printed on a real sidecar."""
    return (HERE / "expected" / f"{program}.txt").read_text("utf-8")


def in_memory(program: str) -> str:
    """What it prints with everstep, on an engine in its own memory."""
    return _run([sys.executable, str(HERE / f"{program}.py")], {"EVERSTEP_ENDPOINT": "memory:"})


def on_sidecar(program: str, sidecar: Mapping[str, str]) -> str:
    """What it prints with everstep, on the sidecar that these variables name."""
    return _run([sys.executable, str(HERE / f"{program}.py")], sidecar)


def official(program: str, python: str, sidecar: Mapping[str, str]) -> str:
    """What it prints with the official SDK of a Python, on the same sidecar."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"{program}.py")
        path.write_text(official_source(program), "utf-8")
        return _run([python, str(path)], sidecar)


def _run(command: list[str], place: Mapping[str, str]) -> str:
    environment = {key: value for key, value in os.environ.items() if key not in _PLACES} | dict(place)
    try:
        ended = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        said = error.stderr.decode(errors="replace") if isinstance(error.stderr, bytes) else error.stderr
        raise ProgramError(f"{command[-1]} did not end in {SECONDS} s:\n{error.stdout!r}\n{said}") from None
    if ended.returncode != 0:
        raise ProgramError(f"{command[-1]} ended with {ended.returncode}:\n{ended.stdout}\n{ended.stderr}")
    return ended.stdout


def main() -> None:
    """Runs one program."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("program", choices=PROGRAMS)
    parser.add_argument("--sidecar", action="store_true")
    parser.add_argument("--official", metavar="PYTHON")
    given = parser.parse_args()
    here = {key: os.environ[key] for key in _PLACES if key in os.environ}
    if given.official:
        printed = official(given.program, given.official, here)
    else:
        printed = on_sidecar(given.program, here) if given.sidecar else in_memory(given.program)
    sys.stdout.write(printed)


if __name__ == "__main__":
    main()
