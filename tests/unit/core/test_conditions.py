"""Conditions on versions."""

import pytest

from service.core.conditions import Conditions, Tags
from service.errors import VersionConflictError

ANY = Tags(any=True)
TWO = Tags(versions=frozenset({2}))


@pytest.mark.parametrize(
    ("conditions", "version"),
    [
        (Conditions(), None),
        (Conditions(if_match=ANY), 1),
        (Conditions(if_match=TWO), 2),
        (Conditions(if_none_match=ANY), None),
        (Conditions(if_none_match=TWO), 3),
    ],
)
def test_what_holds_passes(conditions: Conditions, version: int | None) -> None:
    conditions.check(version)


@pytest.mark.parametrize(
    ("conditions", "version"),
    [
        (Conditions(if_match=ANY), None),
        (Conditions(if_match=TWO), 3),
        (Conditions(if_match=Tags()), 3),
        (Conditions(if_none_match=ANY), 1),
        (Conditions(if_none_match=TWO), 2),
    ],
)
def test_what_does_not_hold_says_which_version_stands(conditions: Conditions, version: int | None) -> None:
    with pytest.raises(VersionConflictError) as caught:
        conditions.check(version)

    assert caught.value.current == version
