"""Checks what `make wheel` and `make sdist` built, as those who install it will find it.

`package.py wheel` looks at the wheel in dist/, then installs it alone into a fresh environment of every Python that it finds
here and runs programs there without a compiler, a network or this tree in reach. `package.py sdist` looks at the archive, builds
a wheel from it alone, and runs the same programs on that.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from email.parser import Parser
from pathlib import Path

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib  # type: ignore[import-not-found, no-redef, unused-ignore]

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
LARGEST = 8 << 20
OLDEST = (3, 10)
STANDARD = Path(getattr(sys, "_base_executable", sys.executable))
"""The interpreter that this one's environment was made with; it stands for its version."""
SMOKE = ROOT / "scripts" / "wheel_smoke.py"
IN_SDIST = (
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "PKG-INFO",
    "README.md",
    "bindings-python/Cargo.toml",
    "bindings-python/src/lib.rs",
    "core/Cargo.toml",
    "core/build.rs",
    "core/proto/history_events.proto",
    "core/src/engine/store/sqlite/schema_1.sql",
    "core/src/lib.rs",
    "natives/Cargo.toml",
    "pyproject.toml",
    "python/everstep/py.typed",
)


class WrongPackage(Exception):
    """What was built is not what should be published."""


def the_only(pattern: str) -> Path:
    """The one file of dist/ with this name."""
    found = sorted(DIST.glob(pattern))
    if len(found) != 1:
        raise WrongPackage(f"dist/ must hold one {pattern}, not {[path.name for path in found]}")
    return found[0]


