"""Version strings: which texts are versions, and their order. SemVer 2.0.0, section 11, with any number of numbers."""

import re
from typing import NamedTuple, TypeAlias

MAX_LENGTH = 256
"""A longer text is no version."""

_VERSION = re.compile(
    r"[vV]?(?P<numbers>[0-9]+(?:\.[0-9]+)*)"
    r"(?P<pre>-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
    r"(?:\+[0-9A-Za-z.-]+)?"
)
_Number: TypeAlias = tuple[int, str]
_Label: TypeAlias = tuple[bool, int, str]


class Version(NamedTuple):
    """A version that sorts among others. Trailing zeros are left out; `labels` are those of a pre-release.

    Numbers are compared by length, then by digits: a text of digits is never turned into an integer.
    """

    numbers: tuple[_Number, ...]
    is_release: bool
    labels: tuple[_Label, ...]


def parse_version(text: str) -> Version | None:
    """Read a version, or give None for a text that is none. Build metadata (`+…`) counts for nothing.

    A pre-release needs a dot among its numbers, so that a date is no version.

    >>> parse_version("v1.2.0") == parse_version("1.2"), parse_version("2024-01-31"), parse_version("latest")
    (True, None, None)
    >>> parse_version("9.6") < parse_version("16") and parse_version("1.0-rc.2") < parse_version("1.0")
    True
    """
    match = _VERSION.fullmatch(text) if len(text) <= MAX_LENGTH else None
    if match is None:
        return None
    numbers, labels = match["numbers"].split("."), match["pre"]
    if labels is not None and len(numbers) == 1:
        return None
    significant = [_number(each) for each in numbers]
    while len(significant) > 1 and significant[-1] == (0, ""):
        significant.pop()
    return Version(tuple(significant), labels is None, tuple(map(_label, labels[1:].split("."))) if labels else ())


def _number(digits: str) -> _Number:
    significant = digits.lstrip("0")
    return len(significant), significant


def _label(text: str) -> _Label:
    """Sort numeric labels before others, by value."""
    return (False, *_number(text)) if text.isdecimal() else (True, 0, text)
