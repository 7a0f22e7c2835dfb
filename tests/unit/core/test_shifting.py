import random

import pytest

from service.core.diff import diff
from service.core.options import ArrayRule, DiffOptions, Scoped
from tests.unit.core import applier

KEYED_WITH_MOVES = DiffOptions(arrays=(ArrayRule("keyed", keys=("id",)),), moves=(Scoped(enabled=True),))


@pytest.mark.parametrize("seed", range(300))
def test_every_order_is_reached_with_additions_and_removals_between(seed: int) -> None:
    generator = random.Random(seed)
    ids = range(generator.randrange(2, 30))
    before, after = (
        [{"id": place} for place in generator.sample(ids, generator.randrange(len(ids) + 1))] for _ in range(2)
    )

    patch = diff(before, after, KEYED_WITH_MOVES)

    assert applier.apply(before, patch) == after
    known = {item["id"] for item in before}
    assert all(each["op"] != "add" or each["value"]["id"] not in known for each in patch)
