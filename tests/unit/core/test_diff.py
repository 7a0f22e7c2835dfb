import copy
import json
import os
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from service.core import values
from service.core.comparison import Comparison
from service.core.diff import compare, compare_bytes, diff
from service.core.history import invert
from service.core.options import DEFAULT, ArrayRule, DiffOptions, Scoped, Tolerance
from service.errors import MalformedJsonError, TooDeepError
from tests.unit.core import applier
from tests.unit.core.documents import pairs
from tests.unit.core.random_documents import Documents

SAMPLE = json.loads(Path("tests/cases/compare-sample.json").read_text())
ON = (Scoped(enabled=True),)
BY_ID = ArrayRule("keyed", keys=("id",), on_key_error="inOrder")
OPTIONS = {
    "default": DiffOptions(),
    "smallest": DiffOptions(shorten_above=0),
    "moves": DiffOptions(moves=ON),
    "smallest with moves": DiffOptions(moves=ON, shorten_above=0),
    "invertible": DiffOptions(invertible=ON),
    "invertible with moves": DiffOptions(invertible=ON, moves=ON, shorten_above=0),
    "by position": DiffOptions(arrays=(ArrayRule("positionPriority"),)),
    "keyed": DiffOptions(arrays=(BY_ID,)),
    "keyed with moves": DiffOptions(arrays=(BY_ID,), moves=ON),
    "by place": DiffOptions(arrays=(ArrayRule("positionPriority", ("a",)),), moves=(Scoped(True, ("*", "b")),)),
}


def check_laws(before: Any, after: Any, options: DiffOptions) -> None:
    kept = json.dumps([before, after])

    patch = diff(before, after, options)

    assert applier.strictly_equal(applier.apply(before, patch), after)
    assert json.dumps([before, after]) == kept
    assert diff(before, after, options) == patch
    assert diff(before, copy.deepcopy(before), options) == []
    if options.invertible:
        assert applier.strictly_equal(applier.apply(after, invert(patch)), before)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@given(pairs())
def test_the_patch_leads_from_one_document_to_the_other(options: DiffOptions, pair: tuple[Any, Any]) -> None:
    check_laws(*pair, options)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_the_laws_hold_on_thousands_of_random_pairs(options: DiffOptions) -> None:
    documents = Documents(seed=1)
    for _ in range(500):
        check_laws(*documents.pair(), options)


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_the_laws_hold_on_a_million_random_pairs() -> None:
    documents = Documents(int(os.environ.get("PATCHBAY_TEST_SEED", "0")))
    options = list(OPTIONS.values())
    for turn in range(1_000_000):
        check_laws(*documents.pair(), options[turn % len(options)])


@given(pairs(), st.integers(0, 4))
def test_the_text_of_a_patch_is_that_of_its_operations(pair: tuple[Any, Any], indent: int) -> None:
    before, after = (json.dumps(document, indent=indent).encode() for document in pair)

    outcome = compare_bytes(before, after)

    patch = json.loads(outcome.patch)
    assert applier.strictly_equal(patch, diff(*pair))
    assert applier.strictly_equal(applier.apply(pair[0], patch), pair[1])
    assert outcome.patch == compare_bytes(before, after).patch


def test_the_documented_sample_is_met_exactly() -> None:
    before, after = json.dumps(SAMPLE["a"]).encode(), json.dumps(SAMPLE["b"]).encode()

    assert json.loads(compare_bytes(before, after).patch) == SAMPLE["aToB"]
    assert diff(SAMPLE["a"], SAMPLE["b"]) == SAMPLE["aToB"]
    assert not compare_bytes(before, after).bounded


