"""What the demo shows: a progress bar, tables and marks on a terminal, plain lines anywhere else."""

from __future__ import annotations

import os
import shutil
import sys
import time

BOLD, DIM, RED, GREEN, YELLOW, CYAN = "1", "2", "31", "32", "33", "36"


def _can_encode(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


class Screen:
    def __init__(self) -> None:
        self._live = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
        self._colour = self._live and not os.environ.get("NO_COLOR")
        drawn = _can_encode("█░─✔✘")
        self._full, self._empty, self._line = ("█", "░", "─") if drawn else ("#", ".", "-")
        self._yes, self._no = ("✔", "✘") if drawn else ("ok", "WRONG")
        self._bar_shown = False
        self._next_line = 0.0

    def paint(self, text: str, *codes: str) -> str:
        return f"\x1b[{';'.join(codes)}m{text}\x1b[0m" if self._colour and codes else text

    def say(self, text: str = "", *codes: str) -> None:
        self._wipe()
        print(self.paint(text, *codes), flush=True)

    def title(self, text: str) -> None:
        self.say()
        self.say(text, BOLD)

    def progress(self, done: int, total: int, note: str) -> None:
        """Draws the bar again; without a terminal it is a line now and then."""
        share = done / total
        if not self._live:
            if time.monotonic() >= self._next_line:
                self._next_line = time.monotonic() + 1
                print(f"  {done:,} of {total:,} orders ended ({share:.0%}), {note}", flush=True)
            return
        width = max(10, min(40, shutil.get_terminal_size().columns - 50))
        filled = int(width * share)
        bar = self.paint(self._full * filled, GREEN) + self.paint(self._empty * (width - filled), DIM)
        sys.stdout.write(f"\r\x1b[K  {bar} {done:,}/{total:,}  {self.paint(note, DIM)}")
        sys.stdout.flush()
        self._bar_shown = True

    def settle(self) -> None:
        """Leaves the bar as it is and goes on below."""
        if self._bar_shown:
            print(flush=True)
            self._bar_shown = False

    def check(self, right: bool, text: str, note: str = "") -> None:
        mark = self.paint(self._yes, GREEN) if right else self.paint(self._no, RED, BOLD)
        self.say(f"  {mark} {text}{self.paint(f'  {note}', DIM) if note else ''}")

    def table(self, head: tuple[str, ...], rows: list[tuple[str, ...]], total: tuple[str, ...]) -> None:
        """A table whose first column is words and whose others are numbers."""
        widths = [max(len(row[column]) for row in [head, *rows, total]) for column in range(len(head))]

        def line(cells: tuple[str, ...]) -> str:
            first, *rest = (
                cell.rjust(width) if column else cell.ljust(width)
                for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
            )
            return "  " + "   ".join([first, *rest])

        rule = "  " + self._line * (sum(widths) + 3 * (len(widths) - 1))
        self.say(line(head), BOLD)
        self.say(rule, DIM)
        for row in rows:
            self.say(line(row))
        self.say(rule, DIM)
        self.say(line(total), BOLD)

    def _wipe(self) -> None:
        if self._bar_shown:
            sys.stdout.write("\r\x1b[K")
            self._bar_shown = False
