"""Checks what no compiler does: one version everywhere, and documents whose links and commands exist."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib  # type: ignore[import-not-found, no-redef, unused-ignore]

ROOT = Path(__file__).resolve().parent.parent


def tracked(pattern: str) -> list[Path]:
    names = subprocess.run(
        ["git", "ls-files", pattern], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    )
    return [path for name in names.stdout.splitlines() if (path := ROOT / name).exists()]


def versions() -> list[str]:
    """One version for all packages: the workspace's."""
    workspace = tomllib.loads((ROOT / "Cargo.toml").read_text("utf-8"))["workspace"]
    version = workspace["package"]["version"]
    found = []
    for member in workspace["members"]:
        package = tomllib.loads((ROOT / member / "Cargo.toml").read_text("utf-8"))["package"]
        if package["version"] != {"workspace": True}:
            found.append(f"{member}/Cargo.toml does not take its version from the workspace")
    for path in tracked("*pyproject.toml"):
        project = tomllib.loads(path.read_text("utf-8")).get("project", {})
        if "version" not in project.get("dynamic", []) and project.get("version", version) != version:
            found.append(f"{path.relative_to(ROOT)} says {project['version']}, the workspace {version}")
    for path in tracked("*package.json"):
        if (said := json.loads(path.read_text("utf-8")).get("version", version)) != version:
            found.append(f"{path.relative_to(ROOT)} says {said}, the workspace {version}")
    for path in tracked("*pom.xml"):
        text = path.read_text("utf-8")
        group, said = (
            re.search(rf"^  <{tag}>(.*)</{tag}>$", text, re.MULTILINE) for tag in ("groupId", "version")
        )
        if group and group[1].startswith("io.github.everstep") and (not said or said[1] != version):
            found.append(f"{path.relative_to(ROOT)} does not say the workspace's version, {version}")
        parent = re.search(
            r"<parent>\s*<groupId>io\.github\.everstep.*?<version>(.*?)</version>", text, re.DOTALL
        )
        if parent and parent[1] != version:
            found.append(
                f"{path.relative_to(ROOT)} names a parent of version {parent[1]}, the workspace has {version}"
            )
    if "## [Unreleased]" not in (ROOT / "CHANGELOG.md").read_text("utf-8"):
        found.append("CHANGELOG.md has no Unreleased section")
    return found


# TypeDoc reads sources through TypeScript 6.
OTHER_TYPESCRIPT = ROOT / "docs" / "node" / "package.json"


def node_tools() -> list[str]:
    """One version of each tool in all Node packages of the tree, and none that floats."""
    found = []
    seen: dict[str, str] = {}
    for path in tracked("*package.json"):
        for name, version in json.loads(path.read_text("utf-8")).get("devDependencies", {}).items():
            if not re.fullmatch(r"\d+\.\d+\.\d+", version):
                found.append(f"{path.relative_to(ROOT)} asks for {name} {version}, which is no exact version")
            elif path != OTHER_TYPESCRIPT and seen.setdefault(name, version) != version:
                found.append(f"{path.relative_to(ROOT)} asks for {name} {version}, another for {seen[name]}")
    return found


def platforms() -> list[str]:
    """The release builds for the platforms that the Node package names, and counts that many packages."""
    targets = json.loads((ROOT / "bindings-node" / "package.json").read_text("utf-8"))["napi"]["targets"]
    release = (ROOT / ".github" / "workflows" / "release.yml").read_text("utf-8")
    found = []
    if (built := re.findall(r"^ +- target: (\S+)$", release, re.MULTILINE)) != targets:
        found.append(f"release.yml builds for {built}, bindings-node/package.json names {targets}")
    counts = [int(count) for count in re.findall(r"\| wc -l\)\" = (\d+)", release)]
    # Wheels; native npm packages, and with the package itself; native jars, and with classes, sources and reference.
    platforms = len(targets)
    if counts != [platforms, platforms, platforms + 1, platforms, platforms + 3]:
        found.append(f"release.yml counts {counts} packages, for {platforms} platforms")
    page = (ROOT / "bindings-java" / "README.md").read_text("utf-8")
    named = re.findall(
        r"`((?:linux|osx|windows)-[\w-]+)`", "".join(re.findall(r"^\| `.*$", page, re.MULTILINE))
    )
    if set(named) != set(map(classifier, targets)):
        found.append(
            f"bindings-java/README.md names the jars {named}, the release has {[*map(classifier, targets)]}"
        )
    return found