@pytest.mark.parametrize(
    ("before", "after", "patch"),
    [
        pytest.param(1, 1.0, [], id="1 is 1.0"),
        pytest.param(-0.0, 0, [], id="-0 is 0"),
        pytest.param(1, True, [{"op": "replace", "path": "", "value": True}], id="1 is not true"),
        pytest.param({"a": [0]}, {"a": [False]}, [{"op": "replace", "path": "/a/0", "value": False}], id="deep"),
        pytest.param(
            10**16, 1e16, [{"op": "replace", "path": "", "value": 1e16}], id="an integer beyond doubles' precision"
        ),
        pytest.param({"a": 1, "b": 2}, {"b": 2, "a": 1}, [], id="the order of members"),
        pytest.param([], {}, [{"op": "replace", "path": "", "value": {}}], id="another type"),
        pytest.param({"/~": 1}, {}, [{"op": "remove", "path": "/~1~0"}], id="escapes"),
        pytest.param({"": 1}, {"": 2}, [{"op": "replace", "path": "/", "value": 2}], id="the empty name"),
        pytest.param(
            {"gone": 1, "stays": 1, "last": 1},
            {"new": 1, "stays": 1},
            [
                {"op": "add", "path": "/new", "value": 1},
                {"op": "remove", "path": "/gone"},
                {"op": "remove", "path": "/last"},
            ],
            id="what goes, goes before what followed it",
        ),
        pytest.param(
            [{"id": 1, "v": 1}, {"id": 2, "v": 2}],
            [{"id": 0, "v": 0}, {"id": 1, "v": 1}, {"id": 2, "v": 3}],
            [{"op": "replace", "path": "/1/v", "value": 3}, {"op": "add", "path": "/0", "value": {"id": 0, "v": 0}}],
            id="one inserted, one changed",
        ),
    ],
)
def test_the_patch_is(before: Any, after: Any, patch: list[dict[str, Any]]) -> None:
    assert applier.strictly_equal(diff(before, after), patch)


def test_a_true_that_python_takes_for_1_is_found_among_many() -> None:
    before: dict[str, Any] = {"items": [{"on": 1, "n": place} for place in range(1000)], "flags": [1, 0] * 50}
    after = copy.deepcopy(before)
    after["items"][500]["on"] = True
    after["flags"][99] = False

    assert sorted(diff(before, after), key=lambda each: each["path"]) == [
        {"op": "replace", "path": "/flags/99", "value": False},
        {"op": "replace", "path": "/items/500/on", "value": True},
    ]


def test_small_patches_stay_member_by_member_and_large_ones_are_shortened() -> None:
    before: Any = {"keep": "x" * 2000, "change": {str(place): place for place in range(100)}}
    after = {"keep": "x" * 2000, "change": {str(place): -place for place in range(100)}}

    assert len(diff(before, after)) == 1
    assert len(diff(before, after, DiffOptions(shorten_above=100_000))) == 99
    assert len(diff({"a": {"b": 1}}, {"a": {"b": 2}})) == 1
    assert len(diff({"a": 1, "b": 1}, {"a": 2, "b": 2})) == 2
    assert diff({"a": 1, "b": 1}, {"a": 2, "b": 2}, DiffOptions(shorten_above=0)) == [
        {"op": "replace", "path": "", "value": {"a": 2, "b": 2}}
    ]


def test_an_item_that_is_another_altogether_is_replaced_whole() -> None:
    one = {"id": 1, "name": "Ann", "address": {"street": "A Street 1", "city": "Aville"}, "active": True, "tags": []}
    two = {"id": 2, "name": "Bob", "address": {"street": "B Street 2", "city": "Bville"}, "active": True, "tags": []}

    assert diff([one], [two]) == [{"op": "replace", "path": "/0", "value": two}]
    assert len(diff([one], [two | {"id": 1}])) == 3
    assert len(diff([one], [one | {"id": 2}])) == 1
    assert diff([one], [two], DiffOptions(invertible=ON)) == [
        {"op": "test", "path": "/0", "value": one},
        {"op": "replace", "path": "/0", "value": two},
    ]


@given(pairs())
def test_the_smallest_patch_is_never_larger_than_the_default_or_a_replacement(pair: tuple[Any, Any]) -> None:
    before, after = (json.dumps(document).encode() for document in pair)

    smallest = compare_bytes(before, after, OPTIONS["smallest"]).patch

    whole = json.dumps([{"op": "replace", "path": "", "value": pair[1]}], separators=(",", ":"), ensure_ascii=False)
    assert len(smallest) <= len(compare_bytes(before, after).patch)
    assert len(smallest) <= len(whole.encode())


