"""API keys as text: made, split, hashed. A key is shown once; what is stored cannot be turned back into it."""

import hashlib
import hmac
import secrets
from typing import NamedTuple

PREFIX = "pb"
_ID_BYTES = 8
_SECRET_BYTES = 32


class KeyText(NamedTuple):
    """A key as its holder has it: `pb_<id>_<secret>`."""

    id: str
    secret: str

    def __str__(self) -> str:
        return f"{PREFIX}_{self.id}_{self.secret}"


def generate() -> KeyText:
    """Make a key with 256 random bits; so many need no slow hash."""
    return KeyText(secrets.token_hex(_ID_BYTES), secrets.token_hex(_SECRET_BYTES))


def parse(text: str) -> KeyText | None:
    """Split a key; None when the text has not the form of one.

    >>> parse("pb_0011223344556677_ff")
    KeyText(id='0011223344556677', secret='ff')
    """
    parts = text.split("_")
    return KeyText(parts[1], parts[2]) if len(parts) == 3 and parts[0] == PREFIX and all(parts) else None


def digest(secret: str) -> str:
    """Return what is stored of a secret: its SHA-256 in hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()


def matches(secret: str, stored: str) -> bool:
    """Compare a secret with what is stored, in time that does not depend on where they differ."""
    return hmac.compare_digest(digest(secret), stored)
