"""What a list is asked for, as values: filters, order, where to go on. Parsing a query is the work of `api`."""

from typing import Any, Literal

import msgspec

from service.core.values import Json

Operator = Literal["eq", "ne", "gt", "gte", "lt", "lte", "in", "nin", "exists", "prefix"]
Path = tuple[str, ...]
"""Names of members from the resource's root on; a step through an array stands for any of its items."""


class Filter(msgspec.Struct, frozen=True):
    """A condition on one member. `in` and `nin` have a list of scalars, `exists` a boolean, `prefix` a string."""

    path: Path
    operator: Operator
    value: Any


class Order(msgspec.Struct, frozen=True):
    """One member to sort by. What is no scalar (absent, an object, an array) sorts as null, before all else."""

    path: Path
    descending: bool = False


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where a page ends: the last item's values of the members sorted by, and its id."""

    values: tuple[str | int | float | bool | None, ...]
    id: str


class Listing(msgspec.Struct, frozen=True):
    """A list: what is in it, in which order (ids break ties), and after which place the page begins."""

    filters: tuple[Filter, ...] = ()
    order: tuple[Order, ...] = ()
    after: Place | None = None


def project(document: dict[str, Json], paths: tuple[Path, ...]) -> dict[str, Json]:
    """Give the document with only these members, and those of items of arrays on the way.

    >>> project({"a": 1, "p": [{"x": 1, "y": 2}], "q": 3}, (("p", "x"), ("q",)))
    {'p': [{'x': 1}], 'q': 3}
    """
    below: dict[str, tuple[Path, ...]] = {}
    for path in paths:
        below[path[0]] = (*below.get(path[0], ()), path[1:])
    return {
        name: value if () in below[name] else _project_value(value, below[name])
        for name, value in document.items()
        if name in below
    }


def _project_value(value: Json, paths: tuple[Path, ...]) -> Json:
    if isinstance(value, dict):
        return project(value, paths)
    return [_project_value(item, paths) for item in value] if isinstance(value, list) else value
