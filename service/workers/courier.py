"""The courier: takes what is due from the outbox and sends it, at least once, never two of an application at once."""

import asyncio
import contextlib
from datetime import datetime, timedelta

import msgspec

from service.core.schedule import wait_before
from service.core.timestamp import format_timestamp
from service.delivery import NO_LONGER_AWAITED, Delivery, DeliveryState, Sent
from service.errors import StoreError
from service.ports import ApplicationStates, Clock, EndpointStore, OutboxStore, Sender
from service.tasks import end, running, to_its_end
from service.workers.background import forever
from service.workers.calm import Calm
from service.workers.under_way import UnderWay

_AT_ONCE = 32
_TO_EACH = 8
"""Of those so many to one provider: one that hangs does not hold up the others."""
_GONE = 410
_LEASE_S = 15.0
_RENEW_S = 4.0


class Courier:
    """Delivers; any number of instances may, each takes what no other has leased. `calm` is stirred for what is new."""

    def __init__(
        self,
        outbox: OutboxStore,
        providers: EndpointStore,
        applications: ApplicationStates,
        sender: Sender,
        clock: Clock,
        calm: Calm,
    ) -> None:
        self._outbox = outbox
        self._providers = providers
        self._applications = applications
        self._sender = sender
        self._clock = clock
        self._calm = calm
        self.under_way = UnderWay(_AT_ONCE, _TO_EACH, self._note_end)
        """The deliveries that are being sent, each with its provider."""
        self._failures: list[Exception] = []

    async def run(self) -> None:
        """Deliver until cancelled; what is under way then is given back, and tried again by who comes next."""
        try:
            await forever("deliveries", self._round)
        finally:
            await end(*self.under_way.tasks)

    async def _round(self) -> float:
        if await self.begin_next():
            self._calm.stir()
        else:
            await self._calm.rest()
        return 0.0

    async def begin_next(self) -> bool:
        """Begin the next delivery that is due, when there is a place for it; False when there is none."""
        await self.under_way.wait_for_place()
        if self._failures:  # what made several fail calls for one pause, not for one after the other
            failure = self._failures[0]
            self._failures.clear()
            raise failure
        # A cancellation does not stop the database: what it gives out is begun, and given back at the end.
        return await to_its_end(self._begin_claimed())

    async def _begin_claimed(self) -> bool:
        now, hold = self._clock.now(), _Hold(self._outbox, self._clock)
        delivery = await self._outbox.claim(format_timestamp(now), hold.until, self.under_way.full())
        if delivery is None:
            return False
        self.under_way.begin(delivery.provider, self._deliver(delivery, hold, now))
        return True

    def _note_end(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and isinstance(failure := task.exception(), Exception):
            self._failures.append(failure)
        self._calm.stir()

    async def _deliver(self, delivery: Delivery, hold: "_Hold", now: datetime) -> None:
        try:
            async with running(hold.keep(delivery.notice.id)):
                settled = await self._try(delivery, now)
        except asyncio.CancelledError:
            with contextlib.suppress(StoreError):  # its lease runs out
                await self._outbox.settle(delivery, hold.until)
            raise
        await self._outbox.settle(settled, hold.until)

    async def _try(self, delivery: Delivery, now: datetime) -> Delivery:
        if not await self._applications.is_dispatched(delivery.resource_id, delivery.application_id, delivery.attempt):
            return _ended(delivery, "superseded", now, error=NO_LONGER_AWAITED)
        provider = await self._providers.find(delivery.provider)
        if provider is None or provider.disabled_at is not None:
            return _ended(delivery, "dead", now, error="The provider was deleted or is disabled.")
        sent = await self._sender.send(provider, delivery.notice, now)
        if sent.status == _GONE:
            await self._providers.disable(provider, format_timestamp(now))
        return after(delivery, sent, self._clock.now())


class _Hold:
    """The lease of one delivery, renewed while it is being sent."""

    def __init__(self, outbox: OutboxStore, clock: Clock) -> None:
        self._outbox = outbox
        self._clock = clock
        self.until = self._next()

    def _next(self) -> str:
        return format_timestamp(self._clock.now() + timedelta(seconds=_LEASE_S))

    async def keep(self, notice_id: str) -> None:
        """Renew until cancelled."""
        while True:
            await asyncio.sleep(_RENEW_S)
            until = self._next()
            with contextlib.suppress(StoreError):  # the lease may outlast the trouble
                if await self._outbox.renew(notice_id, self.until, until):
                    self.until = until


def after(delivery: Delivery, sent: Sent, now: datetime) -> Delivery:
    """Return the delivery after a try: delivered, due again, or dead after the last one or a 410."""
    delivery = msgspec.structs.replace(delivery, tries=delivery.tries + 1, status=sent.status, error=sent.error)
    if sent.is_success:
        return _ended(delivery, "delivered", now)
    wait_s = None if sent.status == _GONE else wait_before(delivery.tries, delivery.notice.id, sent.retry_after_s)
    if wait_s is None:
        return _ended(delivery, "dead", now, error=sent.error)
    return msgspec.structs.replace(delivery, due_at=format_timestamp(now + timedelta(seconds=wait_s)))


def _ended(delivery: Delivery, state: DeliveryState, now: datetime, *, error: str | None = None) -> Delivery:
    return msgspec.structs.replace(delivery, state=state, ended_at=format_timestamp(now), error=error)
