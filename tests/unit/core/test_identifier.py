"""Identifiers: what is claimed, and how a reference may be read."""

from typing import Any

import pytest

from service.core.identifier import Identifier, claims, readings


@pytest.mark.parametrize(
    ("member", "claimed"),
    [
        ([{"system": "a", "value": "1"}], {Identifier("1", "a")}),
        ([{"value": "1"}, {"system": None, "value": "1"}, {"system": "", "value": "1"}], {Identifier("1")}),
        (
            [{"system": "a", "value": "1", "use": "old"}, {"system": "b", "value": "1"}],
            {Identifier("1", "a"), Identifier("1", "b")},
        ),
        ([{"system": 5, "value": "1"}, {"value": 1}, "x", None, {}], set()),
        ({"system": "a", "value": "1"}, set()),
        (None, set()),
    ],
)
def test_well_formed_items_claim(member: Any, claimed: set[Identifier]) -> None:
    assert claims({"identifier": member}) == claimed


def test_a_reference_is_read_in_every_way() -> None:
    assert list(readings("a|b|c")) == ["a|b|c", Identifier("b|c", "a"), Identifier("c", "a|b")]
