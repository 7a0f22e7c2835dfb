"""Identified lists: first-level arrays whose items (objects) have an id of their own, given when they come without."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from service.core import pointer
from service.core.history import apply_with_inverse
from service.core.operation import Operation
from service.core.values import Json

DEFAULT_LISTS = ("phone", "email", "fax", "address", "social")


def missing_ids(document: dict[str, Json], lists: Iterable[str], make_id: Callable[[], str]) -> Iterator[Operation]:
    """Yield the operations that give every item without an id `<property>-<made id>`; an id that is there stays.

    >>> list(missing_ids({"phone": [{"value": "1"}]}, ["phone"], lambda: "x"))
    [{'op': 'add', 'path': '/phone/0/id', 'value': 'phone-x'}]
    """
    for name in lists:
        items: Any = document.get(name)
        if isinstance(items, list):
            for index, item in enumerate(items):
                if isinstance(item, dict) and "id" not in item:
                    path = pointer.format_pointer((name, index, "id"))
                    yield {"op": "add", "path": path, "value": f"{name}-{make_id()}"}


class Given(NamedTuple):
    """The operations that gave items their ids, and those that take them away again."""

    forward: list[Operation]
    inverse: list[Operation]


def give_ids(document: dict[str, Json], lists: Iterable[str], make_id: Callable[[], str]) -> Given:
    """Give every item without an id its own, in place."""
    forward = list(missing_ids(document, lists, make_id))
    return Given(forward, apply_with_inverse(document, forward).inverse if forward else [])
