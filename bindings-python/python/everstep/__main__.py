"""Prints what a bug report needs: versions, the endpoint that a client would use and why, and the facts of its store.

It makes no file, takes no lock and shows no payload.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from typing import Any

from . import __version__, _native

_EPILOG = "Exit codes: 0 when nothing is wrong, 1 when something is, 2 for wrong arguments."


def facts(endpoint: str | None = None) -> dict[str, Any]:
    """What is known of this installation and of the endpoint; ``problems`` lists what is wrong."""
    found: dict[str, Any] = json.loads(_native.report(endpoint))
    return {
        "everstep": __version__,
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "platform": platform.platform(),
        "module": _native.__file__,
        **found,
    }


def lines(facts: dict[str, Any]) -> list[str]:
    """The facts for people."""
    core = facts["core"]
    rows = [
        ("everstep", f"{facts['everstep']}, core {core['version']} ({core['profile']}, {core['target']})"),
        ("python", f"{facts['python']} on {facts['platform']}"),
        ("module", facts["module"]),
        ("sqlite", core["sqlite"]),
    ]
    if facts["endpoint"] is not None:
        rows.append(("endpoint", f"{facts['endpoint']} (from {facts['endpoint_from']})"))
    store = facts["store"]
    if store is not None:
        rows += _store(store)
    rows += [("problem", f"{problem['code']}: {problem['message']}") for problem in facts["problems"]]
    return [f"{name:<11} {text}" for name, text in rows]


def _store(store: dict[str, Any]) -> list[tuple[str, str]]:
    if not store["exists"]:
        return [("store", "no file yet; the first client makes it")]
    rows = [
        ("store", f"{_size(store['bytes'])}, journal {_size(store['journal_bytes'])}"),
        ("schema", f"{_known(store['schema'])}, this version writes {store['known_schema']}"),
        ("journal", f"{_known(store['journal_mode'])}, pages of {_known(store['page_size'])} bytes"),
    ]
    if store["file_mode"] is not None:
        rows.append(("permissions", f"file {store['file_mode']}, directory {_known(store['directory_mode'])}"))
    if store["instances"] is not None:
        counts = [f"{count:,} {status}" for status, count in store["instances"].items()]
        rows.append(("instances", ", ".join(counts) or "none"))
    owner = store["owner"]
    if owner is not None:
        who = f"process {owner['pid']} ({owner['command']}) since {owner['since']}"
        rows.append(("owner", who if store["owned"] else f"{_nobody(store)}; last: {who}"))
    return rows


def _nobody(store: dict[str, Any]) -> str:
    return "unknown" if store["owned"] is None else "none"


def _known(value: object) -> object:
    return "unknown" if value is None else value


def _size(bytes: int) -> str:
    return f"{bytes / 1e6:,.1f} MB" if bytes >= 1_000_000 else f"{bytes:,} bytes"


def main(arguments: list[str] | None = None) -> int:
    """Prints the facts; gives the exit code."""
    parser = argparse.ArgumentParser("python -m everstep", description=__doc__, epilog=_EPILOG)
    parser.add_argument(
        "endpoint",
        nargs="?",
        help="where workflows run, for example sqlite:workflows.db; without it, what a Client() would use",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--version", action="version", version=f"everstep {__version__}")
    given = parser.parse_args(arguments)
    found = facts(given.endpoint)
    print(json.dumps(found, indent=2) if given.json else "\n".join(lines(found)))
    return 1 if found["problems"] else 0


if __name__ == "__main__":
    sys.exit(main())
