import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from service.core.diff import diff
from service.core.patch import apply, check_patch
from service.errors import (
    InvalidPatchError,
    PathNotAllowedError,
    PathNotFoundError,
    ResultTooLargeError,
    ServiceError,
    TestFailedError,
    TooDeepError,
    TooLargeError,
)
from tests.unit.core import applier
from tests.unit.core.documents import pairs

# json-patch/json-patch-tests, Apache-2.0
SPECIFICATION = json.loads(Path("tests/cases/json-patch-spec-tests.json").read_text())


@pytest.mark.parametrize(
    "case", [case for case in SPECIFICATION if "expected" in case], ids=lambda case: case["comment"]
)
def test_the_examples_of_the_specification_apply(case: dict[str, Any]) -> None:
    result = apply(copy.deepcopy(case["doc"]), check_patch(case["patch"]))

    assert applier.strictly_equal(result, case["expected"])


@pytest.mark.parametrize("case", [case for case in SPECIFICATION if "error" in case], ids=lambda case: case["comment"])
def test_what_the_specification_refuses_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(ServiceError):
        apply(copy.deepcopy(case["doc"]), check_patch(case["patch"]))


def test_every_case_of_the_specification_is_run() -> None:
    assert all("expected" in case or "error" in case for case in SPECIFICATION)


@given(pairs())
def test_it_agrees_with_an_independent_applier(pair: tuple[Any, Any]) -> None:
    before, after = pair
    patch = diff(before, after)

    result = apply(copy.deepcopy(before), check_patch(patch))

    assert applier.strictly_equal(result, applier.apply(before, patch))


@pytest.mark.parametrize(
    ("document", "operation", "result"),
    [
        pytest.param({}, {"op": "add", "path": "", "value": 1}, 1, id="the root"),
        pytest.param([1], {"op": "replace", "path": "", "value": {}}, {}, id="the root replaced"),
        pytest.param({"": 1}, {"op": "replace", "path": "/", "value": 2}, {"": 2}, id="the empty name"),
        pytest.param({"~1": 1}, {"op": "remove", "path": "/~01"}, {}, id="~01 is ~1"),
        pytest.param({"-": 1}, {"op": "replace", "path": "/-", "value": 2}, {"-": 2}, id="a member named -"),
        pytest.param({"01": 1}, {"op": "remove", "path": "/01"}, {}, id="a member named 01"),
        pytest.param([1], {"op": "add", "path": "/-", "value": 2}, [1, 2], id="at the end"),
        pytest.param([1], {"op": "add", "path": "/1", "value": 2}, [1, 2], id="at the end by index"),
        pytest.param({"a": 1}, {"op": "add", "path": "/a", "value": 2, "x": 3}, {"a": 2}, id="unknown members"),
        pytest.param({"a": {"b": 1}}, {"op": "move", "from": "/a/b", "path": "/a"}, {"a": 1}, id="out of its own"),
        pytest.param([1, 2, 3], {"op": "move", "from": "/0", "path": "/-"}, [2, 3, 1], id="moved to the end"),
        pytest.param([[], 2], {"op": "copy", "from": "", "path": "/0/0"}, [[[[], 2]], 2], id="the root into itself"),
        pytest.param({"a": 1}, {"op": "move", "from": "/a", "path": "/a"}, {"a": 1}, id="moved onto itself"),
        pytest.param(1, {"op": "test", "path": "", "value": 1.0}, 1, id="1 is 1.0"),
    ],
)
def test_an_operation_gives(document: Any, operation: dict[str, Any], result: Any) -> None:
    assert applier.strictly_equal(apply(document, check_patch([operation])), result)


@pytest.mark.parametrize(
    ("document", "operation", "said"),
    [
        pytest.param([1], {"op": "remove", "path": "/-"}, "an array of 1", id="- is not there"),
        pytest.param([1, 2], {"op": "remove", "path": "/01"}, "an array of 2", id="leading zeros"),
        pytest.param([1], {"op": "add", "path": "/2", "value": 1}, "an array of 1", id="beyond the end"),
        pytest.param([1], {"op": "add", "path": "/-1", "value": 1}, "an array of 1", id="negative"),
        pytest.param([1], {"op": "add", "path": "/1e0", "value": 1}, "an array of 1", id="no digits"),
        pytest.param([[1]], {"op": "add", "path": "/-/0", "value": 1}, "an array of 1", id="through the end"),
        pytest.param([1], {"op": "replace", "path": "/" + "9" * 5000, "value": 1}, "an array of 1", id="far away"),
        pytest.param({"a": "x"}, {"op": "add", "path": "/a/0", "value": 1}, "'/a' is a scalar", id="into a string"),
        pytest.param({}, {"op": "replace", "path": "/a", "value": 1}, "'' is an object", id="replace of nothing"),
        pytest.param({}, {"op": "add", "path": "/a/b", "value": 1}, "'' is an object", id="no parent"),
        pytest.param({}, {"op": "move", "from": "/a", "path": "/b"}, "'/a' does not exist", id="move of nothing"),
        pytest.param([1], {"op": "copy", "from": "/-", "path": "/0"}, "'/-' does not exist", id="copy of nothing"),
        pytest.param([1], {"op": "move", "from": "/0", "path": "/1"}, "'/1' does not exist", id="after removal"),
    ],
)
def test_a_path_that_leads_nowhere_is_pointed_at(document: Any, operation: dict[str, Any], said: str) -> None:
    with pytest.raises(PathNotFoundError) as refusal:
        apply(document, check_patch([operation]))

    violation = refusal.value.violations[0]
    assert said in refusal.value.detail
    assert (violation.index, violation.op) == (0, operation["op"])
    assert violation.path in {operation["path"], operation.get("from")}


