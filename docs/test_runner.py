"""A wrong page fails: what test_pages.py finds right is worth no more than this."""

from __future__ import annotations

import os
from pathlib import Path

import pages
import pytest
from languages import LANGUAGES

PAGES = os.environ.get("PAGES", "python")


def run(folder: Path, text: str) -> int:
    page = folder / "page.md"
    page.write_text(text, "utf-8")
    return pages.run(pages.read(page), folder, LANGUAGES[PAGES])


PYTHON = """
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

TYPESCRIPT = """
```ts file=greeting.mts
export const greet = (name: string): string => `hello ${name}`
```

```python
print("hello you")
```

```ts
import { greet } from "./greeting.mjs"

console.log(greet("you"))
```

```text
hello you
```

Blocks of a page are one program.

```ts
console.log(greet("all"))
```

```text
hello all
```

```ts not-run
import { greet } from "elsewhere"
```

```ts separate
console.log("greet" in globalThis)
```

```text
false
```

```sh node
node --input-type=module -e 'console.log((await import("./greeting.mjs")).greet("shell"))'
```

```text
hello shell
```
"""

JAVA = """
```java file=Greeting.java
class Greeting {
    static String greet(String name) {
        return "hello " + name;
    }

    public static void main(String[] args) {
        System.out.println(greet(args[0]));
    }
}
```

```python
print("hello you")
```

```java
import java.util.function.Supplier;

Supplier<String> first = () -> Greeting.greet("you");
System.out.println(first.get());
```

```text
hello you
```

Blocks of a page are one program.

```java
import java.util.List;

record Person(String name) {}

for (var person : List.of(new Person("all"))) System.out.println(Greeting.greet(person.name()));
```

```text
hello all
```

```java not-run
import elsewhere.Greeting;
```

```java separate
var first = false;
System.out.println(first);
```

```text
false
```

```sh java
java Greeting.java shell
```

```text
hello shell
```
"""

RIGHT = {"python": PYTHON, "ts": TYPESCRIPT, "java": JAVA}[PAGES]
BLOCKS = {"python": 6, "ts": 6, "java": 6}[PAGES]

WRONG = {
    "python": [
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
    "ts": [
        ("```text\nhello you", "```text\nhello me"),
        ("hello all\n", ""),
        ('console.log(greet("all"))', 'console.log(greet("all"))\nprocess.exit(1)'),
        ('console.log(greet("all"))', 'console.log(greet("all")'),
        ('greet("all")', "greet(1)"),
        ('greet("all")', "greet(each)"),
        ("const greet = (name: string)", "const greet = (name)"),
        ("const greet =", "const meet ="),
        ("false", "true"),
        ("hello shell", "hello"),
        ('.greet("shell")', '.meet("shell")'),
        ("ts not-run", "ts skip"),
        ("ts not-run", "tsx"),
    ],
    "java": [
        ("```text\nhello you", "```text\nhello me"),
        ("hello all\n", ""),
        ("first.get());", "first.get());\nSystem.exit(1);"),
        ("first.get());", "first.get();"),
        ('greet("you")', "greet(1)"),
        ("import java.util.List;", ""),
        ("new Person", "new Human"),
        ("static String greet", "static String meet"),
        ("false\n```", "true\n```"),
        ("java separate", "java"),
        ("hello shell", "hello"),
        ("Greeting.java shell", "Greeting.java"),
        ("java not-run", "java skip"),
        ("java not-run", "jav"),
    ],
}[PAGES]


def test_a_right_page(tmp_path: Path) -> None:
    assert run(tmp_path, RIGHT) == BLOCKS


@pytest.mark.parametrize(("right", "wrong"), WRONG)
def test_a_wrong_page(tmp_path: Path, right: str, wrong: str) -> None:
    assert right in RIGHT
    with pytest.raises(pages.WrongPage, match=r"page\.md"):
        run(tmp_path, RIGHT.replace(right, wrong, 1))


FAILING = {
    "python": '\n\nText.\n\n```python\npass\n\nraise ValueError("boom")\n```\n',
    "ts": '\n\nText.\n\n```ts\nexport {}\n\nthrow new Error("boom")\n```\n',
    "java": '\n\nText.\n\n```java\nimport java.util.List;\n\nif (List.of().isEmpty()) throw new Error("boom");\n```\n',
}[PAGES]


def test_a_stack_names_the_line_of_the_page(tmp_path: Path) -> None:
    with pytest.raises(pages.WrongPage, match=r"(?s)(?=.*boom).*(line |page_0\.mts:|page_0\.java:)8\b"):
        run(tmp_path, FAILING)


def test_a_wrong_block_in_the_middle_is_found(tmp_path: Path) -> None:
    prints = {"python": "print('{}')", "ts": "console.log('{}')", "java": 'System.out.println("{}");'}[PAGES]
    blocks = "```{0}\n{1}\n```\n```text\nb\n```\n```{0}\n{2}\n```\n"
    with pytest.raises(pages.WrongPage, match=r"page\.md:1 prints\na\nbut"):
        run(tmp_path, blocks.format(PAGES, prints.format("a"), prints.format("b")))


def test_one_output_holds_for_the_programs_of_all_languages(tmp_path: Path) -> None:
    both = "```python\nprint(1)\n```\n```ts\nconsole.log(1)\n```\n```java\nSystem.out.println(1);\n```\n```text\n{}\n```\n"
    assert run(tmp_path, both.format("1")) == 1
    second = tmp_path / "second"
    second.mkdir()
    with pytest.raises(pages.WrongPage, match="prints"):
        run(second, both.format("2"))
