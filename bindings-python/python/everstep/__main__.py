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


def facts(endpoint: str | None = None) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """What is known of this installation and of the endpoint, for programs and for people.

    ``problems`` lists what is wrong.
    """
    found, rows = _native.report(endpoint)
    own = {
        "everstep": __version__,
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "platform": platform.platform(),
        "module": str(_native.__file__),
    }
    return {**own, **json.loads(found)}, [*own.items(), *rows]


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
    found, rows = facts(given.endpoint)
    print(json.dumps(found, indent=2) if given.json else "\n".join(f"{name:<11} {text}" for name, text in rows))
    return 1 if found["problems"] else 0


if __name__ == "__main__":
    sys.exit(main())
