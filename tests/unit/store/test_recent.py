"""Resources that were read lately."""

from service.model import Resource
from service.store import recent
from service.store.recent import Recent

MOMENT = "2026-01-02T03:04:05.000006Z"
LATER = "2026-01-02T03:04:05.000007Z"


def resource(resource_id: str = "a", version: int = 3, size: int = 2) -> Resource:
    return Resource(
        id=resource_id,
        type="clinic",
        version=version,
        text=b"{" + b" " * (size - 2) + b"}",
        created_at=MOMENT,
        updated_at=MOMENT,
        deleted=False,
    )


def test_a_resource_is_found_at_the_version_it_was_read_at() -> None:
    read = resource()
    held = Recent()
    held.put(read)

    assert held.find("a", 3, MOMENT) is read


def test_another_version_is_not_found() -> None:
    held = Recent()
    held.put(resource(version=3))

    assert held.find("a", 4, LATER) is None
    assert held.find("a", 3, LATER) is None  # the database was put back, and went another way


def test_a_newer_version_takes_the_place_of_the_older() -> None:
    held = Recent()
    held.put(resource(version=3))
    held.put(resource(version=4))

    assert held.find("a", 3, MOMENT) is None
    assert held.find("a", 4, MOMENT) == resource(version=4)


def test_what_was_asked_for_longest_ago_goes_first() -> None:
    held = Recent()
    size = recent._LARGEST_BYTES
    fitting = recent._MOST_BYTES // size
    for number in range(fitting):
        held.put(resource(str(number), size=size))
    held.find("0", 3, MOMENT)
    held.put(resource("one more", size=size))

    assert held.find("0", 3, MOMENT) is not None
    assert held.find("1", 3, MOMENT) is None


def test_what_is_too_large_is_not_kept_and_drops_what_was() -> None:
    held = Recent()
    held.put(resource(version=3))
    held.put(resource(version=4, size=recent._LARGEST_BYTES + 1))

    assert held.find("a", 4, MOMENT) is None
    assert held.find("a", 3, MOMENT) is None
