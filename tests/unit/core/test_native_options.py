"""Every option over both engines: the laws, and the same refusals."""

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from service.core import diff, history
from service.core.engine import Engine
from service.core.native import NativeCore
from service.core.options import ArrayRule, DiffOptions, Pattern, Scoped, Tolerance
from service.errors import ArrayKeyError
from tests.unit.core.applier import apply, strictly_equal
from tests.unit.core.random_documents import NAMES, Documents

Compare = Callable[[bytes, bytes, DiffOptions], tuple[bytes, bytes | None]]
"""Gives a patch, and the one that undoes it where the engine has it."""

NOTHING = object()
PATTERNS: list[Pattern] = [(name,) for name in ("a", "b", "c", "/", "")] + [
    ("*", "a"),
    ("**", "id"),
    ("a", "**", "b"),
    ("*", "*"),
    ("**", "v", "**", "c"),
]


def covers(pattern: Pattern, path: tuple[str, ...]) -> bool:
    if not pattern:
        return True
    if pattern[0] == "**":
        return any(covers(pattern[1:], path[skipped:]) for skipped in range(len(path) + 1))
    return bool(path) and pattern[0] in {"*", path[0]} and covers(pattern[1:], path[1:])


def random_options(draw: random.Random, kind: str) -> DiffOptions:
    some = draw.sample(PATTERNS, draw.randint(1, 2))
    place = draw.choice([None, None, *PATTERNS])
    tests = draw.choice([(), (Scoped(True),)])
    return {
        "names": lambda: DiffOptions(ignored_names=frozenset(draw.sample(NAMES, 2)), invertible=tests),
        "paths": lambda: DiffOptions(ignored_paths=tuple(some), invertible=tests),
        "only": lambda: DiffOptions(
            only=tuple(some), ignored_names=frozenset(draw.sample(NAMES, draw.randint(0, 1))), invertible=tests
        ),
        "moves": lambda: DiffOptions(moves=(Scoped(True, place),), shorten_above=draw.choice([0, 1024])),
        "invertible": lambda: DiffOptions(
            invertible=(Scoped(True),), moves=(Scoped(draw.random() < 0.5),), shorten_above=draw.choice([0, 1024])
        ),
        "position": lambda: DiffOptions(arrays=(ArrayRule("positionPriority", place),)),
        "keyed": lambda: DiffOptions(
            arrays=(ArrayRule("keyed", place, ("id",), "inOrder"),), moves=(Scoped(draw.random() < 0.5),)
        ),
        "tolerance": lambda: DiffOptions(tolerances=(Tolerance(draw.choice([0.6, 1.1, 100.0]), place),)),
    }[kind]()


def stripped(value: Any, options: DiffOptions, path: tuple[str, ...] = ()) -> Any:
    """Leave out what takes no part, by the definition of the options and without a word on how they are carried out."""
    if any(covers(pattern, path) for pattern in options.ignored_paths):
        return NOTHING
    is_inside = not options.only or any(covers(pattern, path) for pattern in options.only)
    if isinstance(value, dict):
        members = {
            name: stripped(member, options, (*path, name))
            for name, member in value.items()
            if name not in options.ignored_names
        }
        left: Any = {name: member for name, member in members.items() if member is not NOTHING}
    elif isinstance(value, list):
        items = [stripped(item, options, (*path, str(index))) for index, item in enumerate(value)]
        left = [item for item in items if item is not NOTHING]
    else:
        return value if is_inside else NOTHING
    return left if is_inside or left else NOTHING


def alike(left: Any, right: Any, options: DiffOptions) -> bool:
    left, right = stripped(left, options), stripped(right, options)
    return left is right or (left is not NOTHING and right is not NOTHING and strictly_equal(left, right))


def near(left: Any, right: Any, options: DiffOptions, path: tuple[str, ...] = ()) -> bool:
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(near(left[n], right[n], options, (*path, n)) for n in left)
    if isinstance(left, list) and isinstance(right, list):
        pairs = enumerate(zip(left, right, strict=False))
        return len(left) == len(right) and all(near(one, two, options, (*path, str(at))) for at, (one, two) in pairs)
    rule = options.tolerances[0]
    is_number = all(isinstance(each, int | float) and not isinstance(each, bool) for each in (left, right))
    return strictly_equal(left, right) or (
        is_number and (rule.path is None or covers(rule.path, path)) and abs(left - right) < rule.distance
    )


