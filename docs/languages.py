"""How the programs of the documentation are built and run, language by language. docs/README.md says how blocks are marked.

Another language is a class here, its fence in ``pages.py``, and its tests' line in the Makefile.
"""

from __future__ import annotations

import ast
import functools
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NODE = ROOT / "bindings-node"
JAVA = ROOT / "bindings-java" / "target"


class WrongProgram(Exception):
    """A program that does not compile."""


class Language:
    """A language that pages are written in."""

    fence: str
    """What its blocks begin with."""
    shell: str
    """The mark of the shell blocks that go with it."""
    suffix: str

    def check(self, text: str) -> None:
        """Looks at the form of one block. Raises WrongProgram."""

    def prints(self, text: str) -> str:
        """A statement that prints this line."""
        raise NotImplementedError

    def program(self, name: str, text: str) -> str:
        """What is written to a file of this name: the lines of a page's blocks, each at its place. The first one is empty."""
        del name
        return text

    def build(self, folder: Path, programs: list[str]) -> None:
        """Makes programs of a folder ready to be run. Raises WrongProgram."""

    def collect(self, folder: Path, programs: list[str]) -> None:
        """Makes a folder with the programs of all pages ready for the checkers."""

    def command(self, program: str) -> list[str]:
        """What runs a program in its folder."""
        raise NotImplementedError

    def path(self, folder: Path) -> Path:
        """The folder of the commands that a reader has at hand."""
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        """The variables that a reader has set."""
        return {}


class Python(Language):
    fence = "python"
    shell = ""
    suffix = ".py"

    def check(self, text: str) -> None:
        try:
            ast.parse(text)
        except SyntaxError as error:
            raise WrongProgram(f"line {error.lineno} of the block: {error.msg}") from error

    def prints(self, text: str) -> str:
        return f"print({text!r}, flush=True)"

    def command(self, program: str) -> list[str]:
        return [sys.executable, "-W", "error::ResourceWarning", program]

    def path(self, folder: Path) -> Path:
        del folder
        return Path(sys.executable).parent


class TypeScript(Language):
    """TypeScript on Node: the package and the compiler are those of the tree."""

    fence = "ts"
    shell = "node"
    suffix = ".mts"
    config = "pages.json"
    """Not ``tsconfig.json``: that one is the reader's."""

    def prints(self, text: str) -> str:
        return f"console.log({json.dumps(text)})"

    def collect(self, folder: Path, programs: list[str]) -> None:
        self.link(folder)
        self.configure(folder, programs)

    def build(self, folder: Path, programs: list[str]) -> None:
        self.collect(folder, programs)
        if not programs:
            return
        tsc = self.path(folder) / "tsc"
        done = subprocess.run(
            [tsc, "-p", self.config], cwd=folder, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise WrongProgram(done.stdout + done.stderr)

    def link(self, folder: Path) -> None:
        """Installs into a folder what `npm install everstep typescript @types/node zod` would."""
        modules = folder / "node_modules"
        modules.mkdir()
        (modules / "everstep").symlink_to(NODE)
        for name in ("@types", "typescript", "zod", ".bin"):
            (modules / name).symlink_to(NODE / "node_modules" / name)

    def configure(self, folder: Path, programs: list[str]) -> None:
        options = {
            "target": "es2022",
            "lib": ["es2024", "esnext.disposable"],
            "module": "nodenext",
            "types": ["node"],
            "strict": True,
            "noUncheckedIndexedAccess": True,
            "exactOptionalPropertyTypes": True,
            "noImplicitReturns": True,
            "sourceMap": True,
        }
        text = json.dumps({"compilerOptions": options, "files": programs})
        (folder / self.config).write_text(text, "utf-8")

    def command(self, program: str) -> list[str]:
        # A stack names the lines of the page.
        return ["node", "--enable-source-maps", str(Path(program).with_suffix(".mjs"))]

    def path(self, folder: Path) -> Path:
        return folder / "node_modules" / ".bin"


class Java(Language):
    """Java: the blocks of a page are the body of one ``main``, which the launcher compiles in memory. The package is that of
    the tree, with what it depends on."""

    fence = "java"
    shell = "java"
    suffix = ".java"

    def prints(self, text: str) -> str:
        return f"System.out.println({json.dumps(text)});"

    def program(self, name: str, text: str) -> str:
        lines = text.split("\n")
        imports = [line for line in lines if line.startswith("import ")]
        main = f"class {Path(name).stem} {{ public static void main(String[] args) throws Exception {{"
        body = "\n".join("" if line.startswith("import ") else line for line in lines)
        return " ".join([*imports, main]) + body + "}}\n"

    def collect(self, folder: Path, programs: list[str]) -> None:
        # Two pages may have files, and so classes, of the same name.
        for name in programs:
            text = (folder / name).read_text("utf-8")
            (folder / name).write_text(f"package {name.rpartition('_')[0]};{text}", "utf-8")

    def command(self, program: str) -> list[str]:
        # A program of a page runs shortly: most of the time is the compiler's.
        quick = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
        return [str(_jdk() / "bin" / "java"), *quick, "--enable-native-access=ALL-UNNAMED", program]

    def path(self, folder: Path) -> Path:
        del folder
        return _jdk() / "bin"

    def environment(self) -> dict[str, str]:
        own = [str(JAVA / "classes"), str(JAVA / "natives")]
        return {"CLASSPATH": os.pathsep.join([*own, (JAVA / "classpath").read_text("utf-8")])}


@functools.cache
def _jdk() -> Path:
    found = subprocess.run([ROOT / "scripts" / "jdk"], check=True, stdout=subprocess.PIPE, text=True)
    return Path(found.stdout.strip())


LANGUAGES: dict[str, Language] = {language.fence: language for language in (Python(), TypeScript(), Java())}
