"""Delivery to providers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from service.delivery import Confirmation, Delivery, DeliveryState, Endpoint, Notice, Sent
from service.model import Companion


class EndpointStore(Protocol):
    """Keeps providers."""

    async def put(self, provider: Endpoint, before: Endpoint | None) -> bool:
        """Keep a provider in place of one that was read, None for none; False when that is not what is there."""
        ...

    async def find(self, name: str) -> Endpoint | None:
        """Return the provider, or None when there is none of that name."""
        ...

    async def list_after(self, name: str, limit: int) -> list[Endpoint]:
        """Return providers in the order of their names, those after `name`."""
        ...

    async def disable(self, provider: Endpoint, at: str) -> None:
        """Send it nothing more, unless it was written anew since it was read."""
        ...

    async def delete(self, name: str) -> bool:
        """Forget a provider; return whether there was one."""
        ...


class ConfirmationStore(Protocol):
    """Keeps what a provider must show to confirm an attempt, and what it confirmed."""

    def expecting(self, confirmation: Confirmation) -> Companion:
        """Say how a confirmation to come is written together with the dispatch."""
        ...

    def given(self, confirmation: Confirmation) -> Companion:
        """Say how a confirmation is written together with what it brings about, once."""
        ...

    async def find(self, application_id: str, attempt: int) -> Confirmation | None:
        """Return the confirmation of an attempt, to come or given."""
        ...


class OutboxStore(Protocol):
    """Keeps what is on its way to providers."""

    def insertion(self, delivery: Delivery) -> Companion:
        """Say how a delivery is written together with the move that it tells of."""
        ...

    async def claim(self, now: str, until: str, besides: Sequence[str]) -> Delivery | None:
        """Lease the delivery that has been due for longest, `besides` what is for certain providers.

        None when none is due. Of one application only the newest attempt still waits for its provider: what is left of
        those before is ended, and while one of them is being sent the newest is not due.
        """
        ...

    async def renew(self, notice_id: str, held: str, until: str) -> bool:
        """Go on holding a lease; False when it ran out and somebody else has it."""
        ...

    async def settle(self, delivery: Delivery, until: str) -> bool:
        """Keep what came of trying a leased delivery; False when the lease ran out and somebody else has it."""
        ...

    async def replay(self, notice_id: str, now: str) -> bool:
        """Try a dead delivery anew; False when there is no dead one of that id."""
        ...

    async def replay_all(self, provider: str, now: str) -> int:
        """Try all dead deliveries of a provider anew; return how many."""
        ...

    async def count_dead(self, provider: str) -> int:
        """Return how many deliveries to the provider are dead."""
        ...

    async def find(self, notice_id: str) -> Delivery | None:
        """Return the delivery, or None when there is none of that id."""
        ...

    async def list_newest(
        self, provider: str | None, state: DeliveryState | None, after: tuple[str, str] | None, limit: int
    ) -> list[Delivery]:
        """Return deliveries, newest first, those after (`created_at`, `id`), without the data of their notices."""
        ...

    async def backlog(self) -> tuple[int, str | None]:
        """Return how many deliveries wait, and since when the oldest does."""
        ...

    async def is_awaited(self, provider: str) -> bool:
        """Return whether something waits to be sent to the provider that an application still waits for."""
        ...


class Sender(Protocol):
    """Sends one notice to one provider, once."""

    async def send(self, provider: Endpoint, notice: Notice, now: datetime) -> Sent:
        """Send and return what came of it; whatever the network does is an outcome, not an error."""
        ...
