"""Calls that may come twice: what a caller's idempotency key stands for."""

import hashlib
import uuid

from service.model import Caller


def id_of(caller: Caller, key: str | None) -> str:
    """Make the id of what a call makes: always the same for a key of that caller, a new one without a key."""
    if key is None:
        return str(uuid.uuid4())
    return str(uuid.UUID(hex=digest(caller.name.encode(), key.encode())[:32], version=4))


def digest(*parts: bytes) -> str:
    """Return the SHA-256 of the parts in hexadecimal; no other way to cut them gives the same."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8, "big") + part)
    return whole.hexdigest()
