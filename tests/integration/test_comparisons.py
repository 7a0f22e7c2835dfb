import msgspec
import pytest

from service.model import Comparison, Fingerprint
from service.store.comparisons import MongoComparisons
from service.store.mongo import Database


def comparison_with(patch: bytes, identity: str) -> Comparison:
    return Comparison(
        id=identity,
        a=Fingerprint("aa", 1),
        b=Fingerprint("bb", 2),
        patch_direction="bToA",
        options=msgspec.Raw(b'{"dxConfig": []}'),
        patch=msgspec.Raw(patch),
        exact=True,
        created_by="ann",
        created_at="2026-02-03T04:05:06.789012Z",
    )


@pytest.mark.parametrize("size", [0, 8 * 1024 * 1024, 20 * 1024 * 1024], ids=["small", "two parts", "three parts"])
async def test_comparison_is_found_as_it_was_kept(database: Database, size: int) -> None:
    comparisons = MongoComparisons(database)
    kept = comparison_with(b'[{"op":"add","path":"/x","value":"%s"}]' % (b"x" * size), f"kept-{size}")

    await comparisons.insert(kept)

    assert await comparisons.find(kept.id) == kept


async def test_unknown_comparison_is_none(database: Database) -> None:
    assert await MongoComparisons(database).find("never") is None
