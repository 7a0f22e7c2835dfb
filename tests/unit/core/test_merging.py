from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.core import delta, values, words
from service.core.conflict import Conflict, list_conflicts, resolve, settle, show
from service.core.options import ArrayRule, DiffOptions, FamilyAlignment, FamilyOptions
from service.core.place import root_place, strip
from service.core.threeway import merge as merge_three
from service.core.twoway import merge as merge_two
from service.errors import ArrayKeyError, InvalidRequestError
from tests.unit.core.family_documents import DOCUMENTS, edited, pairs, triples
from tests.unit.core.test_contrast import unordered

ALIGNMENTS: list[FamilyAlignment] = ["orderless", "inOrder", "positionPriority", "typeWithValuePriority"]
OPTIONS = st.builds(FamilyOptions, alignment=st.sampled_from(ALIGNMENTS), word_by_word=st.booleans())
IGNORED = st.one_of(
    st.builds(DiffOptions, ignored_names=st.just(frozenset({"a"}))),
    st.builds(DiffOptions, ignored_paths=st.just((("**", "id"), ("x", "*", "b")))),
)
ONLY = st.builds(DiffOptions, only=st.sampled_from([(("**", "a"),), (("x", "*", "b"), ("x", "id"))]))
IGNORING = st.builds(FamilyOptions, IGNORED, alignment=st.sampled_from(ALIGNMENTS))
SELECTING = st.builds(FamilyOptions, IGNORED | ONLY, alignment=st.sampled_from(ALIGNMENTS))
IN_ORDER = st.builds(FamilyOptions, alignment=st.sampled_from(ALIGNMENTS[1:]), word_by_word=st.booleans())


