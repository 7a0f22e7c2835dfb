"""An answer with a body says the same whichever way it is sent: at once, or the way of aiohttp."""

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
