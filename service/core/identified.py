"""Identified lists: first-level arrays whose items (objects) have an id of their own, given when they come without."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from service.core import pointer
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
