"""Changes of resources: whatever the request, the patches that are kept lead from version to version and back."""

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from service.core import values
from service.core.conditions import Conditions, Tags
from service.core.definition import Parent
from service.core.diff import diff
from service.core.engine import Engine, choose
from service.core.identified import DEFAULT_LISTS
from service.core.merge import apply_merge
from service.core.patch import apply, check_patch
from service.errors import (
    GoneError,
    ImmutablePropertyError,
    NotFoundError,
    PreconditionRequiredError,
    ServiceError,
    VersionConflictError,
)
from service.model import Change, Draft
from service.ports import Changing
from service.usecases import drafting
from service.usecases.asked import Asked, Limits, Rules
from service.usecases.containing import UnknownParentError, entering
from tests.unit.core.documents import NAMES, SCALARS, edited

ANYTHING = Conditions()
DEFAULTS = Rules()
ENGINES = [choose("python"), choose("auto")]
LIMITS = Limits(max_depth=200, max_operations=100, max_copied_bytes=10_000)
OWN = {"id": "r", "createdAt": "2026-01-01T00:00:00.000000Z", "updatedAt": "2026-01-02T00:00:00.000000Z"}
MEMBERS = NAMES.filter(lambda name: name != "id") | st.sampled_from(["phone", "email"])
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=8
)
CONTENTS = st.dictionaries(MEMBERS, VALUES, max_size=4)
POINTERS = st.lists(NAMES | st.sampled_from(["phone", "updatedAt", "id", "-", "0", "1"]), max_size=3).map(
    lambda names: "".join("/" + name.replace("~", "~0").replace("/", "~1") for name in names)
)
OPERATIONS = st.one_of(
    st.fixed_dictionaries({"op": st.sampled_from(["add", "replace", "test"]), "path": POINTERS, "value": VALUES}),
    st.fixed_dictionaries({"op": st.just("remove"), "path": POINTERS}),
    st.fixed_dictionaries({"op": st.sampled_from(["move", "copy"]), "from": POINTERS, "path": POINTERS}),
)


def asked(conditions: Conditions = ANYTHING, rules: Rules = DEFAULTS, engine: Engine = ENGINES[0]) -> Asked:
    return Asked("r", "clinic", conditions, rules, engine)


def draft(content: Any, *, deleted: bool = False) -> Draft:
    return Draft(
        id="r",
        type="clinic",
        version=3,
        text=values.encode(content),
        content=values.copy(content),
        created_at=OWN["createdAt"],
        updated_at=OWN["updatedAt"],
        deleted=deleted,
    )


def check_law(before: Any, change: Change | None) -> None:
    """The kept patches lead there and back; no change means that there is nothing to keep."""
    if change is None:
        return
    forward, inverse = (values.decode(text, max_depth=300) for text in (change.forward, change.inverse))
    assert values.equal(apply(values.copy(before), forward), change.content)
    assert values.equal(apply(values.copy(change.content), inverse), before)
    assert not values.equal(before, change.content)


def without_owned(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in OWN}


@given(CONTENTS, st.lists(OPERATIONS, max_size=5))
def test_json_patches_are_kept_as_they_were_done(content: Any, operations: list[Any]) -> None:
    try:
        change = drafting.patching(asked(), check_patch(operations), LIMITS, plain=False)(draft(content))
    except ServiceError:
        assume(False)
    else:
        check_law(content, change)


@given(CONTENTS.flatmap(lambda content: st.tuples(st.just(content), edited(content))))
def test_a_computed_patch_gives_the_document_it_was_computed_for(pair: Any) -> None:
    before, after = pair[0], pair[1] if isinstance(pair[1], dict) else {}
    after = without_owned(after)
    operations = diff(before, after)

    change = drafting.patching(asked(rules=Rules(identified_lists=())), operations, LIMITS, plain=False)(draft(before))

    assert values.equal(after, before if change is None else change.content)
    check_law(before, change)


@given(CONTENTS, CONTENTS, st.sampled_from(ENGINES))
def test_replacements_are_kept_as_patches(before: Any, after: Any, engine: Engine) -> None:
    check_law(before, drafting.replacing(asked(engine=engine), after)(draft(before)))


@given(CONTENTS, CONTENTS, st.sampled_from(ENGINES))
def test_merges_are_kept_as_patches(before: Any, patch: Any, engine: Engine) -> None:
    change = drafting.merging(asked(rules=Rules(identified_lists=()), engine=engine), patch)(draft(before))

    assert values.equal(apply_merge(values.copy(before), patch), before if change is None else change.content)
    check_law(before, change)


