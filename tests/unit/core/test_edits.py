import json
from typing import Any

import pytest
from hypothesis import given

from service.core import edits
from service.core.comparison import Comparison
from service.core.edits import Edit
from service.core.options import DiffOptions, Scoped
from service.core.prune import Pruning
from tests.unit.core.documents import pairs


@pytest.mark.parametrize("options", [DiffOptions(), DiffOptions(invertible=(Scoped(enabled=True),))])
@given(pairs())
def test_the_size_of_a_shortened_tree_is_that_of_its_operations(options: DiffOptions, pair: tuple[Any, Any]) -> None:
    whole = Comparison(options, Pruning(options)).compare(*pair)

    size = whole.shorten()

    operations = whole.operations()
    assert size == (edits.encoded_size(operations) - 1 if operations else 0)


@given(pairs())
def test_the_size_of_a_container_is_known_without_encoding_it_whole(pair: tuple[Any, Any]) -> None:
    whole = Comparison(DiffOptions(), Pruning(DiffOptions())).compare(*pair)

    for part in whole.parts:
        if isinstance(part, Edit):
            assert part.size() == len(json.dumps(part.after, separators=(",", ":"), ensure_ascii=False).encode()) or (
                "e+" in json.dumps(part.after)
            )


def test_a_fixed_container_is_never_replaced() -> None:
    edit = Edit("/a", {"x": 1, "y": 1}, {"x": 2, "y": 2}, is_fixed=True)
    edit.parts.extend(
        [*edits.replace("/a/x", 1, 2, is_invertible=False), *edits.replace("/a/y", 1, 2, is_invertible=False)]
    )

    edit.shorten()

    assert [each["path"] for each in edit.operations()] == ["/a/x", "/a/y"]