def test_a_move_takes_the_place_of_a_removal_and_an_addition() -> None:
    large = {"name": "a value that is worth a move", "of": [1, 2, 3]}

    assert diff({"a": large}, {"b": large}, DiffOptions(moves=ON)) == [{"op": "move", "from": "/a", "path": "/b"}]
    assert diff([large, 1, 2, 3], [1, 2, 3, large], DiffOptions(moves=ON)) == [
        {"op": "move", "from": "/0", "path": "/3"}
    ]


@given(st.permutations(range(12)), st.data())
def test_items_move_to_where_they_belong(order: list[int], data: st.DataObject) -> None:
    items: list[dict[str, Any]] = [
        {"id": place, "text": f"the text of item {place}, long enough to be moved"} for place in range(12)
    ]
    before = [items[place] for place in range(data.draw(st.integers(6, 12)))]
    after = [items[place] for place in order[: data.draw(st.integers(6, 12))]]

    for rule in ((), (ArrayRule("keyed", keys=("id",)),)):
        patch = diff(before, after, DiffOptions(moves=ON, arrays=rule))

        assert applier.apply(before, patch) == after
        written = json.dumps([each.get("value") for each in patch])
        assert not [item for item in before if item["text"] in written]


def test_refusals_name_the_input() -> None:
    with pytest.raises(MalformedJsonError) as refusal:
        compare_bytes(b"{}", b'{"a": 1, "a": 1}')
    assert refusal.value.violations[0].input == "after"

    with pytest.raises(TooDeepError) as too_deep:
        compare_bytes(b"[[1]]", b"[]", DiffOptions(max_depth=1))
    assert too_deep.value.violations[0].input == "before"


NAMES = st.sampled_from(["a", "b", '"', "\\", "\\u0022", "[{", "é", ""])
MEMBERS = st.recursive(
    st.integers(0, 1) | st.booleans() | NAMES,
    lambda children: st.lists(children, max_size=4) | st.dictionaries(NAMES, children, max_size=5),
    max_leaves=20,
)


@given(MEMBERS, MEMBERS, st.sampled_from([None, 1]), st.data())
def test_no_repeated_name_escapes_the_proof(before: Any, after: Any, indent: int | None, data: st.DataObject) -> None:
    texts = [json.dumps(document, indent=indent, ensure_ascii=False) for document in ([before, {"n": 1}], [after])]
    side = data.draw(st.integers(0, 1))
    repeated = data.draw(st.sampled_from(['"n": 1, "n": 2', '"n": "\\u0022", "n": ""', '"\\u0022": 0, "\\"": "x"']))
    texts[side] = texts[side][:-1] + ", {" + repeated + "}]"

    with pytest.raises(MalformedJsonError, match="repeated") as refusal:
        compare_bytes(texts[0].encode(), texts[1].encode())

    assert refusal.value.violations[0].input == ("before", "after")[side]


@given(MEMBERS, MEMBERS, st.sampled_from([None, 1]))
def test_a_comparison_proves_that_no_names_are_repeated(before: Any, after: Any, indent: int | None) -> None:
    texts = [json.dumps(document, indent=indent).encode() for document in ({"in": before}, {"in": after})]
    read = values.read_both(texts[0], texts[1], 200)
    assume(read)
    assert read
    comparison = Comparison(DEFAULT.shorten_above)
    comparison.compare(*read[:2])

    assert comparison.proves(read[2]) == comparison.is_confirmed()
    assert not comparison.proves(read[2] + 4)


def test_identical_texts_are_checked_all_the_same() -> None:
    assert compare_bytes(b"[1]", b"[1]").patch == b"[]"
    with pytest.raises(MalformedJsonError):
        compare_bytes(b"[1", b"[1")


