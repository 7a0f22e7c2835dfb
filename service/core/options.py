"""What a comparison may be told, as values. Parsing them from a request is the work of `api`."""

from typing import Literal

import msgspec

Alignment = Literal["inOrder", "positionPriority", "keyed"]
FamilyAlignment = Literal["inOrder", "positionPriority", "keyed", "orderless", "typeWithValuePriority"]
"""What `compare` and the merges know; a patch cannot say the last two, which set order aside or never cross types."""

Pattern = tuple[str, ...]
"""Unescaped tokens of a JSON Pointer pattern; `*` stands for one token, `**` for any run of tokens (none too).

The empty pattern is the whole document. A pattern covers what it matches and everything below it.
"""


class ArrayRule(msgspec.Struct, frozen=True):
    """How the items of the arrays that `path` matches are paired; without `path`, of every array.

    `keyed`: items (objects) whose members `keys` are equal are the same item. Missing or repeated keys raise
    `ArrayKeyError` unless `on_key_error` is `inOrder`, which falls back to that alignment for the array.
    """

    alignment: FamilyAlignment
    path: Pattern | None = None
    keys: tuple[str, ...] = ()
    on_key_error: Literal["refuse", "inOrder"] = "refuse"


class Tolerance(msgspec.Struct, frozen=True):
    """Numbers that differ by less than `distance` count as equal, at and below `path` (None: everywhere)."""

    distance: float
    path: Pattern | None = None


class Scoped(msgspec.Struct, frozen=True):
    """A switch for what lies at and below `path` (None: everywhere)."""

    enabled: bool
    path: Pattern | None = None


class DiffOptions(msgspec.Struct, frozen=True):
    """Options of one comparison (API: `dxConfig` and its neighbours). Where several rules fit a place, the last wins.

    `shorten_above` is a size in bytes: a whole patch up to it stays member by member, above it a container is
    replaced wherever that is smaller. 0 gives the smallest patch.

    What is ignored (by name, by path, or by lying outside `only`) never appears in a patch: it is not compared, not
    removed while its container stays, and values that are added are written without it.
    """

    ignored_names: frozenset[str] = frozenset()
    ignored_paths: tuple[Pattern, ...] = ()
    only: tuple[Pattern, ...] = ()
    arrays: tuple[ArrayRule, ...] = ()
    tolerances: tuple[Tolerance, ...] = ()
    moves: tuple[Scoped, ...] = ()
    invertible: tuple[Scoped, ...] = ()
    shorten_above: int = 1024
    max_depth: int = 200


DEFAULT = DiffOptions()


class FamilyOptions(msgspec.Struct, frozen=True):
    """Options of `compare` and the merges: those of a comparison, where `moves` and `invertible` mean nothing.

    `alignment` holds for arrays that no rule of `diff` fits. `word_by_word` looks inside strings.
    """

    diff: DiffOptions = DEFAULT
    alignment: FamilyAlignment = "orderless"
    word_by_word: bool = False
