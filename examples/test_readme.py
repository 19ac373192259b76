"""Every Python program of README.md runs as it stands there and prints what the block below it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).resolve().parent.parent / "README.md").read_text("utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```\n+```text\n(.*?)```", README, re.DOTALL)


def test_every_program_says_what_it_prints() -> None:
    assert len(PROGRAMS) >= 1
    assert len(re.findall(r"^```python$", README, re.MULTILINE)) == len(PROGRAMS)


@pytest.mark.parametrize(("program", "output"), PROGRAMS)
def test_program(program: str, output: str, tmp_path: Path) -> None:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("EVERSTEP_", "DAPR_"))
    }
    (tmp_path / "program.py").write_text(program, "utf-8")
    command = [sys.executable, "-W", "error::ResourceWarning", "program.py"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout == output