def nested(depth: int, leaf: Any) -> Any:
    for level in range(depth):
        leaf = [leaf] if level % 2 else {"a": leaf, "b": [level]}
    return leaf


@pytest.mark.parametrize(
    "options",
    [*OPTIONS.values(), DiffOptions(tolerances=(Tolerance(0.5),)), DiffOptions(ignored_names=frozenset({"none"}))],
)
def test_documents_of_200_levels_are_compared_with_every_option(options: DiffOptions) -> None:
    check_laws(nested(199, [1, 2]), nested(199, [1, 3]), options)
    check_laws(nested(199, [True]), nested(199, [1]), options)


def test_a_change_200_levels_down_is_one_operation() -> None:
    before, after = nested(199, [1, 2]), nested(199, [1, 3])

    assert len(diff(before, after)) == 1
    assert len(compare_bytes(json.dumps(before).encode(), json.dumps(after).encode()).patch) < 700
    with pytest.raises(TooDeepError):
        compare_bytes(json.dumps([before]).encode(), b"1")


def test_deep_arrays_whose_lengths_differ_are_paired_by_position_and_said_to_be() -> None:
    before: Any = ["x"]
    after: Any = ["y", "x"]
    for level in range(100):
        before, after = [level, before], [level + 1, level, after]

    found = compare(before, after)

    assert applier.apply(before, found.operations) == after
    assert found.bounded


@pytest.mark.parametrize("size", [50_000])
@pytest.mark.parametrize(
    ("edit", "most"),
    [
        pytest.param(lambda items: items.insert(0, {"id": -1}), 200, id="one inserted at the head"),
        pytest.param(lambda items: items.pop(1000), 200, id="one removed"),
        pytest.param(lambda items: items.__setitem__(77, {"id": 77, "name": "new"}), 200, id="one changed"),
        pytest.param(lambda items: items.reverse(), 10_000_000, id="reversed"),
        pytest.param(lambda items: random.Random(3).shuffle(items), 10_000_000, id="shuffled"),
        pytest.param(lambda items: items.clear(), 200, id="emptied"),
    ],
)
def test_large_arrays_are_compared_in_linear_time(size: int, edit: Any, most: int) -> None:
    before = [{"id": place, "name": f"item {place}"} for place in range(size)]
    after = copy.deepcopy(before)
    edit(after)

    patch = diff(before, after)

    assert len(json.dumps(patch)) < most
    if len(patch) < 10:
        assert applier.apply(before, patch) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param([0, 1] * 100_000, [1, 0] * 100_000, id="alternating"),
        pytest.param([0] * 200_000, [0] * 199_999, id="all alike"),
        pytest.param([[]] * 100_000, [[], {}] * 50_000, id="empty containers"),
        pytest.param(list(range(200_000)), [-1 - place for place in range(200_000)], id="all different"),
        pytest.param(
            [random.Random(1).randrange(2) for _ in range(100_000)],
            [random.Random(2).randrange(2) for _ in range(99_000)],
            id="random bits",
        ),
        pytest.param(
            [{"a": place % 3} for place in range(50_000)], [{"a": place % 5} for place in range(49_000)], id="few kinds"
        ),
    ],
)
def test_repetitions_do_not_explode(before: list[Any], after: list[Any]) -> None:
    patch = diff(before, after)

    assert applier.strictly_equal(replayed(before, patch), after)


def test_no_operation_replaces_a_value_by_itself() -> None:
    draw = random.Random(3)
    before = [draw.randrange(10) for _ in range(10_000)]
    after = list(before)
    for place in sorted(draw.sample(range(10_000), 50), reverse=True):
        after[place : place + draw.randrange(2)] = [draw.randrange(10)]

    patch = diff(before, after, DiffOptions(invertible=ON))

    assert diff(before, after) == [operation for operation in patch if operation["op"] != "test"]


def replayed(document: list[Any], patch: list[dict[str, Any]]) -> Any:
    """Apply a patch of one array without copying the whole for every operation."""
    root = [copy.deepcopy(document)]
    for operation in patch:
        applier.apply_one(root, operation)
    return root[0]
