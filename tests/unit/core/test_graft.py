from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.core import values
from service.core.contrast import contrast
from service.core.graft import Mode, graft
from service.core.options import FamilyAlignment, FamilyOptions
from tests.unit.core.family_documents import pairs, triples
from tests.unit.core.test_contrast import unordered

MODES: list[Mode] = ["changesetPriority", "targetPriority", "additionsOnly"]
ALIGNMENTS: list[FamilyAlignment] = ["orderless", "inOrder", "positionPriority", "typeWithValuePriority"]
CHANGES = {
    "a": {"dx_delta": {"A": "your data", "B": "my data"}},
    "b": {"dx_delta": {"A": "bbc 1", "B": "bbc 2"}},
    "name": {"dx_delta": {"A": "John Joe Smith", "B": "Mr John Smith"}},
    "age": {"dx_delta": {"A": 21, "B": 22}},
    "hobbies": [
        {"dx_delta": {"A": "playing guitar badly", "B": "Badminton"}},
        {"dx_delta": {"B": "guitar"}},
        "reading",
        {"dx_delta": {"A": "Cinema"}},
    ],
    "owner": {"dx_delta": {"A": True}},
    "pet": {"dx_delta": {"B": "dog"}},
}
TARGET = {
    "a": "your data",
    "b": "ITV",
    "name": "Dr John Smith",
    "age": 22,
    "owner": False,
    "hobbies": ["playing guitar badly", "reading", "Cinema", "Baseball"],
    "added": "element",
}


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        pytest.param(
            "changesetPriority",
            {
                "a": "my data",
                "b": "bbc 2",
                "name": "Mr John Smith",
                "age": 22,
                "hobbies": ["Badminton", "guitar", "reading", "Baseball"],
                "added": "element",
                "pet": "dog",
            },
            id="changeset",
        ),
        pytest.param(
            "targetPriority",
            {
                "a": "my data",
                "b": "ITV",
                "name": "Dr John Smith",
                "age": 22,
                "owner": False,
                "hobbies": ["Badminton", "guitar", "reading", "Baseball"],
                "added": "element",
                "pet": "dog",
            },
            id="target",
        ),
        pytest.param(
            "additionsOnly",
            TARGET | {"hobbies": ["playing guitar badly", "guitar", "reading", "Cinema", "Baseball"], "pet": "dog"},
            id="additions",
        ),
    ],
)
def test_a_changeset_is_carried_over_by_its_mode(mode: Mode, expected: Any) -> None:
    assert graft(CHANGES, TARGET, mode).document == expected


def test_an_item_that_becomes_what_comes_in_too_is_counted() -> None:
    changes = contrast([1, [1]], [[], []]).delta

    once = graft(changes, []).document

    assert once == graft(changes, once).document == [[]]


def test_an_item_that_was_grafted_is_found_again_among_others_that_are_as_good() -> None:
    """What the first time added shifts the places of all that follow."""
    before, after = [1, ["x", 3], ["a", "b"]], [1, [], ["x"], [False, "a"]]
    changes = contrast(before, after).delta

    once = graft(changes, [["a", "x", 3], True, ["a", "b", "x"]], "additionsOnly").document

    assert graft(changes, once, "additionsOnly").document == once


@settings(max_examples=300)
@given(triples(), st.sampled_from(MODES), st.sampled_from(ALIGNMENTS))
def test_grafting_twice_changes_nothing_more(
    documents: tuple[Any, Any, Any], mode: Mode, alignment: FamilyAlignment
) -> None:
    before, after, target = documents
    changes = contrast(before, after, FamilyOptions(alignment=alignment)).delta

    once = graft(changes, target, mode).document

    assert values.equal(graft(changes, once, mode).document, once)


@settings(max_examples=300)
@given(pairs(), st.sampled_from(ALIGNMENTS), st.sampled_from(MODES[:2]))
def test_grafting_on_a_gives_b_up_to_order(pair: tuple[Any, Any], alignment: FamilyAlignment, mode: Mode) -> None:
    before, after = pair
    made = graft(contrast(before, after, FamilyOptions(alignment=alignment)).delta, before, mode)

    assert values.equal(unordered(made.document), unordered(after))
    assert made.ignored == []


def test_changes_without_a_counterpart_are_ignored_and_listed() -> None:
    before = {"kept": {"x": 1}, "gone": {"y": {"z": 1}}, "list": [{"id": 1, "n": "one"}, {"id": 2, "n": "two"}]}
    after = {"kept": {"x": 2}, "gone": {"y": {"z": 2}}, "list": [{"id": 1, "n": "one"}, {"id": 2, "n": "three"}]}

    made = graft(contrast(before, after).delta, {"kept": {"x": 1, "more": 5}, "list": [{"id": 9, "n": "nine"}]})

    assert made.document == {"kept": {"x": 2, "more": 5}, "list": [{"id": 9, "n": "nine"}]}
    assert sorted(made.ignored) == ["/gone/y/z", "/list/1/n"]


def test_items_are_recognised_by_what_did_not_change_in_them() -> None:
    before = [{"id": 1, "name": "Ann", "zip": "1"}, {"id": 2, "name": "Bob", "zip": "2"}]
    after = [{"id": 1, "name": "Ann", "zip": "1"}, {"id": 2, "name": "Bob", "zip": "3"}]
    target = [{"id": 2, "name": "Bob", "zip": "2", "phone": "x"}, {"id": 7, "name": "Eve", "zip": "2"}]

    made = graft(contrast(before, after).delta, target)

    assert made.document == [{"id": 2, "name": "Bob", "zip": "3", "phone": "x"}, {"id": 7, "name": "Eve", "zip": "2"}]


def test_a_changeset_that_deletes_the_whole_document_is_ignored() -> None:
    made = graft({"dx_delta": {"A": 1}}, 1)

    assert made == (1, [""])


def test_copies_that_the_changeset_knows_nothing_of_stay() -> None:
    made = graft([{"dx_delta": {"A": "x"}}, "x"], ["x", "x", "x"])

    assert made == (["x", "x", "x"], ["/0"])


def test_words_of_a_changeset_are_carried_over() -> None:
    changes = contrast({"n": "one two"}, {"n": "one three"}, FamilyOptions(word_by_word=True)).delta

    assert graft(changes, {"n": "one two"}).document == {"n": "one three"}
    assert graft(changes, {"n": "else"}, "targetPriority") == ({"n": "else"}, ["/n"])
