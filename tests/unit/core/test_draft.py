import json
from typing import Any

import pytest
from hypothesis import given

from service.core import draft, values
from service.core.comparison import Comparison
from service.core.diff import diff
from service.core.draft import Draft
from service.core.options import DEFAULT, DiffOptions
from service.core.prune import Pruning
from service.core.scoped import ScopedComparison
from tests.unit.core import applier
from tests.unit.core.documents import pairs


def shortened_by_the_book(operations: list[bytes], frames: list[draft.Frame]) -> list[bytes]:
    """Replace containers from the innermost outwards, with every size measured."""
    groups: dict[int, list[bytes]] = {place: [each] for place, each in enumerate(operations)}
    for start, end, path, _, after, _ in frames:
        inner = [each for place in range(start, end) for each in groups.get(place, [])]
        replacement = draft.replace(path, after)
        if len(replacement) < len(b",".join(inner)):
            groups.update({place: [] for place in range(start, end)} | {start: [replacement]})
    return [each for place in range(len(operations)) for each in groups[place]]


@given(pairs())
def test_a_draft_is_shortened_as_far_as_replacements_go(pair: tuple[Any, Any]) -> None:
    found = Comparison(DEFAULT.shorten_above).compare(*pair)
    expected = shortened_by_the_book(found.operations, found.frames)

    found.shorten()

    assert found.operations == expected


@pytest.mark.parametrize("depth", [3, 12, 60])
def test_deep_containers_are_shortened_too(depth: int) -> None:
    before, after = {"x": 1, "y": 2, "z": "the same"}, {"x": 2, "y": 3, "z": "the same"}
    for level in range(depth):
        before, after = {"in": before, "n": level, "m": 0}, {"in": after, "n": -level, "m": 1}
    scoped = ScopedComparison(DEFAULT, Pruning(DEFAULT)).compare(before, after)
    expected = shortened_by_the_book(scoped.operations, scoped.frames)

    scoped.shorten()

    assert scoped.operations == expected
    assert applier.apply(before, diff(before, after, DiffOptions(shorten_above=0))) == after


def test_what_has_no_frame_is_never_replaced() -> None:
    found = Draft([], [])
    found.operations += [draft.replace(b"/a/x", 2), draft.replace(b"/a/y", 2)]

    found.shorten()

    assert [each["path"] for each in json.loads(found.text())] == ["/a/x", "/a/y"]


@given(pairs())
def test_both_walks_write_the_same(pair: tuple[Any, Any]) -> None:
    plain = Comparison(DEFAULT.shorten_above)
    found = plain.compare(*pair)
    scoped = ScopedComparison(DEFAULT, Pruning(DEFAULT))

    assert found.text() == scoped.compare(*pair).text()
    assert plain.is_confirmed() == scoped.is_confirmed()


def test_names_are_escaped_for_pointers_and_for_json() -> None:
    patch = Comparison(DEFAULT.shorten_above).compare({}, {'a/~"\\\n é': 1}).text()

    assert json.loads(patch) == [{"op": "add", "path": '/a~1~0"\\\n é', "value": 1}]
    assert values.encode(json.loads(patch)) == patch
