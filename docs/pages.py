"""Runs a page of the documentation as its reader would. docs/README.md says how blocks are marked.

Kept here and not taken from a library: those that there are run each block inside the test's own process, where a
program cannot be killed, and compare what it prints only with comments inside the block.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_FENCE = re.compile(r"^```(?P<info>[^`\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_MARKS = {
    "python": ("", "separate", "not-run", "file=NAME"),
    "sh": ("", "not-run"),
    "text": ("", "picture"),
    "mermaid": ("",),
    "toml": ("", "file=NAME"),
    "rust": ("not-run",),
    # bindings-node/test/package.test.ts runs these on the packed package.
    "ts": ("",),
}
_END = "-- end of block {} --"
_TIMEOUT = 60


class WrongPage(Exception):
    """What a page shows is not what happens."""


@dataclass
class Block:
    """One fenced block of a page."""

    line: int
    language: str
    mark: str
    text: str
    output: Block | None = None
    """The text block that says what it prints."""


@dataclass
class Page:
    """A document and its blocks."""

    path: Path
    blocks: list[Block] = field(default_factory=list)

    @property
    def programs(self) -> list[list[Block]]:
        """What runs as one program each: all blocks without a mark together, then the separate ones."""
        python = [block for block in self.blocks if block.language == "python"]
        whole = [block for block in python if block.mark == ""]
        return [whole] * bool(whole) + [[block] for block in python if block.mark == "separate"]


def read(path: Path) -> Page:
    """Reads a page. Raises WrongPage for a block that is not marked as docs/README.md says."""
    text = path.read_text("utf-8")
    page = Page(path)
    shows: Block | None = None
    for match in _FENCE.finditer(text):
        language, _, mark = match["info"].partition(" ")
        block = Block(text.count("\n", 0, match.start()) + 1, language, mark, match["text"])
        if re.sub("=.+", "=NAME", mark) not in _MARKS.get(language, ()):
            raise WrongPage(f"{_place(page, block)}: ```{match['info']} is no block that can be checked")
        if language in ("text", "mermaid") and mark == "":
            if shows is None or shows.output is not None:
                raise WrongPage(f"{_place(page, block)}: no program before this block prints it")
            shows.output = block
        elif language in ("python", "sh"):
            shows = block if mark in ("", "separate") else None
        page.blocks.append(block)
    if len(re.findall(r"^ *```", text, re.MULTILINE)) != 2 * len(page.blocks):
        raise WrongPage(f"{path.relative_to(ROOT)}: a fence is indented or not closed")
    return page


def run(page: Page, folder: Path) -> int:
    """Runs all blocks of a page in an empty folder; returns how many. Raises WrongPage."""
    for block in page.blocks:
        if block.language == "python":
            _compile(page, block)
        if block.mark.startswith("file="):
            (folder / block.mark.removeprefix("file=")).write_text(block.text, "utf-8")
    for number, program in enumerate(page.programs):
        _run_program(page, program, folder, f"page_{number}.py")
    for block in page.blocks:
        if block.language == "sh" and block.mark == "":
            _run_shell(page, block, folder)
    return len(page.blocks)


def _compile(page: Page, block: Block) -> None:
    try:
        ast.parse(block.text)
    except SyntaxError as error:
        raise WrongPage(f"{_place(page, block)}: line {error.lineno} of the block: {error.msg}") from error


def _program(blocks: list[Block], *, ends: bool) -> str:
    """Blocks as one program, each at the lines that it has on the page, so that a message names those."""
    lines: list[str] = []
    for number, block in enumerate(blocks):
        lines += [""] * (block.line - len(lines)) + block.text.splitlines()
        if ends:
            lines.append(f"print({_END.format(number)!r}, flush=True)")
    return "\n".join(lines) + "\n"


def _run_program(page: Page, program: list[Block], folder: Path, name: str) -> None:
    (folder / name).write_text(_program(program, ends=True), "utf-8")
    done = _execute([sys.executable, "-W", "error::ResourceWarning", name], folder)
    if done.returncode != 0:
        raise WrongPage(f"{_place(page, program[0])}: the program fails\n{done.stderr}")
    rest = done.stdout
    for number, block in enumerate(program):
        printed, _, rest = rest.partition(_END.format(number) + "\n")
        _compare(page, block, printed)


def _run_shell(page: Page, block: Block, folder: Path) -> None:
    lines = [line for line in block.text.splitlines() if not line.startswith("make ")]
    # `make` targets are the reader's, in a checkout; scripts/consistency.py compares them with the Makefile.
    done = _execute(["bash", "-uc", "\n".join(lines)], folder)
    if done.returncode != 0:
        raise WrongPage(f"{_place(page, block)}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    _compare(page, block, done.stdout)


def _compare(page: Page, block: Block, printed: str) -> None:
    shown = block.output.text if block.output is not None else ""
    if printed != shown:
        raise WrongPage(f"{_place(page, block)} prints\n{printed}but the page shows\n{shown}")


def _execute(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("EVERSTEP_", "DAPR_", "KUBERNETES_"))
    }
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return subprocess.run(
        command,
        cwd=folder,
        env={**inherited, "PATH": path, "PYTHONWARNINGS": "error::ResourceWarning"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT,
        check=False,
    )


def _place(page: Page, block: Block) -> str:
    path = page.path.relative_to(ROOT) if page.path.is_relative_to(ROOT) else page.path.name
    return f"{path}:{block.line}"


def documents() -> Iterator[Path]:
    """The documents of the tree whose blocks run."""
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return (path for name in sorted(set(names.stdout.splitlines())) if (path := ROOT / name).exists())


def extract(folder: Path) -> None:
    """Writes every program of every page into a folder, for a type checker."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path in documents():
        page = read(path)
        name = re.sub(r"\W", "_", str(path.relative_to(ROOT).with_suffix("")))
        programs = [
            *page.programs,
            *(
                [block]
                for block in page.blocks
                if block.mark.startswith("file=") and block.language == "python"
            ),
        ]
        for number, program in enumerate(programs):
            (folder / f"{name}_{number}.py").write_text(_program(program, ends=False), "utf-8")


if __name__ == "__main__":
    extract(Path(sys.argv[1]))
