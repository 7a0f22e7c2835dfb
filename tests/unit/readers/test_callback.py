"""Callbacks under guard: what is judged when they are asked for, and how long that may take."""

import asyncio
from ipaddress import ip_address

import pytest

from service.errors import SourceForbiddenError
from service.readers.address import Address
from service.readers.callback import GuardedCallbacks
from service.readers.client import GuardedClient
from service.readers.guard import Guard


class HangingNames:
    """A name server that does not answer, unless for one name."""

    async def addresses(self, host: str) -> list[Address]:
        if host == "inside.example":
            return [ip_address("10.0.0.1")]
        await asyncio.Event().wait()
        raise AssertionError


async def test_a_name_server_that_hangs_does_not_hold_up_the_call_for_longer_than_a_source_may_take() -> None:
    callbacks = GuardedCallbacks(GuardedClient(Guard(), HangingNames()), timeout_s=0.05)

    async with asyncio.timeout(60):
        await callbacks.check("http://slow.example/")


async def test_a_host_that_is_not_public_is_refused() -> None:
    callbacks = GuardedCallbacks(GuardedClient(Guard(), HangingNames()), timeout_s=60.0)

    with pytest.raises(SourceForbiddenError):
        await callbacks.check("http://inside.example/")
