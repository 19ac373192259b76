"""``python -m everstep`` prints what is installed here."""

from __future__ import annotations

import platform

import everstep

from . import _native


def main() -> None:
    """Prints version and facts."""
    print(f"everstep {everstep.__version__}")
    print(f"python   {platform.python_implementation()} {platform.python_version()} on {platform.platform()}")
    print(f"native   {_native.__file__}")


if __name__ == "__main__":
    main()
