"""Changes that are long work: whoever asks for something else meanwhile is answered."""

import asyncio
import io
import json
import time
from collections.abc import Awaitable
from typing import Any

from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient

Client = TestClient[web.Request, web.Application]
JSON = {"Content-Type": "application/json"}
JSON_PATCH = {"Content-Type": "application/json-patch+json", "Prefer": "return=minimal"}
AT_THE_HEAD = [{"op": "add", "path": "/list/0", "value": 1}] * 8_000


async def longest_wait(client: Client, work: Awaitable[ClientResponse]) -> tuple[float, float]:
    """Do the work while asking for little again and again; return the longest time without an answer, and its own."""
    task = asyncio.ensure_future(work)
    began = answered = time.monotonic()
    longest = 0.0
    while not task.done():
        await asyncio.sleep(0.01)
        assert (await client.get("/healthz")).status == 200
        last, answered = answered, time.monotonic()
        longest = max(longest, answered - last)
    response = await task
    assert response.status == 204, await response.text()
    return longest, time.monotonic() - began


def large(body: Any) -> Any:
    """Give a body in the form in which the client takes large ones."""
    return io.BytesIO(json.dumps(body).encode())


async def make(client: Client, **content: Any) -> str:
    created = await client.post("/v1/clinic", data=large({"name": "Foot clinic", **content}), headers=JSON)
    assert created.status == 201
    return created.headers["Location"]


async def test_others_are_answered_while_many_operations_change_a_large_resource(client: Client) -> None:
    location = await make(client, list=[0] * 500_000)

    longest, whole = await longest_wait(client, client.patch(location, json=AT_THE_HEAD, headers=JSON_PATCH))

    assert longest < whole / 2
    assert (await (await client.get(location)).json())["list"] == [1] * 8_000 + [0] * 500_000


async def test_others_are_answered_while_a_resource_goes_back_over_many_operations(client: Client) -> None:
    location = await make(client, list=[0] * 500_000)
    assert (await client.patch(location, json=AT_THE_HEAD, headers=JSON_PATCH)).status == 204

    back = client.post(f"{location}/revert", json={"version": 1}, headers={"Prefer": "return=minimal"})
    longest, whole = await longest_wait(client, back)

    assert longest < whole / 2
    assert (await (await client.get(location)).json())["list"] == [0] * 500_000


async def test_others_are_answered_while_the_items_of_a_large_document_get_ids(client: Client) -> None:
    clinic = {"name": "Foot clinic", "phone": [{"value": str(number)} for number in range(60_000)]}

    longest, whole = await longest_wait(
        client, client.post("/v1/clinic", data=large(clinic), headers={**JSON, "Prefer": "return=minimal"})
    )

    assert longest < whole / 2


async def test_a_history_of_large_patches_comes_in_small_pages(client: Client) -> None:
    location = await make(client, text="")
    for letter in "abcd":
        large_change = large([{"op": "replace", "path": "/text", "value": letter * 12_000_000}])
        assert (await client.patch(location, data=large_change, headers=JSON_PATCH)).status == 204

    versions = []
    page = await client.get(f"{location}/history?limit=500")
    while True:
        versions.append([each["version"] for each in await page.json()])
        if "next" not in page.links:
            break
        page = await client.get(str(page.links["next"]["url"]).removeprefix(str(client.make_url("/")).rstrip("/")))

    assert versions == [[5], [4], [3], [2, 1]]
