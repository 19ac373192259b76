"""Runs a page of the documentation as its reader would. docs/README.md says how blocks are marked.

Kept here and not taken from a library: those that there are run each block inside the test's own process, where a
program cannot be killed, and compare what it prints only with comments inside the block.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from languages import LANGUAGES, ROOT, Language, WrongProgram

_FENCE = re.compile(r"^```(?P<info>[^`\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_MARKS = {
    "python": ("", "separate", "not-run", "file=NAME"),
    "ts": ("", "separate", "not-run", "file=NAME"),
    "java": ("", "separate", "not-run", "file=NAME"),
    "sh": ("", "node", "java", "not-run"),
    "text": ("", "picture"),
    "mermaid": ("",),
    "json": ("file=NAME",),
    "toml": ("", "file=NAME"),
    "kotlin": ("not-run",),
    "rust": ("not-run",),
    "xml": ("not-run",),
}
OF_ONE_LANGUAGE = {
    "from-celery.md": "Celery is Python's",
    "dapr.md": "its programs need a sidecar",
}
"""The pages of the guide that are not told in every language, and why."""
_END = "-- end of block {} --"
_TIMEOUT = 120


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

    def programs(self, language: Language) -> list[list[Block]]:
        """What runs as one program each: all blocks without a mark together, then the separate ones."""
        own = self.blocks_of(language)
        whole = [block for block in own if block.mark == ""]
        return [whole] * bool(whole) + [[block] for block in own if block.mark == "separate"]

    def blocks_of(self, language: Language) -> list[Block]:
        return [block for block in self.blocks if block.language == language.fence]

    def shell(self, language: Language) -> list[Block]:
        """The commands that a reader types who has chosen this language."""
        return [block for block in self.blocks if block.language == "sh" and block.mark == language.shell]

    def speaks(self, language: Language) -> bool:
        return any(block.mark != "not-run" for block in self.blocks_of(language) + self.shell(language))


def read(path: Path) -> Page:
    """Reads a page. Raises WrongPage for a block that is not marked as docs/README.md says."""
    text = path.read_text("utf-8")
    page = Page(path)
    # The programs that the next block of text shows the output of: one of each language at most.
    shows: dict[str, Block] = {}
    for match in _FENCE.finditer(text):
        language, _, mark = match["info"].partition(" ")
        block = Block(text.count("\n", 0, match.start()) + 1, language, mark, match["text"])
        if re.sub("=.+", "=NAME", mark) not in _MARKS.get(language, ()):
            raise WrongPage(f"{_place(page, block)}: ```{match['info']} is no block that can be checked")
        if language in ("text", "mermaid") and mark == "":
            if not shows:
                raise WrongPage(f"{_place(page, block)}: no program before this block prints it")
            for program in shows.values():
                program.output = block
            shows = {}
        elif language == "sh":
            shows = {
                key: other for key, other in shows.items() if other.language == "sh" and mark != "not-run"
            }
            if mark != "not-run":
                shows[f"sh {mark}"] = block
        elif language in LANGUAGES:
            shows = {key: other for key, other in shows.items() if other.language not in ("sh", language)}
            if mark in ("", "separate"):
                shows[language] = block
        page.blocks.append(block)
    if len(re.findall(r"^ *```", text, re.MULTILINE)) != 2 * len(page.blocks):
        raise WrongPage(f"{path.relative_to(ROOT)}: a fence is indented or not closed")
    return page


def run(page: Page, folder: Path, language: Language) -> int:
    """Runs all blocks of a language in an empty folder; returns how many there are. Raises WrongPage."""
    own = page.blocks_of(language)
    for block in own:
        try:
            language.check(block.text)
        except WrongProgram as error:
            raise WrongPage(f"{_place(page, block)}: {error}") from error
    for block in page.blocks:
        if block.mark.startswith("file="):
            (folder / block.mark.removeprefix("file=")).write_text(block.text, "utf-8")
    programs = {
        f"page_{number}{language.suffix}": program for number, program in enumerate(page.programs(language))
    }
    for name, program in programs.items():
        (folder / name).write_text(language.program(name, _text(program, ends=language)), "utf-8")
    try:
        files = [block.mark.removeprefix("file=") for block in own if block.mark.startswith("file=")]
        language.build(folder, [*programs, *files])
    except WrongProgram as error:
        raise WrongPage(f"{_place(page, own[0])}: a program does not compile\n{error}") from error
    for name, program in programs.items():
        _run_program(page, program, folder, name, language)
    for block in page.shell(language):
        _run_shell(page, block, folder, language)
    return len(own) + len(page.shell(language))


def _text(blocks: list[Block], ends: Language | None = None) -> str:
    """Blocks as one text, each at the lines that it has on the page, so that a message names those."""
    lines: list[str] = []
    for number, block in enumerate(blocks):
        lines += [""] * (block.line - len(lines)) + block.text.splitlines()
        if ends is not None:
            lines.append(ends.prints(_END.format(number)))
    return "\n".join(lines) + "\n"


def _run_program(page: Page, program: list[Block], folder: Path, name: str, language: Language) -> None:
    done = _execute(language.command(name), folder, language)
    if done.returncode != 0:
        raise WrongPage(f"{_place(page, program[0])}: the program fails\n{done.stderr}")
    rest = done.stdout
    for number, block in enumerate(program):
        printed, _, rest = rest.partition(_END.format(number) + "\n")
        _compare(page, block, printed)


def _run_shell(page: Page, block: Block, folder: Path, language: Language) -> None:
    lines = [line for line in block.text.splitlines() if not line.startswith("make ")]
    # `make` targets are the reader's, in a checkout; scripts/consistency.py compares them with the Makefile.
    done = _execute(["bash", "-uc", "\n".join(lines)], folder, language)
    if done.returncode != 0:
        raise WrongPage(f"{_place(page, block)}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    _compare(page, block, done.stdout)


def _compare(page: Page, block: Block, printed: str) -> None:
    shown = block.output.text if block.output is not None else ""
    if printed != shown:
        raise WrongPage(f"{_place(page, block)} prints\n{printed}but the page shows\n{shown}")


def _execute(command: list[str], folder: Path, language: Language) -> subprocess.CompletedProcess[str]:
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("EVERSTEP_", "DAPR_", "KUBERNETES_"))
    }
    path = os.pathsep.join([str(language.path(folder)), os.environ.get("PATH", "")])
    return subprocess.run(
        command,
        cwd=folder,
        env={**inherited, **language.environment(), "PATH": path, "PYTHONWARNINGS": "error::ResourceWarning"},
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


def extract(folder: Path, language: Language) -> None:
    """Writes every program of every page into a folder, for a type checker, and every block into another, for a formatter."""
    shutil.rmtree(folder, ignore_errors=True)
    blocks = folder / "blocks"
    blocks.mkdir(parents=True)
    names: list[str] = []
    for path in documents():
        page = read(path)
        page_name = re.sub(r"\W", "_", str(path.relative_to(ROOT).with_suffix("")))
        own = page.blocks_of(language)
        files = [_text([block]) for block in own if block.mark.startswith("file=")]
        programs = page.programs(language)
        for number, text in enumerate([*map(_text, programs), *files]):
            names.append(f"{page_name}_{number}{language.suffix}")
            whole = language.program(names[-1], text) if number < len(programs) else text
            (folder / names[-1]).write_text(whole, "utf-8")
        for block in own:
            (blocks / f"{page_name}_{block.line}{language.suffix}").write_text(block.text, "utf-8")
    language.collect(folder, names)


if __name__ == "__main__":
    extract(Path(sys.argv[2]), LANGUAGES[sys.argv[1]])
