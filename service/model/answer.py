"""Answers that are kept to be given again."""

from collections.abc import Mapping

import msgspec


class Answer(msgspec.Struct, frozen=True):
    """An answer as it went out, kept to be given again to a request that comes twice."""

    status: int
    headers: Mapping[str, str]
    body: bytes
