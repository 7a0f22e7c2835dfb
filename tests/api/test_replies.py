"""An answer with a body says the same whichever way it is sent: at once, or the way of aiohttp."""

import uuid
from typing import Any

import pytest

from tests.api.conftest import Client, Exchange, Sender

UNLIKE = frozenset({"connection", "date", "x-request-id"})


def said(answer: Exchange) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in UNLIKE}


@pytest.mark.parametrize("rest", ["HTTP/1.0", "HTTP/1.1\r\nConnection: close"])
async def test_headers_are_those_of_the_common_way(rest: str, client: Client, send: Sender) -> None:
    made = await (await client.post("/v1/clinic", json={"name": "a"})).json()
    path = f"/v1/clinic/{made['id']}"

    common = await send(client, f"GET {path} HTTP/1.1\r\nHost: here\r\n\r\n".encode())
    other = await send(client, f"GET {path} {rest}\r\nHost: here\r\n\r\n".encode())

    assert (other.status, other.body, said(other)) == (common.status, common.body, said(common))
    assert {"content-type", "content-length", "etag", "server", "x-frame-options"} <= said(common).keys()
    assert [common.closed, other.closed] == [False, True]
    assert common.headers["x-request-id"]
    assert common.headers["date"]


KEYED = {"Idempotency-Key": "headers"}
MINIMAL = {"Prefer": "return=minimal"}
TELLING = ("Location", "ETag", "Allow", "Accept-Post", "Accept-Patch", "Preference-Applied", "Idempotency-Replayed")


@pytest.mark.parametrize(
    ("method", "template", "path", "body", "headers"),
    [
        pytest.param("POST", "/v1/{type}", "/v1/{new}", {}, MINIMAL, id="created"),
        pytest.param("PUT", "/v1/{type}/{id}", "/v1/{new}/{new}", {}, MINIMAL | {"If-None-Match": "*"}, id="made"),
        pytest.param("PUT", "/providers/{name}", "/providers/{new}", {"url": "https://8.8.8.8/"}, {}, id="provided"),
        pytest.param("OPTIONS", "/v1/{type}", "/v1/{new}", None, {}, id="options of a type"),
        pytest.param("OPTIONS", "/v1/{type}/{id}", "/v1/{new}/x", None, {}, id="options of a resource"),
        pytest.param("POST", "/v1/{type}", "/v1/{new}", {"id": "x"}, KEYED, id="refused again"),
    ],
)
async def test_what_headers_tell_is_in_the_contract(
    client: Client, method: str, template: str, path: str, body: Any, headers: dict[str, str]
) -> None:
    address, again = path.format(new=f"t{uuid.uuid4().hex}"), 2 if "Idempotency-Key" in headers else 1
    contract = await (await client.get("/openapi.json")).json()

    for _ in range(again):
        answer = await client.request(method, address, json=body, headers=headers)

    told = {name for name in TELLING if name in answer.headers}
    described = contract["paths"][template][method.lower()]["responses"][str(answer.status)]["headers"]
    assert told
    assert told <= described.keys()
