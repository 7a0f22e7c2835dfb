"""Deliveries to providers: looked at, and the dead ones tried anew. The courier (`workers.courier`) makes them."""

import msgspec

from service.core.timestamp import format_timestamp
from service.delivery import Delivery, DeliveryState
from service.errors import InvalidTransitionError, NotFoundError
from service.ports import Clock, EndpointStore, OutboxStore
from service.usecases import providing


async def list_newest(
    provider: str | None,
    state: DeliveryState | None,
    after: tuple[str, str] | None,
    limit: int,
    outbox: OutboxStore,
) -> list[Delivery]:
    """Return deliveries, newest first."""
    return await outbox.list_newest(provider, state, after, limit)


async def find(notice_id: str, outbox: OutboxStore) -> Delivery:
    """Return a delivery; raise `NotFoundError` when there is none of that id."""
    delivery = await outbox.find(notice_id)
    if delivery is None:
        raise NotFoundError("There is no delivery with this id; GET /deliveries lists those there are.")
    return delivery


async def replay(notice_id: str, *, outbox: OutboxStore, clock: Clock, dry_run: bool = False) -> Delivery:
    """Try a dead delivery anew; raise `InvalidTransitionError` when it is not dead."""
    delivery = await find(notice_id, outbox)
    now = format_timestamp(clock.now())
    if delivery.state != "dead" or not (dry_run or await outbox.replay(notice_id, now)):
        raise InvalidTransitionError(f"The delivery is {delivery.state}; only a dead one can be replayed.")
    return msgspec.structs.replace(delivery, state="waiting", tries=0, due_at=now, ended_at=None)


async def replay_all(
    name: str, *, store: EndpointStore, outbox: OutboxStore, clock: Clock, dry_run: bool = False
) -> int:
    """Try all dead deliveries of a provider anew; return how many."""
    await providing.find(name, store)
    if dry_run:
        return await outbox.count_dead(name)
    return await outbox.replay_all(name, format_timestamp(clock.now()))
