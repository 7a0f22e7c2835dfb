"""Short words for tests of patch records: a resource made, a patch recorded, a request sent and its answer read."""

import uuid
from typing import Any
from urllib.parse import quote

from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient
from yarl import URL

Client = TestClient[web.Request, web.Application]
CLINIC = {"name": "Foot clinic", "beds": 12, "engine": "16", "tags": ["a", "b"]}
RENAME = {"operations": [{"op": "replace", "path": "/name", "value": "Hand clinic"}]}


async def make(client: Client, content: dict[str, Any] | None = None, type_name: str = "clinic") -> str:
    """Create a resource and give its id."""
    response = await client.post(f"/v1/{type_name}", json=content or CLINIC)
    assert response.status == 201, await response.text()
    return str((await response.json())["id"])


def fresh_type() -> str:
    """A type name that no other test uses."""
    return f"t{uuid.uuid4().hex}"


async def read(client: Client, resource_id: str) -> dict[str, Any]:
    """Read a resource without the members that the service owns."""
    shown = await (await client.get(f"/resources/{resource_id}")).json()
    return {name: value for name, value in shown.items() if name not in {"id", "createdAt", "updatedAt"}}


async def version_of(client: Client, resource_id: str) -> int:
    response = await client.get(f"/resources/{resource_id}")
    return int(response.headers["ETag"].strip('"'))


async def record(client: Client, resource_id: str, patch_id: str = "p-1", **members: Any) -> dict[str, Any]:
    """Record a patch and give the record."""
    body = {"definition": {"patch_id": patch_id, **members}}
    response = await client.post(f"/resources/{resource_id}/patches", json=body)
    assert response.status == 201, await response.text()
    answer: dict[str, Any] = await response.json()
    return answer


async def act(
    client: Client, resource_id: str, verb: str, aim: dict[str, Any] | None = None, patch_id: str = "p-1", **more: Any
) -> tuple[int, dict[str, Any]]:
    """Send apply, retry, cancel, revert or check; give status and body."""
    url = f"/resources/{resource_id}/patches/{quote(patch_id, safe='')}/{verb}"
    response = await client.post(url, json=aim or {}, **more)
    return response.status, await response.json()


async def follow(client: Client, page: ClientResponse) -> ClientResponse:
    """Read the page that the `Link` of another names."""
    return await client.get(URL(page.links["next"]["url"]).relative())


async def fetch(client: Client, resource_id: str, path: str = "", **query: Any) -> Any:
    response = await client.get(f"/resources/{resource_id}/patches{path}", params=query)
    assert response.status == 200, await response.text()
    return await response.json()
