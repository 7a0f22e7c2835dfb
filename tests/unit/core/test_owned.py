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


def test_every_changed_or_missing_member_is_reported() -> None:
    with pytest.raises(ImmutablePropertyError) as caught:
        owned.take_off({"id": "2", "createdAt": "t"}, OWN, all_present=True)

    assert [each.pointer for each in caught.value.violations] == ["/id", "/updatedAt"]


def test_members_that_are_not_known_yet_cannot_be_sent() -> None:
    with pytest.raises(ImmutablePropertyError):
        owned.take_off({"createdAt": "t"}, {"id": "1"}, all_present=False)


def test_computed_members_are_refused() -> None:
    with pytest.raises(ImmutablePropertyError):
        owned.refuse_computed({"practices": []}, frozenset({"practices"}))
