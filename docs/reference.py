"""Writes the reference, HTML pages made of the docstrings, into a folder."""

from __future__ import annotations

import shutil
import sys
import warnings
from pathlib import Path

import pdoc
import pdoc.render


def write(folder: Path) -> None:
    """Writes the pages of all public modules."""
    pdoc.render.configure(docformat="markdown", show_source=False)
    with warnings.catch_warnings():
        # It reads the stub of the native module as if it were a program.
        warnings.filterwarnings("ignore", "Error parsing type stubs for everstep._native")
        pdoc.pdoc("everstep", "everstep.testing", output_directory=folder)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    shutil.rmtree(target, ignore_errors=True)
    write(target)
    print(f"the reference is in {target}/everstep.html")