def reference(before: bytes, after: bytes, options: DiffOptions) -> tuple[bytes, None]:
    return diff.compare_bytes(before, after, options).patch, None


def both_ways(core: NativeCore) -> Compare:
    def compare(before: bytes, after: bytes, options: DiffOptions) -> tuple[bytes, bytes]:
        outcome, inverse = core.compare_both_ways(before, after, options)
        return outcome.patch, inverse

    return compare


def broken_law(compare: Compare, kind: str, seed: int, count: int) -> object:
    documents, draw = Documents(seed), random.Random(seed)
    for _ in range(count):
        before, after = documents.pair()
        options = random_options(draw, kind)
        texts = [json.dumps(each).encode() for each in (before, after)]
        text, inverse = compare(texts[0], texts[1], options)
        patch = json.loads(text)
        result = apply(before, patch)
        good = inverse is None or strictly_equal(apply(result, json.loads(inverse)), before)
        if kind in {"names", "paths", "only"}:
            good = good and alike(result, after, options) and (patch == []) == alike(before, after, options)
            good = good and keeps_what_is_ignored(before, result, options)
        elif kind == "tolerance":
            good = good and near(result, after, options) and (patch == []) == near(before, after, options)
        else:
            good = good and strictly_equal(result, after)
        if options.invertible:
            good = good and strictly_equal(apply(result, history.invert(patch)), before)
        if not good:
            return texts, options, patch, inverse
    return None


def keeps_what_is_ignored(before: Any, result: Any, options: DiffOptions) -> bool:
    """Ignored members of objects that are there before and after are untouched; arrays may shift theirs."""
    if isinstance(before, dict) and isinstance(result, dict):
        return all(
            (name in result and strictly_equal(before[name], result[name]))
            if name in options.ignored_names
            else name not in result or keeps_what_is_ignored(before[name], result[name], options)
            for name in before
        )
    return True


KINDS = ["names", "paths", "only", "moves", "invertible", "position", "keyed", "tolerance"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_laws_hold_under(core: NativeCore, kind: str) -> None:
    assert broken_law(both_ways(core), kind, 3, 2_000) is None


@pytest.mark.parametrize("kind", KINDS)
def test_the_laws_hold_in_the_reference_under(kind: str) -> None:
    assert broken_law(reference, kind, 5, 1_000) is None


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("kind", KINDS)
def test_the_laws_hold_a_hundred_thousand_times_in_the_reference_under(kind: str) -> None:
    assert broken_law(reference, kind, 6, 125_000) is None


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("kind", KINDS)
def test_the_laws_hold_a_hundred_thousand_times_under(core: NativeCore, kind: str) -> None:
    assert broken_law(both_ways(core), kind, 4, 125_000) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([{"id": 1}, {"id": 1}], [{"id": 2}]),
        ([{"id": 1}, {"x": 1}, 5], [{"id": 2}, {"id": 2.0}, {"id": 3}, {"id": 3}]),
        ([{"id": [1]}], [{"id": [1]}, {"id": [1]}]),
    ],
)
def test_bad_keys_are_refused_as_the_reference_does(core: NativeCore, before: Any, after: Any) -> None:
    options = DiffOptions(arrays=(ArrayRule("keyed", None, ("id",)),))
    texts = [json.dumps({"a/b": each}).encode() for each in (before, after)]

    with pytest.raises(ArrayKeyError) as expected:
        diff.compare_bytes(texts[0], texts[1], options)
    with pytest.raises(ArrayKeyError) as refused:
        core.compare_bytes(texts[0], texts[1], options)

    assert refused.value.violations == expected.value.violations
    assert refused.value.detail == expected.value.detail