def run(*command: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    """Runs a command and gives what it prints; a failure shows all of it."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    if done.returncode != 0:
        raise WrongPackage(
            f"{command[0]} {command[1]} … failed ({done.returncode}):\n{done.stdout}{done.stderr}"
        )
    return done.stdout


def must(condition: object, message: str) -> None:
    """Refuses a package."""
    if not condition:
        raise WrongPackage(message)


def check_metadata(text: str) -> None:
    """The fields that a package index shows and that installers obey."""
    fields = Parser().parsestr(text)
    project = tomllib.loads((ROOT / "bindings-python" / "pyproject.toml").read_text("utf-8"))["project"]
    version = tomllib.loads((ROOT / "Cargo.toml").read_text("utf-8"))["workspace"]["package"]["version"]
    expected = {
        "Name": project["name"],
        "Version": version,
        "Requires-Python": project["requires-python"],
        "License-Expression": project["license"],
        "License-File": "LICENSE",
        "Summary": project["description"],
    }
    for name, value in expected.items():
        must(fields[name] == value, f"{name} is {fields[name]!r}, not {value!r}")
    must(fields.get_all("Requires-Dist") is None, "the package must not depend on others")
    must(
        fields.get_all("Classifier") == project["classifiers"],
        "the classifiers are not those of pyproject.toml",
    )
    must("```python" in fields.get_payload(), "the description has no program")


def check_wheel(wheel: Path) -> None:
    """What stands in the wheel, and whether it keeps to the stable ABI."""
    must(
        wheel.stat().st_size <= LARGEST, f"{wheel.name} has {wheel.stat().st_size} bytes, more than {LARGEST}"
    )
    must("-cp310-abi3-" in wheel.name, f"{wheel.name} is not for the stable ABI of Python 3.10")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        metadata = next(name for name in names if name.endswith(".dist-info/METADATA"))
        check_metadata(archive.read(metadata).decode())
        licence = metadata.replace("METADATA", "licenses/LICENSE")
        must(archive.read(licence) == (ROOT / "LICENSE").read_bytes(), "the license is not the project's")
    must("everstep/py.typed" in names, "py.typed is missing: checkers would ignore the types")
    package = {path.relative_to(ROOT / "bindings-python" / "python") for path in sources()}
    missing = {str(path) for path in package} - set(names)
    must(not missing, f"{sorted(missing)} are missing")
    others = [name for name in names if not name.startswith(("everstep/", "everstep-"))]
    must(not others, f"{others} do not belong into it")
    run(sys.executable, "-m", "twine", "check", "--strict", wheel)
    run(sys.executable, "-m", "abi3audit", "--strict", wheel)


def sources() -> list[Path]:
    """The Python files of the package."""
    home = ROOT / "bindings-python" / "python" / "everstep"
    return [path for path in home.rglob("*.py*") if path.suffix in (".py", ".pyi")]


def interpreters() -> dict[str, Path]:
    """One CPython of each version that the package supports, from PATH and from where Pythons usually are."""
    home = Path.home()
    places = [Path(place) for place in os.environ.get("PATH", "").split(os.pathsep) if place]
    places += [Path("/usr/bin"), Path("/usr/local/bin"), home / ".local" / "bin"]
    for pattern in (".pyenv/versions/*/bin", ".local/share/uv/python/*/bin"):
        places += sorted(home.glob(pattern))
    places += sorted(Path("/opt/python").glob("*/bin"))
    ask = (
        "import json, platform, sys, sysconfig; print(json.dumps([platform.python_implementation(), sys.version_info[:2],"
        " platform.python_version(), bool(sysconfig.get_config_var('Py_GIL_DISABLED')), sys.prefix == sys.base_prefix]))"
    )
    found: dict[tuple[int, int], tuple[str, Path]] = {}
    for path in [STANDARD] + [path for place in places for path in sorted(place.glob("python3*"))]:
        if not re.fullmatch(r"python3(\.\d+)?", path.name) or not os.access(path, os.X_OK):
            continue
        answer = subprocess.run(
            [path, "-I", "-c", ask], capture_output=True, text=True, timeout=60, check=False
        )
        if answer.returncode != 0:
            continue
        implementation, (major, minor), version, without_gil, base = json.loads(answer.stdout)
        # The stable ABI of 3.10 is not that of an interpreter without the lock.
        if implementation == "CPython" and (major, minor) >= OLDEST and not without_gil and base:
            found.setdefault((major, minor), (version, path))
    return {version: path for _, (version, path) in sorted(found.items())}


def readme() -> tuple[str, str]:
    """The README's program and what it prints."""
    sys.path.insert(0, str(ROOT / "docs"))
    from languages import Python  # type: ignore[import-not-found]
    from pages import read  # type: ignore[import-not-found]

    (program,) = read(ROOT / "README.md").programs(Python())
    printed = [block.output.text for block in program if block.output is not None]
    return "".join(block.text for block in program), "".join(printed)


def try_out(wheel: Path, version: str, python: Path) -> None:
    """Installs the wheel alone and runs programs where nothing else is in reach."""
    with tempfile.TemporaryDirectory(prefix="everstep-package-") as scratch:
        home = Path(scratch)
        run(python, "-m", "venv", "--without-pip", home / "venv")
        installed = home / "venv" / "bin" / "python"
        install = ("-m", "pip", "--python", installed, "install", "--quiet", "--no-index", "--no-deps", wheel)
        run(sys.executable, *install)
        alone = {"HOME": scratch, "PATH": "/nonexistent"}
        work = home / "work"
        work.mkdir()
        run(installed, "-I", SMOKE, cwd=work, env=alone)
        program, printed = readme()
        (work / "readme.py").write_text(program, "utf-8")
        answer = run(installed, "-I", "readme.py", cwd=work, env=alone)
        must(answer == printed, f"the README's program printed {answer!r}, not {printed!r}")
        facts = json.loads(
            run(installed, "-I", "-m", "everstep", "--json", "sqlite:orders.db", cwd=work, env=alone)
        )
        must(facts["python"] == f"CPython {version}", f"it ran on {facts['python']}, not on {version}")
        must(facts["module"].startswith(scratch), f"{facts['module']} is not the installed module")
        must(
            facts["store"]["instances"] == {"COMPLETED": 2}, f"the store holds {facts['store']['instances']}"
        )


def check_sdist(sdist: Path) -> None:
    """What stands in the archive, and whether cargo finds all that it names."""
    with tempfile.TemporaryDirectory(prefix="everstep-sdist-") as scratch, tarfile.open(sdist) as archive:
        (top,) = {name.split("/")[0] for name in archive.getnames()}
        names = {name.partition("/")[2] for name in archive.getnames()}
        missing = [name for name in IN_SDIST if name not in names]
        must(not missing, f"{sdist.name} lacks {missing}")
        tests = [name for name in names if name.startswith(("tests/", "bindings-python/tests/"))]
        must(not tests, f"{tests[:3]} … need the whole repository")
        info = archive.extractfile(f"{top}/PKG-INFO")
        check_metadata(info.read().decode() if info else "")
        archive.extractall(scratch, filter="data")
        command = ("cargo", "metadata", "--format-version", "1", "--offline")
        packages = json.loads(run(*command, cwd=Path(scratch) / top))["workspace_members"]
        must(len(packages) == 3, f"the archive's workspace has {packages}, not core, natives and binding")
    run(sys.executable, "-m", "twine", "check", "--strict", sdist)


def build(sdist: Path, into: Path) -> Path:
    """Builds a wheel from the archive alone, without optimizing: it is to show that nothing is missing."""
    tools = Path(sys.executable).parent
    env = os.environ | {
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "MATURIN_PEP517_ARGS": "--profile dev",
    }
    wheel = ("-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", into, sdist)
    run(sys.executable, *wheel, cwd=into, env=env)
    (built,) = into.glob("*.whl")
    return built


def main() -> None:
    """Checks the package that the argument names."""
    try:
        if sys.argv[1:] == ["wheel"]:
            wheel = the_only("*.whl")
            check_wheel(wheel)
            found = interpreters()
            for version, python in found.items():
                try_out(wheel, version, python)
            print(f"{wheel.name}, {wheel.stat().st_size / 1e6:.1f} MB: ok on Python {', '.join(found)}")
        elif sys.argv[1:] == ["sdist"]:
            sdist = the_only("*.tar.gz")
            check_sdist(sdist)
            version, python = next((v, p) for v, p in interpreters().items() if p == STANDARD)
            with tempfile.TemporaryDirectory(prefix="everstep-built-") as scratch:
                try_out(build(sdist, Path(scratch)), version, python)
            print(
                f"{sdist.name}, {sdist.stat().st_size / 1e6:.1f} MB: builds, and its wheel runs on Python {version}"
            )
        else:
            raise SystemExit("say wheel or sdist")
    except WrongPackage as wrong:
        raise SystemExit(str(wrong)) from None


if __name__ == "__main__":
    main()
