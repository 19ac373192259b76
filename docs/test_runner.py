"""A wrong page fails: what test_pages.py finds right is worth no more than this."""

from __future__ import annotations

from pathlib import Path

import pages
import pytest


def run(folder: Path, text: str) -> int:
    page = folder / "page.md"
    page.write_text(text, "utf-8")
    return pages.run(pages.read(page), folder)


RIGHT = """
```python file=greeting.py
def greet(name):
    return f"hello {name}"
```

```python
from greeting import greet

print(greet("you"))
```

```text
hello you
```

Blocks of a page are one program.

```python
print(greet("all"))
```

```text
hello all
```

```python not-run
from elsewhere import greet
```

```python separate
print("greet" in globals())
```

```text
False
```

```sh
python -c 'import greeting; print(greeting.greet("shell"))'
```

```text
hello shell
```
"""


def test_a_right_page(tmp_path: Path) -> None:
    assert run(tmp_path, RIGHT) == 10


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("hello you\n", "hello me\n"),
        ("hello you\n", "hello you\nhello you\n"),
        ("hello all\n", ""),
        ('print(greet("all"))\n', 'print(greet("all"))\nraise SystemExit(1)\n'),
        ('print(greet("all"))', "print(greet('all')"),
        ("```text\nhello you\n```\n", ""),
        ("from elsewhere import greet", "from elsewhere import"),
        ("def greet(name)", "def meet(name)"),
        ("False", "True"),
        ("greeting.greet", "greeting.meet"),
        ("hello shell", "hello"),
        ("python not-run", "python skip"),
        ("python not-run", "py"),
        ("python not-run", ""),
        ("```python separate", " ```python separate"),
        ("```text\nhello all", "```text\nhello all\n```\n\n```text\nhello all"),
    ],
)
def test_a_wrong_page(tmp_path: Path, right: str, wrong: str) -> None:
    assert right in RIGHT
    with pytest.raises(pages.WrongPage, match=r"page\.md"):
        run(tmp_path, RIGHT.replace(right, wrong, 1))


def test_a_traceback_names_the_line_of_the_page(tmp_path: Path) -> None:
    with pytest.raises(pages.WrongPage, match=r"(?s)line 8\b.*boom"):
        run(tmp_path, '\n\nText.\n\n```python\npass\n\nraise ValueError("boom")\n```\n')


def test_a_wrong_block_in_the_middle_is_found(tmp_path: Path) -> None:
    with pytest.raises(pages.WrongPage, match=r"page\.md:1 prints\na\nbut"):
        run(tmp_path, "```python\nprint('a')\n```\n```text\nb\n```\n```python\nprint('b')\n```\n")
