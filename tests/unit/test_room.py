import pytest

from service.errors import OverloadedError
from service.room import Room


def test_shares_have_the_room_together() -> None:
    room = Room(10)
    one, two = room.share(), room.share()
    one.take(6)

    with pytest.raises(OverloadedError) as caught:
        two.take(5)

    assert caught.value.retry_after_s


def test_what_a_share_held_is_free_when_it_closes_and_no_sooner_counted_twice() -> None:
    room = Room(10)
    one = room.share()
    one.take(10)
    one.close()
    one.close()

    two = room.share()
    two.take(5)
    with pytest.raises(OverloadedError):
        room.share().take(6)


def test_a_closed_share_takes_nothing() -> None:
    """A thread that still reads for a request that is over must not leave anything behind."""
    room = Room(10)
    one = room.share()
    one.close()

    with pytest.raises(OverloadedError):
        one.take(1)

    room.share().take(10)
    with pytest.raises(OverloadedError):
        room.share().take(1)


def test_of_two_that_grow_together_one_comes_to_its_end() -> None:
    room = Room(10)
    one, two = room.share(), room.share()
    one.take(5)
    two.take(5)

    with pytest.raises(OverloadedError):
        one.take(1)

    two.take(1)


def test_what_is_added_is_counted_and_never_refused() -> None:
    room = Room(10)
    job = room.share()
    job.add(50)

    with pytest.raises(OverloadedError):
        room.share().take(1)
    job.close()

    room.share().take(10)