def leaves(value: Any, path: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """The paths of all members that are not objects."""
    if isinstance(value, dict):
        return {path} if not value else set().union(*(leaves(each, (*path, name)) for name, each in value.items()))
    return {path}


def taking_part(document: dict[str, Any], options: FamilyOptions) -> Any:
    """The document without what is ignored."""
    return strip(document, root_place(options)) or {}


@given(DOCUMENTS, OPTIONS)
def test_two_way_merge_of_equals_is_the_document(document: Any, options: FamilyOptions) -> None:
    assert values.equal(merge_two(document, document, "b", options).document, document)


@given(st.dictionaries(st.sampled_from("abcd"), DOCUMENTS), st.dictionaries(st.sampled_from("abcd"), DOCUMENTS))
def test_two_way_merge_keeps_the_members_of_both(a: dict[str, Any], b: dict[str, Any]) -> None:
    merged = merge_two(a, b).document

    assert merged.keys() == a.keys() | b.keys()
    assert all(values.equal(merged[name], a[name]) for name in a.keys() - b.keys())
    assert all(values.equal(merged[name], a[name]) for name in a if not isinstance(a[name], dict | list))


def test_two_way_merge_joins_words() -> None:
    options = FamilyOptions(word_by_word=True)

    assert merge_two("John Joe Smith", "Mr John Smith", "a", options).document == "Mr John Joe Smith"
    assert merge_two("a b", "a c", "b", options).document == "a c"


def test_two_way_merge_takes_ignored_members_from_the_preferred_side_alone() -> None:
    options = FamilyOptions(DiffOptions(ignored_names=frozenset({"at", "by"})))

    assert merge_two({"at": 1, "x": 1}, {"at": 2, "by": 3, "y": 2}, "a", options).document == {"at": 1, "x": 1, "y": 2}


@settings(max_examples=150)
@given(pairs(), OPTIONS)
def test_three_way_merge_takes_the_only_edit(pair: tuple[Any, Any], options: FamilyOptions) -> None:
    base, edit = pair

    assert values.equal(merge_three(base, base, edit, options).tree, edit)
    assert values.equal(merge_three(base, edit, base, options).tree, edit)
    assert values.equal(merge_three(base, edit, edit, options).tree, edit)


@settings(max_examples=200)
@given(triples(), IN_ORDER)
def test_three_way_merge_commutes_with_the_sides_exchanged(
    documents: tuple[Any, Any, Any], options: FamilyOptions
) -> None:
    base, one, two = documents

    forth, back = merge_three(base, one, two, options).tree, merge_three(base, two, one, options).tree

    assert values.equal(resolve_or_none(forth, "edit1"), resolve_or_none(back, "edit2"))
    assert values.equal(resolve_or_none(forth, "edit2"), resolve_or_none(back, "edit1"))


@settings(max_examples=200)
@given(triples())
def test_three_way_merge_without_order_commutes_up_to_order(documents: tuple[Any, Any, Any]) -> None:
    base, one, two = documents

    forth, back = merge_three(base, one, two).tree, merge_three(base, two, one).tree

    assert len(list_conflicts(forth)) == len(list_conflicts(back))
    assert values.equal(unordered(resolve_or_none(forth, "edit1")), unordered(resolve_or_none(back, "edit2")))


@given(st.dictionaries(st.sampled_from("abcdef"), DOCUMENTS, min_size=2), st.data())
def test_edits_of_different_members_are_all_kept(base: dict[str, Any], data: st.DataObject) -> None:
    mine, yours = sorted(base)[::2], sorted(base)[1::2]
    one = base | {name: data.draw(edited(base[name])) for name in mine} | {"new1": 1}
    two = {name: value for name, value in base.items() if name not in yours[:1]} | {"new2": 2}

    merged = merge_three(base, one, two).tree

    assert list_conflicts(merged) == []
    assert values.equal(merged, {name: one[name] for name in one if name not in yours[:1]} | {"new2": 2})


@settings(max_examples=150)
@given(triples(), OPTIONS)
def test_what_is_shown_resolves_to_either_side(documents: tuple[Any, Any, Any], options: FamilyOptions) -> None:
    tree = merge_three(*documents, options).tree

    shown = show(tree)

    assert delta.rebuild(shown, "A") == resolve(tree, "edit1")
    assert delta.rebuild(shown, "B") == resolve(tree, "edit2")


@settings(max_examples=150)
@given(triples(), OPTIONS)
def test_resolving_every_path_leaves_no_conflict(documents: tuple[Any, Any, Any], options: FamilyOptions) -> None:
    tree = merge_three(*documents, options).tree

    settled = settle(tree, {each.path: "edit2" for each in list_conflicts(tree)})

    assert settled == resolve(tree, "edit2")


@pytest.mark.parametrize(
    ("base", "edit1", "edit2", "kind", "shown"),
    [
        pytest.param({"x": 1}, {"x": 2}, {"x": 3}, "modify/modify", {"x": {"dx_delta": {"A": 2, "B": 3}}}, id="both"),
        pytest.param(
            {"x": 1}, {"x": 2}, {}, "modify/delete", {"x": {"dx_delta": {"A": 2}}}, id="deleted by the second"
        ),
        pytest.param({"x": 1}, {}, {"x": 3}, "delete/modify", {"x": {"dx_delta": {"B": 3}}}, id="deleted by the first"),
        pytest.param({}, {"x": 2}, {"x": 3}, "add/add", {"x": {"dx_delta": {"A": 2, "B": 3}}}, id="added by both"),
    ],
)
def test_conflicts_are_data(base: Any, edit1: Any, edit2: Any, kind: str, shown: Any) -> None:
    tree = merge_three(base, edit1, edit2).tree

    assert show(tree) == shown
    assert [(each.path, each.kind) for each in list_conflicts(tree)] == [("/x", kind)]


def test_additions_to_one_array_are_both_kept_without_order_and_conflict_with_it() -> None:
    loose = merge_three([1], [1, 2], [1, 3]).tree
    strict = merge_three([1], [1, 2], [1, 3], FamilyOptions(alignment="inOrder")).tree

    assert loose == [1, 2, 3]
    assert show(strict) == [1, {"dx_delta": {"A": 2, "B": 3}}]
    assert merge_three([1], [1, 2], [1, 2, 3], FamilyOptions(alignment="inOrder")).tree == [1, 2, 3]


def test_keyed_items_merge_member_by_member() -> None:
    options = FamilyOptions(DiffOptions(arrays=(ArrayRule("keyed", None, ("id",)),)))

    tree = merge_three([{"id": 1, "a": 1, "b": 1}], [{"id": 1, "a": 2, "b": 1}, {"id": 2, "x": 1}],
                       [{"id": 2, "y": 1}, {"id": 1, "a": 1, "b": 2}], options).tree  # fmt: skip

    assert tree == [{"id": 1, "a": 2, "b": 2}, {"id": 2, "x": 1, "y": 1}]


def test_ignored_members_stay_as_the_ancestor_has_them() -> None:
    options = FamilyOptions(DiffOptions(ignored_names=frozenset({"at"})))

    assert merge_three({"at": 1, "x": 1}, {"at": 2, "x": 2}, {"x": 1}, options).tree == {"at": 1, "x": 2}


@settings(max_examples=200)
@given(triples(), IGNORING)
def test_what_is_ignored_in_the_edits_has_no_influence(documents: tuple[Any, Any, Any], options: FamilyOptions) -> None:
    base, one, two = [{"x": each} for each in documents]

    merged = merge_three(base, one, two, options).tree
    bare = merge_three(base, taking_part(one, options), taking_part(two, options), options).tree

    assert values.equal(show(merged), show(bare))


@settings(max_examples=200)
@given(pairs(), SELECTING)
def test_the_only_edit_is_taken_and_what_is_ignored_stays(pair: tuple[Any, Any], options: FamilyOptions) -> None:
    base, edit = ({"x": each} for each in pair)

    merged = merge_three(base, base, edit, options).tree

    assert values.equal(unordered(taking_part(merged, options)), unordered(taking_part(edit, options)))
    assert values.equal(merged, merge_three(base, edit, base, options).tree)
    assert values.equal(merged, merge_three(base, edit, edit, options).tree)


@settings(max_examples=200)
@given(pairs(), IGNORING)
def test_what_is_ignored_comes_from_the_preferred_side_alone(pair: tuple[Any, Any], options: FamilyOptions) -> None:
    a, b = ({"x": each} for each in pair)
    bare_a, bare_b = taking_part(a, options), taking_part(b, options)

    assert values.equal(merge_two(a, b, "a", options).document, merge_two(a, bare_b, "a", options).document)
    assert values.equal(merge_two(a, b, "b", options).document, merge_two(bare_a, b, "b", options).document)


def test_a_path_without_conflict_cannot_be_resolved() -> None:
    with pytest.raises(InvalidRequestError, match="/x"):
        settle({"x": Conflict("add/add", edit1=1, edit2=2)}, {"/y": "edit1"})


def test_words_merge_where_the_edits_do_not_touch() -> None:
    assert words.merge_three("John Smith", "Mr John Smith", "John Joe Smith") == "Mr John Joe Smith"
    assert words.merge_three("John Smith", "Jim Smith", "Jack Smith") is None


@given(st.text(), st.text())
def test_pieces_join_to_both_strings(before: str, after: str) -> None:
    pieces = words.compare(before, after) or [words.Piece(before, after)]

    assert "".join(piece.before for piece in pieces) == before
    assert "".join(piece.after for piece in pieces) == after


def resolve_or_none(tree: Any, choice: Any) -> Any:
    """The document of one side, in an array so that there is one even where nothing is left."""
    return resolve([tree], choice)


def test_words_merge_three_ways_or_are_a_conflict() -> None:
    options = FamilyOptions(word_by_word=True)

    assert merge_three({"n": "a b c"}, {"n": "x b c"}, {"n": "a b y"}, options).tree == {"n": "x b y"}
    assert show(merge_three("a b", "x b", "y b", options).tree) == delta.change("x b", "y b")


def test_words_of_unlike_strings_are_not_merged() -> None:
    assert merge_two("one", "two", "b", FamilyOptions(word_by_word=True)).document == "two"
    assert words.compare("w " * (words.MAX_TOKENS + 1), "w") is None


@pytest.mark.parametrize("merge", [merge_two, lambda a, b, _, options: merge_three({"l": []}, a, b, options)])
def test_keys_that_are_missing_are_reported_with_their_place(merge: Any) -> None:
    options = FamilyOptions(DiffOptions(arrays=(ArrayRule("keyed", None, ("id",)),)))

    with pytest.raises(ArrayKeyError) as caught:
        merge({"l": [{"x": 1}]}, {"l": [{"id": 1}]}, "a", options)

    assert [each.pointer for each in caught.value.violations] == ["/l/0"]


def test_an_alignment_by_keys_may_fall_back() -> None:
    options = FamilyOptions(DiffOptions(arrays=(ArrayRule("keyed", None, ("id",), "inOrder"),)))

    assert merge_two([{"id": 1}, 5], [{"id": 1}, 6], "a", options).document == [{"id": 1}, 5]


def test_only_limits_what_a_merge_touches() -> None:
    options = FamilyOptions(DiffOptions(only=(("in",),)))

    assert merge_two({"in": {"a": 1}, "out": 1}, {"in": {"b": 2}, "out": 2, "more": 3}, "a", options).document == {
        "in": {"a": 1, "b": 2},
        "out": 1,
    }
    assert merge_three({"in": 1, "out": 1}, {"in": 2, "out": 2}, {"in": 1, "out": 3}, options).tree == {
        "in": 2,
        "out": 1,
    }