PLACES: dict[str, tuple[DiffOptions, Any, Any, Any]] = {
    "near behind what is ignored": (
        DiffOptions(ignored_paths=(("0",),), tolerances=(Tolerance(0.1, ("1",)),)),
        [5, 1.0, 1.0],
        [6, 1.01, 1.01],
        [{"op": "replace", "path": "/2", "value": 1.01}],
    ),
    "moves behind what is ignored": (
        DiffOptions(ignored_paths=(("0",),), moves=(Scoped(True, ("1",)),)),
        [1, {"old": [1]}],
        [2, {"new": [1]}],
        [{"op": "move", "from": "/1/old", "path": "/1/new"}],
    ),
    "true beside what may be near": (
        DiffOptions(tolerances=(Tolerance(0.1, ("a", "b")),)),
        {"a": {"b": 1, "x": [True]}},
        {"a": {"b": 1.01, "x": [1]}},
        [{"op": "replace", "path": "/a/x/0", "value": 1}],
    ),
    "true in an item beside one that may be near": (
        DiffOptions(tolerances=(Tolerance(0.1, ("0",)),), arrays=(ArrayRule("positionPriority"),)),
        [1.0, True, "x"],
        [1.01, 1, "x"],
        [{"op": "replace", "path": "/1", "value": 1}],
    ),
    "nothing left to pair by keys": (
        DiffOptions(arrays=(ArrayRule("keyed", None, ("id",)),), only=(("l", "*", "**", "x"),)),
        {"l": [5, {"x": 1, "y": 2}, {"z": [{"x": 3}]}]},
        {"l": 7},
        [{"op": "remove", "path": "/l/2/z/0/x"}, {"op": "remove", "path": "/l/1/x"}],
    ),
    "a scalar that takes no part gives way to what does": (
        DiffOptions(only=(("*", "a"),), invertible=(Scoped(True),)),
        {"x": 5, "y": 5},
        {"x": {"a": 1}, "y": {"b": 1}},
        [{"op": "test", "path": "/x", "value": 5}, {"op": "replace", "path": "/x", "value": {"a": 1}}],
    ),
    "a root that takes no part gives way to one that does": (
        DiffOptions(only=(("a",),), invertible=(Scoped(True),)),
        5,
        {"a": 1},
        [{"op": "test", "path": "", "value": 5}, {"op": "replace", "path": "", "value": {"a": 1}}],
    ),
    "equal without keys": (
        DiffOptions(arrays=(ArrayRule("keyed", None, ("id",)),), ignored_names=frozenset({"at"})),
        [{"x": 1, "at": 1}],
        [{"x": 1.0, "at": 2}],
        [],
    ),
}


@pytest.mark.parametrize("name", PLACES)
@pytest.mark.parametrize("engine", ["reference", "native"])
def test_options_hold_in_their_places(core: NativeCore, engine: str, name: str) -> None:
    options, before, after, patch = PLACES[name]
    compare = both_ways(core) if engine == "native" else reference

    assert json.loads(compare(json.dumps(before).encode(), json.dumps(after).encode(), options)[0]) == patch


@pytest.mark.parametrize("moves", [(), (Scoped(True),)], ids=["in place", "moving"])
@pytest.mark.parametrize("engine", ["reference", "native"])
def test_bad_keys_are_pointed_at_in_the_document_that_has_them(
    core: NativeCore, engine: str, moves: tuple[Scoped, ...]
) -> None:
    """Whatever is ignored before them, and wherever what holds them stands in the other document."""
    by_id = ArrayRule("keyed", None, ("id",))
    options = DiffOptions(arrays=(by_id,), ignored_paths=(("a/b", "0"), ("**", "~m\n", "1")), moves=moves)
    before = {"a/b": [{}, {"id": 1}, {"id": 2, "~m\n": [{"id": 1}, {}, 5]}]}
    after = {"x": 1, "a/b": [{}, {"id": 2, "~m\n": [{"id": 3}, {}, {"id": 3}]}, {"id": 1, "y": 1}]}
    compare = core.compare_bytes if engine == "native" else diff.compare_bytes

    with pytest.raises(ArrayKeyError) as refused:
        compare(json.dumps(before).encode(), json.dumps(after).encode(), options)

    assert [(each.input, each.pointer, each.detail) for each in refused.value.violations] == [
        ("before", "/a~1b/2/~0m\n/2", "The item /a~1b/2/~0m\n/2 lacks a key."),
        ("after", "/a~1b/1/~0m\n/2", "The item /a~1b/1/~0m\n/2 has the keys of /a~1b/1/~0m\n/0."),
    ]


