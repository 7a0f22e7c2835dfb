import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.diff import diff
from service.core.history import apply_with_inverse, invert, squash
from service.core.operation import resolve
from service.errors import NotExpressibleError, ServiceError
from tests.unit.core import applier
from tests.unit.core.documents import DOCUMENTS, NAMES, SCALARS, pairs

PATHS = st.lists(NAMES | st.integers(0, 4).map(str), max_size=3).map(
    lambda tokens: "".join("/" + token.replace("~", "~0").replace("/", "~1") for token in tokens)
)
OPERATIONS = st.fixed_dictionaries(
    {
        "op": st.sampled_from(["add", "remove", "replace", "move", "copy"]),
        "path": PATHS,
        "from": PATHS,
        "value": SCALARS | st.lists(SCALARS, max_size=3),
    }
)


def keep_what_applies(document: Any, operations: list[dict[str, Any]]) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = []
    for operation in operations:
        try:
            document = applier.apply(document, [operation])
        except (AssertionError, LookupError, ValueError, TypeError):
            continue
        kept.append(operation)
    return kept


@given(DOCUMENTS, st.lists(OPERATIONS, max_size=8))
def test_the_inverse_of_any_patch_leads_back(before: Any, operations: list[dict[str, Any]]) -> None:
    operations = keep_what_applies(before, operations)

    after, inverse = apply_with_inverse(copy.deepcopy(before), operations)

    assert applier.strictly_equal(after, applier.apply(before, operations))
    assert applier.strictly_equal(applier.apply(after, inverse), before)


@given(pairs())
def test_the_inverse_of_a_diff_leads_back(pair: tuple[Any, Any]) -> None:
    before, after = pair

    _, inverse = apply_with_inverse(copy.deepcopy(before), diff(before, after))

    assert applier.strictly_equal(applier.apply(after, inverse), before)


@pytest.mark.parametrize(
    ("before", "operation"),
    [
        pytest.param({"a": 1, "b": 2}, {"op": "move", "from": "/a", "path": "/b"}, id="over another"),
        pytest.param(
            {"a": {"b": {"c": 1}, "d": 2}}, {"op": "move", "from": "/a/b", "path": "/a"}, id="over its parent"
        ),
        pytest.param({"a": {"b": 1}}, {"op": "move", "from": "/a/b", "path": ""}, id="over the root"),
        pytest.param([0, 5, {"x": 1}], {"op": "move", "from": "/0", "path": "/1/x"}, id="into a neighbour"),
        pytest.param([0, 5, [1]], {"op": "move", "from": "/0", "path": "/1/-"}, id="to the end of a neighbour"),
        pytest.param([1, 2, 3], {"op": "move", "from": "/0", "path": "/-"}, id="to the end"),
        pytest.param({"-": 0, "a": 1}, {"op": "move", "from": "/a", "path": "/-"}, id="over a member named -"),
        pytest.param({"a": 1, "l": []}, {"op": "move", "from": "/a", "path": "/l/-"}, id="into a list"),
        pytest.param({"a": 1}, {"op": "copy", "from": "/a", "path": "/~1"}, id="a copy"),
        pytest.param({"a~/": 1}, {"op": "add", "path": "/a~0~1", "value": [2]}, id="over an escaped name"),
        pytest.param([[1], 2], {"op": "replace", "path": "", "value": 3}, id="the root"),
    ],
)
def test_an_operation_can_be_undone(before: Any, operation: dict[str, Any]) -> None:
    after, inverse = apply_with_inverse(copy.deepcopy(before), [operation])

    assert not applier.strictly_equal(after, before)
    assert applier.strictly_equal(applier.apply(after, inverse), before)


def test_a_patch_that_fails_has_no_inverse() -> None:
    with pytest.raises(ServiceError):
        apply_with_inverse({}, [{"op": "move", "from": "/a/b", "path": "/c/d"}])


def test_an_invertible_patch_is_inverted_without_its_document() -> None:
    patch: list[dict[str, Any]] = [
        {"op": "test", "path": "/a", "value": 1},
        {"op": "replace", "path": "/a", "value": 2},
        {"op": "add", "path": "/b", "value": 3},
        {"op": "move", "from": "/c", "path": "/d"},
        {"op": "test", "path": "/e", "value": 4},
        {"op": "remove", "path": "/e"},
        {"op": "test", "path": "/a", "value": 2},
    ]
    before = {"a": 1, "c": 5, "e": 4}

    inverse = invert(patch)

    assert applier.apply(applier.apply(before, patch), inverse) == before
    assert applier.apply(before, invert(inverse)) == applier.apply(before, patch)


@pytest.mark.parametrize(
    "patch",
    [
        [{"op": "remove", "path": "/a"}],
        [{"op": "replace", "path": "/a", "value": 1}],
        [{"op": "test", "path": "/b", "value": 1}, {"op": "remove", "path": "/a"}],
        [{"op": "copy", "from": "/a", "path": ""}],
        [{"op": "add", "path": "", "value": 1}],
    ],
)
def test_a_patch_that_does_not_tell_what_was_there_is_refused(patch: list[dict[str, Any]]) -> None:
    with pytest.raises(NotExpressibleError):
        invert(patch)


@given(DOCUMENTS, DOCUMENTS, DOCUMENTS)
def test_a_squashed_patch_has_the_effect_of_all(first: Any, second: Any, third: Any) -> None:
    squashed = squash(first, [diff(first, second), diff(second, third)])

    assert applier.strictly_equal(applier.apply(first, squashed), third)


def test_resolving_takes_one_way_through_arrays_and_objects() -> None:
    assert resolve({"a": [{"0": 1}]}, "/a/0/0") == 1
