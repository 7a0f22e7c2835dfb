"""What others do to types without a grant changes no answer: the same requests, with it and without."""

import random
import re
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from service.app import create_app
from service.settings import Settings
from tests.api.patches import fresh_type
from tests.api.test_grants import make_key

Client = TestClient[web.Request, web.Application]
Answer = tuple[str, int, str]

_STEPS = 60
_IDS = 4
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SUM = re.compile(r"-revert-[0-9a-f]{8}")
_CURSOR = re.compile(r"cursor=[\w-]+")
_REQUEST_ID = re.compile(r'"requestId":"[^"]*"')
PAYLOADS = [{"merge": {"n": 1}}, {"operations": [{"op": "test", "path": "/n", "value": 2}]}, {}]
VERBS = ("apply", "apply", "retry", "cancel", "revert", "check")


class World:
    """Resources of a type that the caller has a grant for, and of two that they have none for, one contained in it."""

    def __init__(self, client: Client, seed: int) -> None:
        self.client = client
        self.seen, self.hidden, self.below = fresh_type(), fresh_type(), fresh_type()
        self.mine, self.theirs = random.Random(seed), random.Random(seed)
        self.admin: dict[str, str] = {}
        self.caller: dict[str, str] = {}
        self.answers: list[Answer] = []
        self._uuids: dict[str, str] = {}

    async def prepare(self) -> None:
        self.admin, self.caller = (
            await make_key(self.client, "admin"),
            await make_key(self.client, "admin", (self.seen,)),
        )
        await self.other(
            "PUT", f"/types/{self.below}", {"parent": {"type": self.seen, "property": "up", "as": "below"}}
        )
        for number in range(_IDS):
            await self.other("PUT", f"/v1/{self.seen}/{self.seen}-{number}", {"n": number}, {"If-None-Match": "*"})
            await self.other("PUT", f"/v1/{self.hidden}/{self.hidden}-{number}", {"n": 2}, {"If-None-Match": "*"})
            body = {"definition": {"patch_id": "p", "payload": PAYLOADS[number % len(PAYLOADS)]}}
            await self.other("POST", f"/resources/{self.seen}-{number}/patches", body)

    async def other(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> None:
        answer = await self.client.request(method, path, json=body, headers={**self.admin, **(headers or {})})
        assert answer.status < 500, await answer.text()

    async def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> None:
        """Send a request of the caller, and keep its answer without what no two answers share."""
        answer = await self.client.request(method, path, json=body, headers={**self.caller, **(headers or {})})
        told = f"{answer.headers.get('ETag')} {answer.headers.get('Link')} {await answer.text()}"
        for pattern, name in ((_TIME, "TIME"), (_SUM, "-revert"), (_CURSOR, "CURSOR"), (_REQUEST_ID, "ID")):
            told = pattern.sub(name, told)
        told = _UUID.sub(lambda match: self._uuids.setdefault(match[0], f"uuid {len(self._uuids)}"), told)
        self.answers.append(
            (f"{method} {path}".replace(self.seen, "SEEN"), answer.status, told.replace(self.seen, "SEEN"))
        )

    async def meddle(self) -> None:
        """Let somebody else do something that the caller is not to notice."""
        chosen = self.theirs
        hidden, seen = (f"{each}-{chosen.randrange(_IDS)}" for each in (self.hidden, self.seen))
        patch = f"/resources/{seen}/patches/p"
        await chosen.choice(
            (
                lambda: self.other("PATCH", f"/v1/{self.hidden}/{hidden}", [{"op": "add", "path": "n", "value": 1}]),
                lambda: self.other("DELETE", f"/v1/{self.hidden}/{hidden}"),
                lambda: self.other("POST", f"/v1/{self.hidden}/{hidden}/revert", {"version": 1}),
                lambda: self.other("POST", f"/v1/{self.below}", {"up": seen}),
                lambda: self.other("POST", f"{patch}/{chosen.choice(VERBS)}", {"target_id": hidden}),
                lambda: self.other("POST", f"{patch}/rollouts", {"type": self.hidden}),
            )
        )()

    async def step(self) -> None:
        """Let the caller do or read something."""
        chosen = self.mine
        seen, target = (f"{self.seen}-{chosen.randrange(_IDS)}" for _ in range(2))
        resource, patch = f"/v1/{self.seen}/{seen}", f"/resources/{seen}/patches/p"
        part = chosen.choice(("", "/applications", "/events", "/rollouts", "/eligible"))
        await chosen.choice(
            (
                lambda: self.ask("PUT", resource, {"n": chosen.randrange(4)}),
                lambda: self.ask("PATCH", resource, [{"op": "add", "path": "n", "value": chosen.randrange(4)}]),
                lambda: self.ask("POST", f"{resource}/revert", {"version": 1}),
                lambda: self.ask("GET", resource, headers={"If-None-Match": '"2"'}),
                lambda: self.ask("GET", f"{resource}/history?limit=2"),
                lambda: self.ask("GET", f"/v1/{self.seen}?sort=-n&limit=2"),
                lambda: self.ask("GET", f"/resources/{seen}"),
                lambda: self.ask("GET", f"/resources/{seen}/patches?status={chosen.choice(('pending', 'failed'))}"),
                lambda: self.ask("GET", f"{patch}{part}"),
                lambda: self.ask("POST", f"{patch}/{chosen.choice(VERBS)}", chosen.choice(({}, {"target_id": target}))),
                lambda: self.ask("GET", "/types"),
            )
        )()


@pytest.mark.parametrize("seed", range(4))
async def test_what_is_done_to_types_without_a_grant_changes_no_answer(
    aiohttp_client: Callable[..., Awaitable[Client]], settings: Settings, seed: int
) -> None:
    client = await aiohttp_client(create_app(msgspec.structs.replace(settings, auth="keys")))
    quiet, busy = World(client, seed), World(client, seed)

    for world in (quiet, busy):
        await world.prepare()
        for _ in range(_STEPS):
            await world.step()
            if world is busy:
                await world.meddle()

    assert busy.answers == quiet.answers