@given(CONTENTS, CONTENTS, st.booleans(), st.sampled_from(ENGINES))
def test_reverts_are_kept_as_patches(before: Any, earlier: Any, deleted: bool, engine: Engine) -> None:
    wanted = asked(rules=Rules(identified_lists=()), engine=engine)
    change = drafting.reverting(wanted, earlier)(draft(before, deleted=deleted))

    assert values.equal(earlier, before if change is None else change.content)
    assert change is not None or not deleted
    if change is not None and not values.equal(before, change.content):
        check_law(before, change)


@given(CONTENTS, CONTENTS)
def test_large_content_is_kept_member_by_member(before: Any, after: Any) -> None:
    with pytest.MonkeyPatch.context() as patching:
        patching.setattr(drafting, "_DIFFED_BYTES", 0)
        change = drafting.replacing(asked(), after)(draft(before))

    check_law(before, change)
    operations = [] if change is None else values.decode(change.forward, max_depth=300)
    assert all(each["path"].count("/") == 1 for each in operations)


def test_a_large_document_is_replaced_quickly() -> None:
    before = {"items": [{"id": number, "name": f"item {number}"} for number in range(50_000)], "name": "x"}
    after = {"items": before["items"][::-1], "name": "x"}

    change = drafting.replacing(asked(), after)(draft(before))

    assert change is not None
    assert [each["path"] for each in values.decode(change.forward, max_depth=300)] == ["/items"]


@given(CONTENTS)
def test_every_item_of_an_identified_list_has_an_id(content: Any) -> None:
    change = drafting.creating(asked(), content)(None)

    assert change is not None
    items = [item for name in DEFAULT_LISTS for item in _list(change.content, name) if isinstance(item, dict)]
    assert all("id" in item for item in items)


def _list(content: dict[str, Any], name: str) -> list[Any]:
    value = content.get(name)
    return value if isinstance(value, list) else []


@pytest.mark.parametrize(
    "making",
    [
        drafting.replacing(asked(), {}),
        drafting.merging(asked(), {}),
        drafting.patching(asked(), [], LIMITS, plain=True),
        drafting.deleting(asked()),
    ],
)
def test_what_is_gone_or_never_was_is_not_changed(making: Changing) -> None:
    with pytest.raises(NotFoundError):
        making(None)
    with pytest.raises(GoneError):
        making(draft({}, deleted=True))


def test_preconditions_come_before_the_change() -> None:
    strict = Rules(requires_if_match=True)

    with pytest.raises(PreconditionRequiredError):
        drafting.merging(asked(rules=strict), {"a": 1})(draft({}))
    with pytest.raises(VersionConflictError):
        drafting.merging(asked(Conditions(if_match=Tags(versions=frozenset({2}))), strict), {"a": 1})(draft({}))
    assert drafting.merging(asked(Conditions(if_match=Tags(any=True)), strict), {"a": 1})(draft({})) is not None


def test_owned_members_may_be_tested_and_copied_but_not_changed() -> None:
    operations = [
        {"op": "test", "path": "/id", "value": "r"},
        {"op": "copy", "from": "/createdAt", "path": "/since"},
        {"op": "replace", "path": "/updatedAt", "value": OWN["updatedAt"]},
    ]

    change = drafting.patching(asked(), operations, LIMITS, plain=False)(draft({"a": 1}))

    assert change is not None
    assert change.content == {"a": 1, "since": OWN["createdAt"]}
    check_law({"a": 1}, change)
    with pytest.raises(ImmutablePropertyError):
        drafting.patching(asked(), [{"op": "remove", "path": "/id"}], LIMITS, plain=False)(draft({"a": 1}))


PARENT = Parent(type="clinic", property="clinic", shown_as="practices")


@pytest.mark.parametrize(
    ("before", "after", "turns", "taken"),
    [
        (None, {"clinic": "c"}, {"c": 0}, [("c", "insert", 1)]),
        (None, {"clinic": "c"}, {"c": 7}, [("c", "replace", 8)]),
        ({"clinic": "b"}, {"clinic": "c"}, {"c": 7}, [("c", "replace", 8)]),
        ({"clinic": "c"}, {"clinic": "c"}, {}, []),
        ({"clinic": "c"}, None, {}, []),
    ],
)
def test_only_who_enters_takes_the_parents_turn(before: Any, after: Any, turns: Any, taken: Any) -> None:
    companions = entering(PARENT, "p", before, after, turns)

    assert [(each.id, each.action, each.fields["turn"]) for each in companions] == taken


def test_an_unknown_parent_is_asked_for() -> None:
    with pytest.raises(UnknownParentError):
        entering(PARENT, "p", None, {"clinic": "c"}, {})
