"""Server-owned members: shown, accepted unchanged, refused otherwise."""

import json
from typing import Any

import pytest

from service.core import owned
from service.errors import ImmutablePropertyError

OWN = {"id": "1", "createdAt": "t", "updatedAt": "u"}


@pytest.mark.parametrize("content", [{}, {"name": "x"}])
def test_text_and_value_show_the_same(content: dict[str, Any]) -> None:
    text = owned.show_text(json.dumps(content).encode(), OWN, {})

    assert list(json.loads(text).items()) == list(owned.show(content, OWN).items())


def test_computed_members_follow_the_content() -> None:
    text = owned.show_text(b'{"name":"x"}', OWN, {"practices": b"[]"})

    assert list(json.loads(text)) == ["id", "name", "practices", "createdAt", "updatedAt"]


def test_unchanged_members_are_taken_off() -> None:
    assert owned.take_off({"id": "1", "a": 1, "updatedAt": "u"}, OWN, all_present=False) == {"a": 1}


@pytest.mark.parametrize(
    "spelling", ["2026-01-02T03:04:05.120000Z", "2026-01-02T03:04:05.12+00:00", "2026-01-02T05:04:05.12+02:00"]
)
def test_a_time_in_another_spelling_is_unchanged(spelling: str) -> None:
    own = {**OWN, "updatedAt": "2026-01-02T03:04:05.120000Z"}

    assert owned.take_off({"updatedAt": spelling}, own, all_present=False) == {}


@pytest.mark.parametrize("other", ["2026-01-02T03:04:05.121Z", "2026-01-02T03:04:05.12", "soon", 5, None])
def test_another_time_is_a_change(other: Any) -> None:
    own = {**OWN, "updatedAt": "2026-01-02T03:04:05.120000Z"}

    with pytest.raises(ImmutablePropertyError):
        owned.take_off({"updatedAt": other}, own, all_present=False)


def test_an_id_that_reads_as_a_time_is_a_text() -> None:
    own = {**OWN, "id": "2026-01-02T03:04:05Z"}

    with pytest.raises(ImmutablePropertyError):
        owned.take_off({"id": "2026-01-02T03:04:05+00:00"}, own, all_present=False)


def test_every_changed_or_missing_member_is_reported() -> None:
    with pytest.raises(ImmutablePropertyError) as caught:
        owned.take_off({"id": "2", "createdAt": "t"}, OWN, all_present=True)

    assert [each.pointer for each in caught.value.violations] == ["/id", "/updatedAt"]


def test_members_that_are_not_known_yet_cannot_be_sent() -> None:
    with pytest.raises(ImmutablePropertyError):
        owned.take_off({"createdAt": "t"}, {"id": "1"}, all_present=False)


def test_computed_members_are_refused() -> None:
    with pytest.raises(ImmutablePropertyError):
        owned.refuse_computed({"practices": []}, frozenset({"practices"}), {})
