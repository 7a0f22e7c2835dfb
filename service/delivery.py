"""The values of delivery: providers who carry patches out, and what is on its way to them."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from service.model import Timestamp

Mode = Literal["structured", "binary"]
DeliveryState = Literal["waiting", "delivered", "dead", "superseded"]
ProviderName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}\Z")]
BUILTIN = "builtin"
NO_LONGER_AWAITED = "The application no longer waits for the provider."
"""Why a delivery is superseded."""


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A provider, who carries patches out, and where it listens. Two secrets live while one replaces the other.

    Events are signed with each. `disabled_at` is set when the provider answers 410; writing it anew enables it.
    """

    name: str
    url: str
    secrets: tuple[str, ...]
    timeout_s: float = 15.0
    deadline_s: float = 86400.0
    mode: Mode = "structured"
    updated_at: Timestamp
    disabled_at: Timestamp | None = None


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """An event for a provider (CloudEvents 1.0). `data` is JSON; `source` and `subject` name patch and application."""

    id: str
    type: str
    source: str
    subject: str
    time: Timestamp
    data: msgspec.Raw


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A notice on its way. `due_at` is when it is tried next; `attempt` is that of the application it tells of."""

    notice: Notice
    provider: str
    application_id: str
    resource_id: str
    attempt: int
    state: DeliveryState = "waiting"
    tries: int = 0
    due_at: Timestamp
    created_at: Timestamp
    ended_at: Timestamp | None = None
    status: int | None = None
    error: str | None = None


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What came of sending: the status of the answer, or why there is none. Only 2xx is success."""

    status: int | None = None
    error: str | None = None
    retry_after_s: float | None = None

    @property
    def is_success(self) -> bool:
        """Whether the provider took the event."""
        return self.status is not None and 200 <= self.status < 300


class Confirmation(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider must show to confirm one attempt, and, once it did, a digest of what it said.

    `digest` is the SHA-256 of the token, which goes out with the event and is kept nowhere else.
    """

    application_id: str
    resource_id: str
    attempt: int
    digest: str
    said: str | None = None
