"""What is known about types is kept, and read anew when something changed."""

import pytest

from service.errors import StoreUnavailableError
from service.usecases.catalog import TypeCatalog


class HandClock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class DictTypes:
    """Definitions in a dict; `reads` counts how often all were read."""

    def __init__(self) -> None:
        self.texts: dict[str, bytes] = {}
        self.count = 0
        self.reads = 0

    async def read_count(self) -> int:
        return self.count

    async def read_all(self) -> dict[str, bytes]:
        self.reads += 1
        return dict(self.texts)

    async def put(self, name: str, definition: bytes, *, since: int | None = None) -> bool | None:
        assert since in (None, self.count)
        is_new = name not in self.texts
        self.texts[name] = definition
        self.count += 1
        return is_new

    async def delete(self, name: str) -> bool:
        self.count += 1
        return self.texts.pop(name, None) is not None


async def test_definitions_are_read_again_only_when_something_changed() -> None:
    store, clock = DictTypes(), HandClock()
    catalog = TypeCatalog(store, clock)
    await store.put("a", b'{"schema": {"required": ["x"]}}')

    first = await catalog.find("a")
    clock.seconds += 5
    second = await catalog.find("a")
    await store.put("b", b"{}")
    clock.seconds += 5
    third = await catalog.find("a")

    assert first.schema is not None
    assert first.schema is second.schema is third.schema, "it is compiled once"
    assert store.reads == 2
    assert [each.name for each in await catalog.list_defined()] == ["a", "b"]


async def test_a_change_is_seen_after_a_second_or_when_told() -> None:
    store, clock = DictTypes(), HandClock()
    catalog = TypeCatalog(store, clock)
    assert not (await catalog.find("a")).is_defined
    await store.put("a", b"{}")

    before = await catalog.find("a")
    clock.seconds += 1
    after = await catalog.find("a")
    await store.delete("a")
    catalog.forget()
    told = await catalog.find("a")

    assert (before.is_defined, after.is_defined, told.is_defined) == (False, True, False)


@pytest.mark.parametrize("text", [b'{"new": 1}', b'{"schema": {"type": "future"}}'])
async def test_a_definition_of_another_release_stops_its_own_type_only(text: bytes) -> None:
    store = DictTypes()
    await store.put("a", b'{"indexes": ["x"]}')
    await store.put("b", text)
    catalog = TypeCatalog(store, HandClock())

    assert (await catalog.find("a")).definition.indexes == ("x",)
    with pytest.raises(StoreUnavailableError):
        await catalog.find("b")


async def test_contained_types_are_known_of_parents_with_and_without_definition() -> None:
    store = DictTypes()
    for name, parent in (("c", "defined"), ("d", "plain")):
        await store.put(name, b'{"parent": {"type": "%s", "property": "up", "as": "below"}}' % parent.encode())
    await store.put("defined", b"{}")
    catalog = TypeCatalog(store, HandClock())

    assert [each.type for each in (await catalog.find("defined")).contained] == ["c"]
    assert [each.type for each in (await catalog.find("plain")).contained] == ["d"]
    assert (await catalog.find("plain")).seen_by(frozenset({"plain"})).contained == ()
