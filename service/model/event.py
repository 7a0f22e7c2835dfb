"""What the feed tells."""

from typing import Annotated

import msgspec
from msgspec import Meta

from service.model.moment import Timestamp


class Event(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Something that became of a resource (`resource.*`, with its `version`) or of a patch (`patch.*`).

    `position` is its place in the feed; events of one resource stand in the order in which they happened.
    """

    position: Annotated[int, Meta(extra_json_schema={"format": "int64"})]
    type: str
    resource_id: str
    at: Timestamp
    by: str
    resource_type: str | None = None
    version: int | None = None
    patch_id: str | None = None
    application_id: str | None = None
    target_id: str | None = None
    attempt: int | None = None
    source: str | None = msgspec.field(default=None, name="from")
    to: str | None = None
    why: str | None = None
