import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.core import delta, values
from service.core.contrast import changes_only, contrast
from service.core.options import ArrayRule, DiffOptions, FamilyAlignment, FamilyOptions, Tolerance
from service.core.place import root_place, strip
from service.errors import AmbiguousDocumentError, ArrayKeyError, InvalidRequestError
from tests.unit.core.family_documents import pairs

SAMPLE = json.loads(Path("tests/cases/compare-sample.json").read_text())
IN_ORDER: list[FamilyAlignment] = ["inOrder", "positionPriority", "typeWithValuePriority"]


MARKS: list[Any] = [
    {"dx_delta": {}},
    {"dx_delta": 1},
    {"dx_delta": {"C": 1}},
    {"dx_delta": {"A": 1}, "x": 1},
    {"dx_delta": {"A": {"dx_delta": {"A": 1}}}},
    {"dx_delta_string": 1},
    {"dx_delta_string": [1]},
    {"dx_delta_string": [{"dx_delta": {"A": 1}}]},
    [{"dx_deltaJSON": 1}],
]
"""Marks of a change that are none."""


def unordered(value: Any) -> Any:
    """The value with every array in an order of its own."""
    if isinstance(value, list):
        return sorted((unordered(item) for item in value), key=lambda item: values.encode_sorted(plain(item)))
    return {name: unordered(member) for name, member in value.items()} if isinstance(value, dict) else value


