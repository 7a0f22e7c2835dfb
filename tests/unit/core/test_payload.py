from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core import values
from service.core.payload import canonical, check_payload, kind_of
from service.errors import InvalidPatchError, TooLargeError

NAMES = st.sampled_from(["a", "b", "", "/", "~"])
SCALARS = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([1.0, 10**30, 0.5, "x"])
VALUES = st.recursive(SCALARS, lambda each: st.lists(each, max_size=3) | st.dictionaries(NAMES, each, max_size=3))


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        ({}, "empty"),
        ({"operations": []}, "operations"),
        ({"merge": {}}, "merge"),
        ({"from_diff": {}}, "from_diff"),
        ({"script": "x"}, "opaque"),
    ],
)
def test_kinds(payload: dict[str, Any], kind: str) -> None:
    assert kind_of(payload) == kind


@pytest.mark.parametrize(
    "payload",
    [
        {"operations": {}},
        {"operations": [{"op": "jump", "path": "/a"}]},
        {"operations": [{"op": "add", "path": "/a"}]},
        {"operations": [{"op": "remove", "path": "a"}]},
        {"merge": []},
        {"merge": None},
        {"operations": [], "merge": {}},
        {"operations": [], "from_diff": {}},
    ],
)
def test_payloads_that_could_not_be_carried_out_are_refused(payload: dict[str, Any]) -> None:
    with pytest.raises(InvalidPatchError):
        check_payload(payload)


@pytest.mark.parametrize("payload", [{}, {"script": [1]}, {"operations": [], "note": 1}, {"merge": {"a": None}}])
def test_other_payloads_pass(payload: dict[str, Any]) -> None:
    check_payload(payload)


def test_operations_are_counted() -> None:
    payload = {"operations": [{"op": "remove", "path": "/a"}] * 3}
    check_payload(payload, max_operations=3)

    with pytest.raises(TooLargeError):
        check_payload(payload, max_operations=2)


@given(VALUES, VALUES)
def test_canonical_form_is_the_same_exactly_for_equal_values(left: Any, right: Any) -> None:
    assert (canonical(left) == canonical(right)) == values.equal(left, right)