@pytest.mark.parametrize(
    ("actual", "expected"), [(1, True), (0, False), ([1], [True]), ("1", 1), ({"a": 1}, {"a": 1, "b": 2}), (None, 0)]
)
def test_a_test_that_does_not_hold_says_so(actual: Any, expected: Any) -> None:
    with pytest.raises(TestFailedError) as refusal:
        apply({"x": actual}, check_patch([{"op": "test", "path": "/x", "value": expected}]))

    violation = refusal.value.violations[0]
    assert (violation.index, violation.path) == (0, "/x")
    assert applier.strictly_equal([violation.actual, violation.expected], [actual, expected])


def test_a_test_of_what_is_not_there_fails() -> None:
    with pytest.raises(TestFailedError, match="nothing"):
        apply({}, check_patch([{"op": "test", "path": "/x", "value": None}]))


@pytest.mark.parametrize(
    "patch",
    [
        pytest.param({}, id="an object"),
        pytest.param("[]", id="a string"),
        pytest.param([1], id="a number for an operation"),
        pytest.param([{}], id="no op"),
        pytest.param([{"op": "ADD", "path": "", "value": 1}], id="an unknown op"),
        pytest.param([{"op": ["add"], "path": "", "value": 1}], id="op of another type"),
        pytest.param([{"op": "add", "path": "/a"}], id="no value"),
        pytest.param([{"op": "remove"}], id="no path"),
        pytest.param([{"op": "remove", "path": None}], id="path of another type"),
        pytest.param([{"op": "remove", "path": "a"}], id="no pointer"),
        pytest.param([{"op": "remove", "path": "/~2"}], id="a bad escape"),
        pytest.param([{"op": "move", "path": "/a"}], id="no from"),
        pytest.param([{"op": "move", "path": "/a/b", "from": "/a"}], id="into itself"),
        pytest.param([{"op": "move", "path": "/a", "from": ""}], id="the root into itself"),
    ],
)
def test_what_is_no_patch_is_refused(patch: Any) -> None:
    with pytest.raises(InvalidPatchError):
        check_patch(patch)


def test_every_faulty_operation_is_named() -> None:
    with pytest.raises(InvalidPatchError) as refusal:
        check_patch([{"op": "x"}, {"op": "remove", "path": "/a"}, {"op": "add", "path": "/a"}])

    assert [violation.index for violation in refusal.value.violations] == [0, 2]


def test_operations_are_counted() -> None:
    patch = [{"op": "test", "path": "", "value": 1}] * 3

    assert check_patch(patch, max_operations=3)
    with pytest.raises(TooLargeError, match="at most 2"):
        check_patch(patch, max_operations=2)


def test_the_root_cannot_be_removed() -> None:
    with pytest.raises(PathNotAllowedError):
        apply({}, check_patch([{"op": "remove", "path": ""}]))


def test_the_growth_by_copies_is_bounded() -> None:
    doubling = [{"op": "copy", "from": "", "path": "/-"}] * 60

    with pytest.raises(ResultTooLargeError):
        apply(["0123456789"], check_patch(doubling), max_copied_bytes=100_000)


def test_copies_up_to_the_limit_pass() -> None:
    operation = [{"op": "copy", "from": "/0", "path": "/-"}]

    assert apply(["12345678"], operation, max_copied_bytes=10) == ["12345678"] * 2
    with pytest.raises(ResultTooLargeError):
        apply(["123456789"], operation, max_copied_bytes=10)


@pytest.mark.parametrize("links", [300, 3000])
def test_a_document_cannot_be_nested_deeper_by_moves(links: int) -> None:
    patch = [{"op": "add", "path": "/0", "value": [[]]}, {"op": "move", "from": "/1", "path": "/0/0"}] * links

    with pytest.raises(TooDeepError):
        apply([[]], check_patch(patch))


def test_depth_at_the_limit_passes() -> None:
    assert apply([], [{"op": "add", "path": "/0", "value": []}], max_depth=2) == [[]]
    with pytest.raises(TooDeepError):
        apply([], [{"op": "add", "path": "/0", "value": [[]]}], max_depth=2)


def test_the_patch_is_neither_changed_nor_shared() -> None:
    patch: list[dict[str, Any]] = [
        {"op": "add", "path": "/a", "value": {"b": []}},
        {"op": "add", "path": "/a/b/-", "value": 1},
    ]
    kept = copy.deepcopy(patch)

    result = apply({}, patch)

    assert result == {"a": {"b": [1]}}
    assert patch == kept
