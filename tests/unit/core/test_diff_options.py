"""Options that leave something out, or change what being equal means. Those that do not are in test_diff."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.diff import compare, diff
from service.core.options import ArrayRule, DiffOptions, Scoped, Tolerance
from service.errors import ArrayKeyError
from tests.unit.core import applier
from tests.unit.core.documents import pairs

IGNORED = DiffOptions(ignored_names=frozenset({"id", "~"}))


def without(value: Any, names: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return {name: without(member, names) for name, member in value.items() if name not in names}
    if isinstance(value, list):
        return [without(item, names) for item in value]
    return value


@pytest.mark.parametrize("moves", [(), (Scoped(enabled=True),)], ids=["plain", "moves"])
@pytest.mark.parametrize("shorten_above", [0, 1024])
@given(pairs())
def test_ignored_members_do_not_matter(moves: tuple[Scoped, ...], shorten_above: int, pair: tuple[Any, Any]) -> None:
    before, after = pair
    names = IGNORED.ignored_names
    options = DiffOptions(ignored_names=names, moves=moves, shorten_above=shorten_above)

    patch = diff(before, after, options)

    result = applier.apply(before, patch)
    assert applier.strictly_equal(without(result, names), without(after, names))
    assert applier.strictly_equal(diff(before, without(after, names), options), patch)
    assert '"id"' not in json.dumps([each.get("value") for each in patch])


@given(pairs())
def test_ignored_members_stay_as_they_are_where_their_object_stays(pair: tuple[Any, Any]) -> None:
    before, after = ({"kept": document, "id": index, "in": {"id": index}} for index, document in enumerate(pair))

    result = applier.apply(before, diff(before, after, IGNORED))

    assert result["id"] == 0
    assert result["in"] == {"id": 0}


def test_an_ignored_member_forbids_to_replace_what_holds_it() -> None:
    before = {"x": {"id": 1, **{str(place): place for place in range(200)}}}
    after = {"x": {str(place): -place for place in range(200)}}

    patch = diff(before, after, IGNORED)

    assert len(patch) == 199
    assert applier.apply(before, patch)["x"]["id"] == 1


def test_an_invertible_patch_tests_the_document_as_it_is() -> None:
    before, after = {"x": {"id": 1, "a": 1}}, {"y": 1}

    patch = diff(before, after, DiffOptions(ignored_names=frozenset({"id"}), invertible=(Scoped(enabled=True),)))

    assert {"op": "test", "path": "/x", "value": {"id": 1, "a": 1}} in patch
    assert applier.apply(before, patch) == after


def test_ignored_members_never_move_an_index() -> None:
    before = {"items": [{"id": 1, "at": 1}, {"id": 2, "at": 2}], "at": 0}
    after = {"items": [{"id": 2, "at": 5}, {"id": 3, "at": 6}]}

    patch = diff(before, after, DiffOptions(ignored_names=frozenset({"at"})))

    assert patch == [
        {"op": "add", "path": "/items/2", "value": {"id": 3}},
        {"op": "remove", "path": "/items/0"},
    ]


@pytest.mark.parametrize(
    ("options", "before", "after", "patch"),
    [
        pytest.param(
            DiffOptions(ignored_paths=(("a", "*", "at"),)),
            {"a": [{"at": 1, "b": 1}], "at": 1},
            {"a": [{"at": 2, "b": 2}], "at": 2},
            [{"op": "replace", "path": "/a/0/b", "value": 2}, {"op": "replace", "path": "/at", "value": 2}],
            id="a member of every item",
        ),
        pytest.param(
            DiffOptions(ignored_paths=(("**", "at"),)),
            {"a": {"at": 1, "b": {"at": 1}}, "at": 1},
            {"a": {"b": {}}},
            [],
            id="a name at any depth",
        ),
        pytest.param(DiffOptions(ignored_paths=((),)), {"a": 1}, [2], [], id="the whole document"),
        pytest.param(
            DiffOptions(ignored_paths=(("l", "0"),)),
            {"l": ["head", 1, 2]},
            {"l": ["other", 2, 3]},
            [{"op": "add", "path": "/l/3", "value": 3}, {"op": "remove", "path": "/l/1"}],
            id="an item: no index moves",
        ),
        pytest.param(
            DiffOptions(only=(("a", "b"),)),
            {"a": {"b": 1, "c": 1}, "d": 1},
            {"a": {"b": 2, "c": 2}, "d": 2},
            [{"op": "replace", "path": "/a/b", "value": 2}],
            id="only one place",
        ),
        pytest.param(
            DiffOptions(only=(("a", "b"),)),
            {"a": {"b": 1, "c": 1}},
            {"d": 1},
            [{"op": "remove", "path": "/a/b"}],
            id="only: what holds it stays",
        ),
        pytest.param(
            DiffOptions(only=(("a", "b"),)),
            {"d": 1},
            {"a": {"b": 1, "c": 1}, "e": 1},
            [{"op": "add", "path": "/a", "value": {"b": 1}}],
            id="only: what holds it comes with it",
        ),
        pytest.param(DiffOptions(only=(("a", "b"),)), {"a": {"c": 1}}, {"a": 1}, [], id="only: nothing there"),
        pytest.param(DiffOptions(only=(("a", "b"),)), {"d": 1}, {"a": {"c": 1}}, [], id="only: nothing that counts"),
        pytest.param(DiffOptions(only=(("a",),)), 1, 2, [], id="only: no container at all"),
        pytest.param(
            DiffOptions(only=(("a",),)),
            1,
            {"a": 1, "b": 2},
            [{"op": "replace", "path": "", "value": {"a": 1}}],
            id="only: a container has to come",
        ),
        pytest.param(
            DiffOptions(only=(("a",),)), {"a": 1, "b": 2}, 1, [{"op": "remove", "path": "/a"}], id="only: none left"
        ),
        pytest.param(
            DiffOptions(only=(("l", "*", "p"),)),
            {"l": [{"p": 1, "q": 1}, {"p": 2, "q": 2}]},
            {"l": [{"p": 1, "q": 3}]},
            [{"op": "remove", "path": "/l/1/p"}],
            id="only: items stay for what else they hold",
        ),
    ],
)
def test_what_is_left_out_is_not_touched(
    options: DiffOptions, before: Any, after: Any, patch: list[dict[str, Any]]
) -> None:
    assert diff(before, after, options) == patch
    applier.apply(before, patch)


@given(pairs())
def test_only_one_place_is_compared(pair: tuple[Any, Any]) -> None:
    before, after = ({"a": {"b": document, "c": index}, "b": index} for index, document in enumerate(pair))

    patch = diff(before, after, DiffOptions(only=(("a", "b"),)))

    result = applier.apply(before, patch)
    assert applier.strictly_equal(result, {"a": {"b": pair[1], "c": 0}, "b": 0})


@given(pairs())
def test_a_rule_for_the_whole_document_says_the_same_as_one_without_a_path(pair: tuple[Any, Any]) -> None:
    everywhere: tuple[str, ...] = ("**",)

    for global_rule, placed in [
        (DiffOptions(moves=(Scoped(True),)), DiffOptions(moves=(Scoped(True, ()),))),
        (DiffOptions(invertible=(Scoped(True),)), DiffOptions(invertible=(Scoped(True, ()),))),
        (
            DiffOptions(arrays=(ArrayRule("positionPriority"),)),
            DiffOptions(arrays=(ArrayRule("positionPriority", everywhere),)),
        ),
        (DiffOptions(tolerances=(Tolerance(0.5),)), DiffOptions(tolerances=(Tolerance(0.5, everywhere),))),
    ]:
        assert applier.strictly_equal(diff(*pair, global_rule), diff(*pair, placed))


def test_the_last_rule_that_fits_wins() -> None:
    options = DiffOptions(invertible=(Scoped(True), Scoped(False, ("a",)), Scoped(True, ("a", "b"))))

    patch = diff({"a": {"b": 1, "c": 1}, "d": 1}, {"a": {"b": 2, "c": 2}, "d": 2}, options)

    assert [(each["op"], each["path"]) for each in patch] == [
        ("test", "/a/b"),
        ("replace", "/a/b"),
        ("replace", "/a/c"),
        ("test", "/d"),
        ("replace", "/d"),
    ]


# --- tolerance ---------------------------------------------------------------------------------------------------


def near(left: Any, right: Any, distance: float) -> bool:
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(near(left[name], right[name], distance) for name in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(near(*both, distance) for both in zip(left, right, strict=True))
    if all(isinstance(each, int | float) and not isinstance(each, bool) for each in (left, right)):
        try:
            if abs(left - right) < distance:
                return True
        except OverflowError:
            pass
    return applier.strictly_equal(left, right)


@pytest.mark.parametrize("distance", [0.001, 0.6, 3.0])
@given(pairs())
def test_under_a_tolerance_the_result_is_near(distance: float, pair: tuple[Any, Any]) -> None:
    before, after = pair
    options = DiffOptions(tolerances=(Tolerance(distance),))

    patch = diff(before, after, options)

    assert near(applier.apply(before, patch), after, distance)
    if near(before, after, distance):
        assert patch == []


def test_a_tolerance_holds_below_its_path() -> None:
    before = {"a": {"x": [1.0, 2.0]}, "b": 1.0}
    after = {"a": {"x": [1.01, 2.5]}, "b": 1.01}

    patch = diff(before, after, DiffOptions(tolerances=(Tolerance(0.1, ("a",)),)))

    assert patch == [
        {"op": "replace", "path": "/a/x/1", "value": 2.5},
        {"op": "replace", "path": "/b", "value": 1.01},
    ]


def test_a_tolerance_for_one_item_is_not_one_for_another() -> None:
    before = {"l": ["head", 7.2, 1, 2, 7]}
    after = {"l": [7, 1, 2, 7.2]}

    patch = diff(before, after, DiffOptions(tolerances=(Tolerance(1.0, ("l", "0")), Tolerance(1.0, ("l", "1")))))

    assert near(applier.apply(before, patch)["l"][0], 7, 1.0)
    assert applier.apply(before, patch)["l"][1:] == [1, 2, 7.2]


def test_a_move_leaves_what_lies_outside_where_it_is() -> None:
    before, after = {"a": {"p": [1, 2, 3], "c": 2}}, {"b": {"p": [1, 2, 3]}}

    patch = diff(before, after, DiffOptions(only=(("*", "p"),), moves=(Scoped(True),)))

    assert applier.apply(before, patch) == {"a": {"c": 2}, "b": {"p": [1, 2, 3]}}


def test_items_are_found_again_though_their_numbers_wobble() -> None:
    before = [{"n": place, "v": place + 0.1} for place in range(30)]
    after = [{"n": -1, "v": 0.0}, *({"n": place, "v": place + 0.10001} for place in range(30))]

    patch = diff(before, after, DiffOptions(tolerances=(Tolerance(0.01),)))

    assert patch == [{"op": "add", "path": "/0", "value": {"n": -1, "v": 0.0}}]


# --- keyed arrays ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("key", "other"), [([1], [1.0]), ({"a": [100]}, {"a": [1e2]}), (-0.0, 0)])
def test_keys_are_equal_where_values_are(key: Any, other: Any) -> None:
    rule = ArrayRule("keyed", keys=("k",))

    patch = diff([{"k": key, "v": 1}, {"k": "x", "v": 1}], [{"k": other, "v": 2}], DiffOptions(arrays=(rule,)))

    assert patch == [{"op": "remove", "path": "/1"}, {"op": "replace", "path": "/0/v", "value": 2}]


def test_items_with_equal_keys_are_the_same_item() -> None:
    before = [{"id": 1, "k": "a", "v": 1}, {"id": 2, "k": "a", "v": 2}, {"id": 3, "k": "a", "v": 3}]
    after = [{"id": 3, "k": "a", "v": 4}, {"id": 2, "k": "b", "v": 2}]

    patch = diff(before, after, DiffOptions(arrays=(ArrayRule("keyed", keys=("id", "k")),)))

    assert patch == [
        {"op": "add", "path": "/3", "value": {"id": 2, "k": "b", "v": 2}},
        {"op": "replace", "path": "/2/v", "value": 4},
        {"op": "remove", "path": "/1"},
        {"op": "remove", "path": "/0"},
    ]


def test_missing_and_repeated_keys_are_reported_with_pointers() -> None:
    before = {"l": [{"id": 1}, {"x": 1}, {"id": 1.0}, 5]}
    after = {"l": [{"id": True}, {"id": 1}]}

    with pytest.raises(ArrayKeyError) as refusal:
        diff(before, after, DiffOptions(arrays=(ArrayRule("keyed", ("l",), ("id",)),)))

    assert [(each.input, each.pointer) for each in refusal.value.violations] == [
        ("before", "/l/1"),
        ("before", "/l/2"),
        ("before", "/l/3"),
    ]


def test_arrays_of_scalars_have_no_keys_and_are_aligned_in_order() -> None:
    assert diff([1, 2], [2], DiffOptions(arrays=(ArrayRule("keyed", keys=("id",)),))) == [
        {"op": "remove", "path": "/0"}
    ]


def test_keys_that_fail_can_fall_back_for_their_array() -> None:
    rule = ArrayRule("keyed", keys=("id",), on_key_error="inOrder")

    assert diff([{"a": 1}, {"a": 2}], [{"a": 2}], DiffOptions(arrays=(rule,))) == [{"op": "remove", "path": "/0"}]


def test_a_rule_on_arrays_does_not_reach_into_their_items() -> None:
    before = {"l": [{"id": 1, "sub": [1, 2]}]}
    after = {"l": [{"id": 1, "sub": [2]}]}

    rule = ArrayRule("positionPriority", ("l",))

    assert diff(before, after, DiffOptions(arrays=(rule,))) == [{"op": "remove", "path": "/l/0/sub/0"}]


def test_positions_decide_where_told_so() -> None:
    patch = diff([1, 2, 3], [2, 3], DiffOptions(arrays=(ArrayRule("positionPriority"),)))

    assert patch == [
        {"op": "remove", "path": "/2"},
        {"op": "replace", "path": "/1", "value": 3},
        {"op": "replace", "path": "/0", "value": 2},
    ]


@given(st.permutations(range(10)), st.data())
def test_keyed_items_keep_their_own_changes_when_they_move(order: list[int], data: st.DataObject) -> None:
    before = [{"id": place, "v": 0} for place in range(10)]
    after = [{"id": place, "v": data.draw(st.integers(0, 1))} for place in order]
    options = DiffOptions(arrays=(ArrayRule("keyed", keys=("id",)),), moves=(Scoped(True),))

    found = compare(copy.deepcopy(before), after, options)

    assert applier.apply(before, found.operations) == after
    assert {each["op"] for each in found.operations} <= {"move", "replace"}
