import copy
from typing import Any

import msgspec
import pytest
from hypothesis import given
from msgspec import UNSET

from service.core.changes import Change, list_changes
from service.core.diff import diff
from service.errors import PathNotFoundError
from tests.unit.core.documents import pairs


@given(pairs())
def test_there_is_one_change_for_each_operation(pair: tuple[Any, Any]) -> None:
    before, after = pair
    patch = diff(before, after)

    changes = list_changes(copy.deepcopy(before), patch)

    assert [(change.op, change.path) for change in changes] == [(each["op"], each["path"]) for each in patch]


def test_a_change_tells_the_value_before_and_after() -> None:
    patch: list[dict[str, Any]] = [
        {"op": "test", "path": "/a", "value": 1},
        {"op": "replace", "path": "/a", "value": 2},
        {"op": "add", "path": "/b", "value": [3]},
        {"op": "move", "from": "/b", "path": "/c"},
        {"op": "add", "path": "/c/0", "value": 4},
        {"op": "remove", "path": "/c"},
        {"op": "add", "path": "/a", "value": None},
        {"op": "add", "path": "", "value": {}},
    ]

    assert list_changes({"a": 1}, patch) == [
        Change("/a", "replace", before=1, after=2),
        Change("/b", "add", after=[3]),
        Change("/c", "move", source="/b", after=[3]),
        Change("/c/0", "add", after=4),
        Change("/c", "remove", before=[4, 3]),
        Change("/a", "add", before=2, after=None),
        Change("", "add", before={"a": None}, after={}),
    ]


def test_what_was_not_there_is_left_out_of_the_text() -> None:
    assert msgspec.json.encode(Change("/a", "add", after=None)) == b'{"path":"/a","op":"add","after":null}'
    assert msgspec.to_builtins(Change("/a", "copy", source="/b"))["from"] == "/b"
    assert Change("/a", "remove", before=1).after is UNSET


def test_a_patch_that_does_not_apply_is_refused() -> None:
    with pytest.raises(PathNotFoundError):
        list_changes({}, [{"op": "remove", "path": "/a"}])
