"""What a job does, as data that can wait in a store: an assignment of the compare family, or a patch to compute."""

from typing import Literal

import msgspec

from service.core.assignment import AnyAssignment
from service.core.options import DiffOptions


class PatchWork(msgspec.Struct, frozen=True, kw_only=True, tag_field="operation", tag="patch"):
    """Compute the patch between the inputs `a` and `b`. The native core does this, so it is no assignment."""

    direction: Literal["aToB", "bToA"]
    options: DiffOptions


Work = AnyAssignment | PatchWork

_DECODER: msgspec.json.Decoder[Work] = msgspec.json.Decoder(Work)


def name_of(work: Work) -> str:
    """Return the name of what is done, which is that of the route too.

    >>> name_of(PatchWork(direction="aToB", options=DiffOptions()))
    'patch'
    """
    return str(work.__struct_config__.tag)


def encode_work(work: Work) -> bytes:
    """Write the work as JSON."""
    return msgspec.json.encode(work)


def decode_work(text: bytes) -> Work:
    """Read the work back; it is equal to what was written.

    >>> work = PatchWork(direction="aToB", options=DiffOptions(ignored_names=frozenset({"at"})))
    >>> decode_work(encode_work(work)) == work
    True
    """
    return _DECODER.decode(text)