def test_keyed_items_are_followed_wherever_they_are(core: NativeCore) -> None:
    before = [{"id": number, "text": f"t{number}"} for number in range(50)]
    after = [{"id": 99, "text": "t0"}, *before[1:20], before[20] | {"text": "new"}, *before[21:]]
    options = DiffOptions(arrays=(ArrayRule("keyed", None, ("id",)),))

    patch = json.loads(core.compare_bytes(json.dumps(before).encode(), json.dumps(after).encode(), options).patch)

    assert patch == [
        {"op": "replace", "path": "/20/text", "value": "new"},
        {"op": "remove", "path": "/0"},
        {"op": "add", "path": "/0", "value": {"id": 99, "text": "t0"}},
    ]


def test_moves_are_found_in_objects_and_arrays(core: NativeCore) -> None:
    large = {"some": "large", "value": [1, 2, 3]}
    before, after = {"a": [large, 1, 2, 3], "b": large}, {"a": [1, 2, 3, large], "c": large}
    options = DiffOptions(moves=(Scoped(True),))

    patch = json.loads(core.compare_bytes(json.dumps(before).encode(), json.dumps(after).encode(), options).patch)

    assert patch == [
        {"op": "move", "from": "/a/0", "path": "/a/3"},
        {"op": "move", "from": "/b", "path": "/c"},
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('[[{}, {"v": {"c": "~"}}]]', '[[{"~1": [], "v": {"c": "~"}}, {}]]'),
        ('{"x": [], "v": {"c": 1}}', '{"v": {"c": 1, "d": [{}]}}'),
        ('[{"v": {"c": 1}}, [[]], {"v": {"c": 2}}]', '[{"v": {"c": 1}}, {"v": {"c": 2}}]'),
        ('[{"v": {"c": 1}}, {"v": []}]', '[{"v": []}, {"v": {"c": 1}}]'),
    ],
)
@pytest.mark.parametrize("engine", ["reference", "native"])
def test_containers_that_hold_nothing_of_what_is_compared_make_no_difference(
    core: NativeCore, engine: str, before: str, after: str
) -> None:
    compare = both_ways(core) if engine == "native" else reference
    options = DiffOptions(only=(("**", "v", "**", "c"),))

    assert compare(before.encode(), after.encode(), options)[0] == b"[]"


def test_what_is_equal_stays_beside_what_is_not(core: NativeCore) -> None:
    before = b'{"k": [{"v": {"c": 1}}, {"v": []}], "v": {"c": 1}}'
    after = b'{"k": [{"v": []}, {"v": {"c": 1}}], "v": {"c": 2}}'
    patch = b'[{"op":"replace","path":"/v/c","value":2}]'
    options = DiffOptions(only=(("**", "v", "**", "c"),))

    assert both_ways(core)(before, after, options)[0] == reference(before, after, options)[0] == patch


def test_a_switch_with_a_path_holds_there_and_below(core: NativeCore) -> None:
    options = DiffOptions(invertible=(Scoped(True), Scoped(False, ("x",))))

    patch = json.loads(core.compare_bytes(b'{"x":{"y":1},"z":1}', b'{"x":{"y":2},"z":2}', options).patch)

    assert [operation["op"] for operation in patch] == ["replace", "test", "replace"]


def test_a_pattern_may_be_longer_than_the_core_takes(core: NativeCore) -> None:
    fallbacks: list[None] = []
    engine = Engine(core, lambda: fallbacks.append(None))

    engine.compare_bytes(b"[1]", b"[2]", DiffOptions(ignored_paths=(("a",) * 70,)))

    assert len(fallbacks) == 1
