"""The plain dialect: what it reaches, how item ids are read, what it refuses."""

import copy
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.core.dialect import check_plain, resolve_items
from service.core.patch import apply
from service.errors import InvalidPatchError, PathNotAllowedError, PathNotFoundError, ServiceError

CLINIC: dict[str, Any] = {
    "name": "Foot clinic",
    "phone": [{"id": "phone-a", "value": "1"}, {"id": "phone-b", "value": "2"}],
    "address": {"city": "Ghent"},
    "size": 3,
}


ITEMS = st.sampled_from([{"id": "a"}, {"id": "b"}, {"id": "c"}, {"id": 1}, {}, "a"])
PATHS = st.sampled_from(["list/a", "list/b", "list/c", "list/d", "list/0", "list/1", "list/3", "list/-"])
OPERATIONS = st.one_of(
    st.fixed_dictionaries({"op": st.sampled_from(["add", "replace"]), "path": PATHS, "value": ITEMS}),
    st.fixed_dictionaries({"op": st.just("remove"), "path": PATHS}),
    st.fixed_dictionaries({"op": st.just("replace"), "path": st.just("list"), "value": st.lists(ITEMS)}),
)


def patched(operations: Any, document: Any = CLINIC) -> Any:
    document = copy.deepcopy(document)
    return apply(document, resolve_items(document, check_plain(copy.deepcopy(operations))))


@pytest.mark.parametrize("slash", ["", "/"])
def test_documented_samples_apply(slash: str) -> None:
    extra = {"value": "4444444", "use": "main", "system": "phone", "extension": None}

    renamed = patched([{"op": "replace", "path": f"{slash}name", "value": "New Name of the resources"}])
    added = patched([{"op": "add", "path": f"{slash}phone/1", "value": extra}])
    removed = patched([{"op": "remove", "path": f"{slash}name"}])

    assert renamed["name"] == "New Name of the resources"
    assert added["phone"] == [CLINIC["phone"][0], extra, CLINIC["phone"][1]]
    assert "name" not in removed


def test_item_ids_follow_the_items_while_earlier_operations_move_them() -> None:
    document = patched(
        [
            {"op": "remove", "path": "phone/phone-a"},
            {"op": "replace", "path": "phone/phone-b", "value": {"id": "phone-b", "value": "3"}},
            {"op": "add", "path": "phone/-", "value": {"id": "phone-c"}},
        ]
    )

    assert document["phone"] == [{"id": "phone-b", "value": "3"}, {"id": "phone-c"}]


@example(
    [{"id": "a"}, {"id": "b"}, {"id": "a"}],
    [
        {"op": "remove", "path": "list/b"},
        {"op": "replace", "path": "list/1", "value": {}},
        {"op": "replace", "path": "list/a", "value": {}},
    ],
)
@given(st.lists(ITEMS, max_size=6), st.lists(OPERATIONS, max_size=12))
def test_a_patch_does_what_its_operations_do_one_after_the_other(items: list[Any], operations: list[Any]) -> None:
    document: Any = {"list": items}
    for done, operation in enumerate(operations):
        try:
            document = patched([operation], document)
        except ServiceError as error:
            with pytest.raises(type(error)):
                patched(operations[: done + 1], {"list": items})
            operations = operations[:done]
            break

    assert patched(operations, {"list": items}) == document


@pytest.mark.parametrize("path", ["phone/1/value", "/phone/phone-a/value", "a/b/c/d"])
def test_deeper_paths_are_refused(path: str) -> None:
    with pytest.raises(PathNotAllowedError) as caught:
        check_plain([{"op": "remove", "path": "name"}, {"op": "remove", "path": path}])

    assert caught.value.violations[0].index == 1


def test_the_root_is_beyond_reach() -> None:
    with pytest.raises(PathNotAllowedError):
        check_plain([{"op": "replace", "path": "", "value": {}}])


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("address/city", PathNotAllowedError),
        ("size/0", PathNotFoundError),
        ("fax/0", PathNotFoundError),
        ("phone/phone-z", PathNotFoundError),
        ("phone/7", PathNotFoundError),
        ("phone/-", PathNotFoundError),
        ("phone/01", PathNotFoundError),
        ("fax", PathNotFoundError),
    ],
)
def test_what_is_not_there_cannot_be_removed(path: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        patched([{"op": "remove", "path": path}])


def test_an_id_that_two_items_share_is_refused() -> None:
    document = {"phone": [{"id": "x"}, {"id": "x"}]}

    with pytest.raises(PathNotAllowedError, match="2 items"):
        list(resolve_items(document, check_plain([{"op": "remove", "path": "phone/x"}])))


@pytest.mark.parametrize(
    ("patch", "said"),
    [
        ({"name": "x"}, "application/merge-patch\\+json"),
        ("x", "array"),
        ([{"op": "test", "path": "name", "value": 1}], "application/json-patch\\+json"),
        ([{"op": "spin", "path": "name"}], "add, remove, replace"),
        ([{"op": ["add"], "path": "name"}], "add, remove, replace"),
        ([{"path": "name"}], "'op' is missing"),
        ([{"op": "add", "path": "name"}], "needs the member 'value'"),
        ([{"op": "add", "path": 1, "value": 1}], "must be a string"),
        ([{"op": "remove", "path": "a~2"}], "not a JSON Pointer"),
        ([7], "an object"),
    ],
)
def test_what_is_no_plain_patch_is_refused(patch: Any, said: str) -> None:
    with pytest.raises(InvalidPatchError, match=said):
        check_plain(patch)
