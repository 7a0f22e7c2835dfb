"""How the demonstration looks: plain text, with colour where a person watches."""

import json
import os
from collections.abc import Iterator
from typing import Any, TextIO

_MOST_LINES = 24
_WIDTH = 110
_BOLD, _DIM, _GREEN, _RED, _BLUE = "1", "2", "32", "31", "34"


class Screen:
    """Writes requests, answers and verdicts."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._colours = out.isatty() and "NO_COLOR" not in os.environ

    def title(self, text: str) -> None:
        """Begin a scene."""
        self._write("", self._paint(_BOLD, text), self._paint(_BOLD, "=" * len(text)))

    def say(self, text: str) -> None:
        """Explain what comes."""
        self._write("", text)

    def request(self, line: str, headers: dict[str, str], body: str) -> None:
        """Show what is sent."""
        self._write("", self._paint(_BLUE, f"→ {line}"), *(f"  {name}: {value}" for name, value in headers.items()))
        self._write(*(f"  {text}" for text in shortened(body)))

    def answer(self, line: str, headers: dict[str, str], body: str) -> None:
        """Show what came back."""
        self._write(self._paint(_BLUE, f"← {line}"), *(f"  {name}: {value}" for name, value in headers.items()))
        self._write(*(self._paint(_DIM, f"  {text}") for text in shortened(body)))

    def progress(self, done: int, total: int, rate: float) -> None:
        """Show how far something has come: a bar that grows on a terminal, nothing but its end elsewhere."""
        bar = "#" * round(30 * done / max(1, total))
        line = f"  [{bar:<30}] {done:,} of {total:,} at {rate:,.0f} a second"
        if self._out.isatty():
            self._out.write(f"\r{line}" + ("\n" if done >= total else ""))
            self._out.flush()
        elif done >= total:
            self._write(line)

    def success(self, text: str) -> None:
        """Say that something came out as it should."""
        self._write(self._paint(_GREEN, f"✓ {text}"))

    def failure(self, text: str) -> None:
        """Say that something did not."""
        self._write(self._paint(_RED, f"✗ {text}"))

    def close(self, failed: list[str]) -> None:
        """Say how it all came out."""
        self._write("")
        if failed:
            self.failure(f"Not as expected: {', '.join(failed)}.")
        else:
            self.success("All scenes came out as expected.")

    def _paint(self, colour: str, text: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._colours else text

    def _write(self, *lines: str) -> None:
        for line in lines:
            print(line, file=self._out)
        self._out.flush()


def shortened(text: str) -> list[str]:
    """Lay JSON out for reading, and leave out what is beyond a screenful."""
    try:
        lines = list(_laid_out(json.loads(text)))
    except ValueError:
        lines = text.splitlines()
    lines = [line if len(line) <= 150 else f"{line[:150]}…" for line in lines]
    if len(lines) > _MOST_LINES:
        return [*lines[:_MOST_LINES], f"… {len(lines) - _MOST_LINES} more lines"]
    return lines


def _laid_out(value: Any) -> Iterator[str]:
    """Yield a value's lines: what fits into one stays in one."""
    compact = json.dumps(value, ensure_ascii=False)
    if len(compact) <= _WIDTH or not isinstance(value, (dict, list)):
        yield compact
        return
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    members = (
        [(f"{json.dumps(name)}: ", each) for name, each in value.items()]
        if isinstance(value, dict)
        else [("", each) for each in value]
    )
    yield opening
    for index, (name, each) in enumerate(members, 1):
        first, *rest = _laid_out(each)
        lines = [f"{name}{first}", *rest]
        lines[-1] += "," if index < len(members) else ""
        yield from (f"  {line}" for line in lines)
    yield closing
