"""Proves the types: both checkers accept ``right.py`` and refuse exactly the marked lines of ``wrong.py``."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parents[1]
LEAST = 15


def marked() -> set[int]:
    """The lines that must have an error."""
    lines = (HERE / "wrong.py").read_text("utf-8").splitlines()
    return {number for number, line in enumerate(lines, 1) if line.endswith("# wrong")}


def mypy(path: Path) -> set[int]:
    """The lines that mypy refuses."""
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--hide-error-context", str(path)]
    done = subprocess.run(command, cwd=PACKAGE, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(f"mypy did not run: {done.stdout}{done.stderr}")
    found = re.findall(rf"{re.escape(path.name)}:(\d+)(?::\d+)?: error", done.stdout)
    if done.returncode and not found:
        raise SystemExit(f"mypy complains about something else: {done.stdout}")
    return {int(line) for line in found}


def pyright(path: Path) -> set[int]:
    """The lines that pyright refuses."""
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, str(path)]
    done = subprocess.run(command, cwd=PACKAGE, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(f"pyright did not run: {done.stdout}{done.stderr}")
    report = json.loads(done.stdout)
    if report["summary"]["filesAnalyzed"] != 1:
        raise SystemExit("pyright did not look at the file")
    diagnostics = report["generalDiagnostics"]
    return {item["range"]["start"]["line"] + 1 for item in diagnostics if item["severity"] == "error"}


def main() -> None:
    """Runs both checkers over both files."""
    wrong = marked()
    faults = []
    if len(wrong) < LEAST:
        faults.append(f"wrong.py has {len(wrong)} wrong programs, not {LEAST}")
    for checker in (mypy, pyright):
        for name, expected in (("right.py", set[int]()), ("wrong.py", wrong)):
            found = checker(HERE / name)
            faults += [f"{checker.__name__} accepts {name}:{line}" for line in sorted(expected - found)]
            faults += [f"{checker.__name__} refuses {name}:{line}" for line in sorted(found - expected)]
    if faults:
        raise SystemExit("\n".join(faults))
    print(f"types: {len(wrong)} wrong programs are refused by mypy and pyright, the right ones accepted")


if __name__ == "__main__":
    main()
