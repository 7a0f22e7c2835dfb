import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.merge import apply_merge, create_merge
from service.errors import NotExpressibleError
from tests.unit.core import applier
from tests.unit.core.documents import pairs

EXAMPLES = json.loads(Path("tests/cases/merge-patch-rfc7396.json").read_text())


@pytest.mark.parametrize("case", EXAMPLES, ids=lambda case: json.dumps(case["patch"]))
def test_the_examples_of_the_rfc_apply(case: Any) -> None:
    assert apply_merge(case["target"], case["patch"]) == case["result"]


def without_null_members(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_null_members(member) for name, member in value.items() if member is not None}
    return value


@given(pairs())
def test_a_merge_patch_made_of_two_documents_leads_from_one_to_the_other(pair: tuple[Any, Any]) -> None:
    before, after = pair[0], without_null_members(pair[1])

    patch = create_merge(before, after)

    assert applier.strictly_equal(applier.merged(before, patch), after)
    assert applier.strictly_equal(apply_merge(copy.deepcopy(before), patch), after)


@given(pairs())
def test_nothing_is_made_that_does_not_lead_there(pair: tuple[Any, Any]) -> None:
    before, after = pair
    kept = copy.deepcopy(pair)
    try:
        patch = create_merge(before, after)
    except NotExpressibleError:
        assert not applier.strictly_equal(without_null_members(after), after)
    else:
        assert applier.strictly_equal(apply_merge(copy.deepcopy(before), patch), after)
    assert pair == kept


@pytest.mark.parametrize(
    ("before", "after", "pointers"),
    [
        ({}, {"a": None}, ["/a"]),
        ({"a": 1}, {"a": None, "b": {"c": None}}, ["/a", "/b/c"]),
        ([], {"a": None}, ["/a"]),
        ({"a": []}, {"a": {"b/": None}}, ["/a/b~1"]),
    ],
)
def test_a_null_that_cannot_be_said_is_refused_with_its_pointer(before: Any, after: Any, pointers: list[str]) -> None:
    with pytest.raises(NotExpressibleError) as refusal:
        create_merge(before, after)

    assert [violation.pointer for violation in refusal.value.violations] == pointers


@pytest.mark.parametrize("before", [{"a": None}, {"a": None, "b": 1}])
def test_a_null_that_stays_is_no_trouble(before: Any) -> None:
    assert create_merge(before, {"a": None}) == dict.fromkeys(before.keys() - {"a"})


@given(st.sampled_from(EXAMPLES))
def test_the_patch_is_neither_changed_nor_shared(example: Any) -> None:
    patch = copy.deepcopy(example["patch"])

    result = apply_merge(copy.deepcopy(example["target"]), patch)
    apply_merge(result, {"a": {"bb": {"x": 1}}})

    assert patch == example["patch"]
