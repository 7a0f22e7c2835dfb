"""Ids of list items."""

from typing import Any

from service.core.identified import DEFAULT_LISTS, missing_ids
from service.core.patch import apply


def test_only_items_without_an_id_are_given_one() -> None:
    document: dict[str, Any] = {
        "phone": [{"value": "1"}, {"id": "kept"}, {"id": None}, "text"],
        "email": "not a list",
        "openingHours": [{"day": "mon"}],
    }

    apply(document, list(missing_ids(document, DEFAULT_LISTS, lambda: "7")))

    assert document["phone"] == [{"value": "1", "id": "phone-7"}, {"id": "kept"}, {"id": None}, "text"]
    assert document["openingHours"] == [{"day": "mon"}]


def test_names_are_escaped_in_paths() -> None:
    document: dict[str, Any] = {"a/b": [{}]}

    apply(document, list(missing_ids(document, ["a/b"], lambda: "7")))

    assert document == {"a/b": [{"id": "a/b-7"}]}