def plain(value: Any) -> Any:
    """The value with floats that equal an integer written as integers, so that equal values have one text."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 10**15:
        return int(value)
    if isinstance(value, list):
        return [plain(item) for item in value]
    return {name: plain(member) for name, member in value.items()} if isinstance(value, dict) else value


@settings(max_examples=200)
@given(pairs(), st.sampled_from(IN_ORDER), st.booleans())
def test_both_documents_are_rebuilt_from_the_delta(
    pair: tuple[Any, Any], alignment: FamilyAlignment, word_by_word: bool
) -> None:
    before, after = pair

    found = contrast(before, after, FamilyOptions(alignment=alignment, word_by_word=word_by_word))

    assert values.equal(delta.rebuild(found.delta, "A"), before)
    assert values.equal(delta.rebuild(found.delta, "B"), after)
    assert found.differs != values.equal(before, after)


@settings(max_examples=200)
@given(pairs(), st.booleans())
def test_without_order_a_is_rebuilt_and_b_up_to_order(pair: tuple[Any, Any], word_by_word: bool) -> None:
    before, after = pair

    found = contrast(before, after, FamilyOptions(word_by_word=word_by_word))

    assert values.equal(delta.rebuild(found.delta, "A"), before)
    assert values.equal(unordered(delta.rebuild(found.delta, "B")), unordered(after))
    assert found.differs or values.equal(unordered(before), unordered(after))


@given(pairs())
def test_the_answer_is_a_changeset_that_reads_back_and_inputs_stay(pair: tuple[Any, Any]) -> None:
    texts = [values.encode(each) for each in pair]

    made = contrast(*pair).delta

    envelope = {"dx_deltaJSON": {"dx_deltaJSON_type": "diff", "dx_deltaJSON_delta": made}}
    assert delta.read_changeset(envelope, "changeset") == made
    assert [values.encode(each) for each in pair] == texts
    assert values.encode(contrast(*pair).delta) == values.encode(made)


def test_the_documented_changeset_is_met_exactly() -> None:
    found = contrast(SAMPLE["a"], SAMPLE["b"], FamilyOptions(alignment="typeWithValuePriority"))

    assert found.delta == {
        "a": delta.change("your data", "my data"),
        "b": delta.change("bbc 1", "bbc 2"),
        "name": delta.change("John Joe Smith", "Mr John Smith"),
        "age": delta.change(21, 22),
        "hobbies": [
            delta.change("playing guitar badly", "Badminton"),
            delta.change(after="guitar"),
            "reading",
            delta.change("Cinema"),
        ],
        "owner": delta.change(True),
        "pet": delta.change(after="dog"),
    }


def test_words_are_marked_inside_strings() -> None:
    found = contrast("John Joe Smith", "Mr John Smith", FamilyOptions(word_by_word=True))

    assert found.delta == {
        "dx_delta_string": [{"dx_delta": {"B": "Mr "}}, "John", {"dx_delta": {"A": " Joe"}}, " Smith"]
    }


@pytest.mark.parametrize(
    ("alignment", "expected"),
    [
        pytest.param(
            "positionPriority",
            [{"dx_delta": {"A": 1, "B": "x"}}, {"dx_delta": {"A": "x", "B": 2}}, {"dx_delta": {"A": 2}}],
            id="position",
        ),
        pytest.param("inOrder", [{"dx_delta": {"A": 1}}, "x", 2], id="in order"),
        pytest.param("typeWithValuePriority", [{"dx_delta": {"A": 1}}, "x", 2], id="type and value"),
        pytest.param("orderless", [{"dx_delta": {"A": 1}}, "x", 2], id="orderless"),
    ],
)
def test_alignments_pair_as_they_say(alignment: FamilyAlignment, expected: Any) -> None:
    assert contrast([1, "x", 2], ["x", 2], FamilyOptions(alignment=alignment)).delta == expected


def test_types_are_never_crossed_where_they_have_priority() -> None:
    found = contrast([1, "a"], ["b", 2], FamilyOptions(alignment="typeWithValuePriority"))

    assert delta.change(1, "b") not in found.delta
    assert delta.change("a", "b") in found.delta or delta.change(1, 2) in found.delta


def test_keyed_items_are_the_same_item_wherever_they_stand() -> None:
    options = FamilyOptions(DiffOptions(arrays=(ArrayRule("keyed", ("l",), ("id",)),)))

    found = contrast({"l": [{"id": 1, "n": 1}, {"id": 2}]}, {"l": [{"id": 2}, {"id": 1, "n": 5}]}, options)

    assert found.delta == {"l": [{"id": 1, "n": {"dx_delta": {"A": 1, "B": 5}}}, {"id": 2}]}


def test_repeated_keys_are_reported_with_their_place() -> None:
    options = FamilyOptions(DiffOptions(arrays=(ArrayRule("keyed", None, ("id",)),)))

    with pytest.raises(ArrayKeyError) as caught:
        contrast({"l": [{"id": 1}, {"id": 1}, {}]}, {"l": [{"id": 1}]}, options)

    assert [each.pointer for each in caught.value.violations] == ["/l/1", "/l/2"]


def test_ignored_members_take_no_part() -> None:
    options = FamilyOptions(DiffOptions(ignored_names=frozenset({"at"}), ignored_paths=(("x", "*", "y"),)))

    found = contrast({"at": 1, "x": [{"y": 1, "z": 1}]}, {"at": 2, "x": [{"y": 2, "z": 1}]}, options)

    assert found.delta == {"x": [{"z": 1}]}
    assert not found.differs


def test_only_leaves_out_what_lies_outside() -> None:
    options = FamilyOptions(DiffOptions(only=(("**", "k"),)))

    assert strip({"a": {"k": 1, "l": 2}, "k": {"x": [3]}, "m": 4}, root_place(options)) == {
        "a": {"k": 1},
        "k": {"x": [3]},
    }


def test_numbers_within_the_tolerance_are_equal_in_their_place() -> None:
    options = FamilyOptions(DiffOptions(tolerances=(Tolerance(0.1, ("near",)),)))

    found = contrast({"near": {"n": 1.0}, "far": 1.0}, {"near": {"n": 1.05}, "far": 1.05}, options)

    assert found.delta == {"near": {"n": 1.0}, "far": {"dx_delta": {"A": 1.0, "B": 1.05}}}


def test_changes_only_has_no_more_than_what_changed() -> None:
    full = contrast({"a": 1, "b": [1, 2], "c": {"d": 1, "e": 2}}, {"a": 1, "b": [1], "c": {"d": 2, "e": 2}}).delta

    assert changes_only(full) == {"b": [{"dx_delta": {"A": 2}}], "c": {"d": {"dx_delta": {"A": 1, "B": 2}}}}
    assert changes_only({"a": [1]}) == {}


@pytest.mark.parametrize("name", ["dx_delta", "dx_deltaJSON", "dx_delta_string"])
def test_documents_that_read_as_a_delta_are_refused(name: str) -> None:
    with pytest.raises(AmbiguousDocumentError) as caught:
        delta.check_document({"x": [{name: 1}]}, "b")

    assert caught.value.violations[0].pointer == f"/x/0/{name}"
    assert caught.value.violations[0].input == "b"


@pytest.mark.parametrize(
    "document",
    [
        pytest.param([], id="no object"),
        pytest.param({"dx_deltaJSON": {}}, id="no delta inside"),
        pytest.param({"dx_deltaJSON": {"dx_deltaJSON_delta": 1, "dx_deltaJSON_type": "update"}}, id="changes only"),
        *(
            pytest.param({"dx_deltaJSON": {"dx_deltaJSON_delta": mark, "dx_deltaJSON_type": "diff"}}, id=str(mark))
            for mark in MARKS
        ),
    ],
)
def test_deltas_that_are_none_are_refused(document: Any) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        delta.read_changeset(document, "changeset")

    assert caught.value.violations[0].input == "changeset"
