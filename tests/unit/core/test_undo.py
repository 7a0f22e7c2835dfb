from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core import values
from service.core.undo import Clash, take_back
from tests.unit.core.documents import DOCUMENTS, edited, pairs


@st.composite
def triples(draw: st.DrawFn) -> tuple[Any, Any, Any]:
    before, after = draw(pairs())
    return before, after, draw(edited(after))


@given(pairs())
def test_without_later_changes_the_document_before_comes_back(pair: tuple[Any, Any]) -> None:
    before, after = pair

    taken = take_back(before, after, after)

    assert taken.clashes == []
    assert values.equal(taken.document, before)


@given(pairs())
def test_without_a_change_there_is_nothing_to_take_back(pair: tuple[Any, Any]) -> None:
    before, present = pair

    assert take_back(before, before, present) == (present, [])


@given(triples())
def test_what_was_taken_back_already_stays(triple: tuple[Any, Any, Any]) -> None:
    before, after, _ = triple

    assert take_back(before, after, before) == (before, [])


@given(DOCUMENTS, DOCUMENTS, DOCUMENTS)
def test_changes_of_different_members_do_not_clash(before: Any, changed: Any, later: Any) -> None:
    taken = take_back({"a": before, "b": 0}, {"a": changed, "b": 0}, {"a": changed, "b": later})

    assert taken.clashes == []
    assert values.equal(taken.document, {"a": before, "b": later})


@given(triples())
def test_no_document_is_changed(triple: tuple[Any, Any, Any]) -> None:
    texts = [values.encode(each) for each in triple]

    take_back(*triple)

    assert [values.encode(each) for each in triple] == texts


@pytest.mark.parametrize(
    ("before", "after", "present", "expected"),
    [
        pytest.param({"a": 1}, {"a": 1, "b": 2}, {"a": 3, "b": 2}, {"a": 3}, id="added member goes"),
        pytest.param({"a": 1, "b": 2}, {"a": 1}, {"a": 3}, {"a": 3, "b": 2}, id="removed member returns"),
        pytest.param([1, 2, 3], [1, 9, 3], [0, 1, 9, 3, 4], [0, 1, 2, 3, 4], id="items came around"),
        pytest.param([1, 2], [1, 2, 3], [5, 1, 2, 3], [5, 1, 2], id="added item goes"),
        pytest.param([1, 2, 3], [1, 3], [1, 3, 4], [1, 2, 3, 4], id="removed item returns"),
        pytest.param([], [1], [1, 2], [2], id="another item came next to it"),
        pytest.param([1], [9], [8, 9, 7], [8, 1, 7], id="items came on both sides"),
        pytest.param([1, 2], [2], [7], [1, 7], id="its neighbour was replaced"),
        pytest.param([1, 2, 3], [1, 3], [1, 4, 3], [1, 2, 4, 3], id="another took its place"),
        pytest.param([{"x": 1, "y": 1}], [{"x": 2, "y": 1}], [{"x": 2, "y": 5}], [{"x": 1, "y": 5}], id="one item"),
    ],
)
def test_later_changes_beside_it_are_kept(before: Any, after: Any, present: Any, expected: Any) -> None:
    assert take_back(before, after, present) == (expected, [])


@pytest.mark.parametrize(
    ("before", "after", "present", "clash"),
    [
        pytest.param({"a": 1}, {"a": 2}, {"a": 3}, Clash("/a", 2, 3, frozenset()), id="changed again"),
        pytest.param({"a": 1}, {"a": 2}, {}, Clash("/a", 2, None, frozenset({"stands"})), id="removed since"),
        pytest.param({"a": 1}, {}, {"a": None}, Clash("/a", None, None, frozenset({"left"})), id="added since"),
        pytest.param([1], [1, 2], [1, 3, 4], Clash("", [2], [3, 4], frozenset()), id="array changed at the same place"),
        pytest.param([[1]], [[2]], [[3]], Clash("/0/0", 2, 3, frozenset()), id="inside an item"),
    ],
)
def test_what_stands_in_the_way_is_named(before: Any, after: Any, present: Any, clash: Clash) -> None:
    assert take_back(before, after, present).clashes == [clash]


@given(st.lists(st.integers(0, 99), unique=True), st.data())
def test_items_of_their_own_never_clash(items: list[int], data: st.DataObject) -> None:
    """Items go and others come, twice: the first time can be taken back where the second left what it had put in."""
    kept = [each for each in items if data.draw(st.booleans())]
    after = insert_all(data, kept, range(100, 103))
    present = insert_all(data, [each for each in after if each >= 100 or data.draw(st.booleans())], range(200, 203))

    taken = take_back(items, after, present)

    lost = {each for each in after if each not in present}
    assert taken.clashes == []
    assert sorted(taken.document) == sorted((set(items) - lost) | set(range(200, 203)))


def insert_all(data: st.DataObject, items: list[int], more: range) -> list[int]:
    result = list(items)
    for each in more:
        result.insert(data.draw(st.integers(0, len(result))), each)
    return result