def classifier(target: str) -> str:
    """What a platform, named as Rust does it, is called in the name of its jar."""
    arch, _, system = target.partition("-")
    name = {"unknown-linux-gnu": "linux", "unknown-linux-musl": "linux", "apple-darwin": "osx"}.get(
        system, "windows"
    )
    return f"{name}-{arch.replace('aarch64', 'aarch_64')}{'-musl' * system.endswith('musl')}"


def natives() -> list[str]:
    """The native modules compile the crates that they share with the same features: once for all of them."""
    modules = sorted(path.parent.name for path in ROOT.glob("bindings-*/Cargo.toml"))
    found: list[str] = []
    compared: set[str] = set()
    # What is compiled for the target, then what is compiled for builds alone.
    for edges in ("normal,no-proc-macro", "normal,build"):
        trees = {module: features(module.replace("bindings", "everstep"), edges) for module in modules}
        crates = set().union(*trees.values()) - compared
        for crate in sorted(crates):
            asked = {module: tree[crate] for module, tree in trees.items() if crate in tree}
            if len({frozenset(each) for each in asked.values()}) > 1:
                said = "; ".join(f"{module}: {' and '.join(sorted(each))}" for module, each in asked.items())
                found.append(f"natives/Cargo.toml does not give {crate} the same features everywhere: {said}")
        compared |= crates
    return found


def features(package: str, edges: str) -> dict[str, set[str]]:
    """The sets of features with which each crate is compiled for a package."""
    command = [
        "cargo",
        "tree",
        "--locked",
        "--package",
        package,
        "--edges",
        edges,
        "--prefix",
        "none",
        "--format",
        "{p}|{f}",
    ]
    lines = subprocess.run(
        command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    ).stdout.splitlines()
    crates: dict[str, set[str]] = {}
    for line in filter(None, lines):
        crate, _, asked = line.removesuffix(" (*)").partition("|")
        crates.setdefault(crate, set()).add(asked)
    return crates


def links() -> list[str]:
    """Relative links of the documents point at files of the tree, and at headings that those have."""
    found = []
    for path in tracked("*.md"):
        for target, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)]*))?\)", path.read_text("utf-8")):
            if re.match(r"[a-z]+:", target):
                continue
            there = path.parent / target if target else path
            if not there.exists():
                found.append(f"{path.relative_to(ROOT)} links to {target}, which does not exist")
            elif anchor and anchor not in anchors(there):
                found.append(
                    f"{path.relative_to(ROOT)} links to {target}#{anchor}, which has no such heading"
                )
    return found


def anchors(path: Path) -> set[str]:
    """The names that the headings of a document get where it is shown."""
    text = re.sub(r"^```.*?^```$", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def commands() -> list[str]:
    """Every `make` target that a document names is one of the Makefile's."""
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    found = []
    for path in tracked("*.md"):
        for target in re.findall(r"(?:`|^)make ([a-z][a-z-]*)", path.read_text("utf-8"), re.MULTILINE):
            if target not in targets:
                found.append(
                    f"{path.relative_to(ROOT)} names `make {target}`, which the Makefile does not have"
                )
    return found


def main() -> int:
    found = [*versions(), *natives(), *node_tools(), *platforms(), *links(), *commands()]
    for line in found:
        print(f"consistency: {line}", file=sys.stderr)
    print(f"consistency: {len(found)} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
