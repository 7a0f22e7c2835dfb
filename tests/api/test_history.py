"""The history of a resource, from outside: versions, times, diffs, the way back."""

import asyncio
from typing import Any
from urllib.parse import quote

import jsonpatch
import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient
from yarl import URL

Client = TestClient[web.Request, web.Application]
MERGE = {"Content-Type": "application/merge-patch+json"}


async def problem(response: ClientResponse, status: int, code: str) -> Any:
    body = await response.json()
    assert (response.status, body["code"]) == (status, code), body
    return body


def next_page(response: ClientResponse) -> URL:
    return URL(response.links["next"]["url"])


@pytest.fixture(name="versions")
async def make_versions(client: Client) -> list[Any]:
    """A clinic of four versions."""
    made = await (await client.post("/v1/clinic", json={"name": "v1", "phone": [{"value": "1"}]})).json()
    shown = [made]
    for change in ({"name": "v2"}, {"name": "v3", "size": {"beds": 2**70}}, {"phone": None}):
        answer = await client.patch(
            f"/v1/clinic/{made['id']}", json=change, headers={**MERGE, "Patchbay-Message": f"to {change.get('name')}"}
        )
        shown.append(await answer.json())
    return shown


@pytest.fixture(name="path")
def name_path(versions: list[Any]) -> str:
    return f"/v1/clinic/{versions[0]['id']}"


async def test_every_version_can_be_read(client: Client, versions: list[Any], path: str) -> None:
    answers = [await client.get(f"{path}?version={number}") for number in range(1, 5)]

    assert [await each.json() for each in answers] == versions
    assert [each.headers["ETag"] for each in answers] == ['"1"', '"2"', '"3"', '"4"']


async def test_a_resource_of_any_type_is_read_as_it_stood(client: Client, versions: list[Any], path: str) -> None:
    anywhere = f"/resources/{versions[0]['id']}"
    await client.delete(path)

    by_version = await client.get(f"{anywhere}?version=2")
    by_time = await client.get(f"{anywhere}?at={versions[2]['updatedAt']}")

    assert [await by_version.json(), await by_time.json()] == [versions[1], versions[2]]
    assert by_version.headers["ETag"] == '"2"'
    await problem(await client.get(f"{anywhere}?version=9"), 404, "not-found")
    await problem(await client.get(f"{anywhere}?version=5"), 410, "gone")
    await problem(await client.get(f"{anywhere}?version=x"), 400, "invalid-request")
    await problem(await client.get("/resources/none?version=1"), 404, "not-found")


async def test_every_time_has_its_version(client: Client, versions: list[Any], path: str) -> None:
    for version in versions:
        answer = await client.get(f"{path}?at={version['updatedAt']}")

        assert await answer.json() == version
    offset = await client.get(f"{path}?at=2999-01-01T00:00:00{quote('+')}01:00")
    assert await offset.json() == versions[-1]
    small = await client.get(f"{path}?at=2999-01-01t00:00:00z")  # RFC 3339, section 5.6, note
    assert await small.json() == versions[-1]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("version=5", 404, "not-found"),
        ("version=0", 400, "invalid-request"),
        ("version=-1", 400, "invalid-request"),
        ("version=one", 400, "invalid-request"),
        ("version=99999999999999999999", 400, "invalid-request"),
        ("at=yesterday", 400, "invalid-request"),
        ("at=2020-01-01T00:00:00", 400, "invalid-request"),
        ("at=2020-01-01T00:00:00Z", 404, "not-found"),
        ("at=0001-01-01T00:00:00%2B23:00", 400, "invalid-request"),
        ("version=1&at=2020-01-01T00:00:00Z", 400, "invalid-request"),
    ],
)
async def test_places_that_are_none(client: Client, path: str, query: str, status: int, code: str) -> None:
    await problem(await client.get(f"{path}?{query}"), status, code)


async def test_history_tells_who_when_why_and_how(client: Client, versions: list[Any], path: str) -> None:
    history = await (await client.get(f"{path}/history")).json()

    assert [each["version"] for each in history] == [4, 3, 2, 1]
    assert [each["kind"] for each in history] == ["patch", "patch", "patch", "create"]
    assert [each["at"] for each in history] == [each["updatedAt"] for each in reversed(versions)]
    assert [each["message"] for each in history] == ["to None", "to v3", "to v2", None]
    assert {each["by"] for each in history} == {"anonymous"}
    assert history[2]["patch"] == [{"op": "replace", "path": "/name", "value": "v2"}]
    assert history[2]["inverse"] == [{"op": "replace", "path": "/name", "value": "v1"}]


async def test_history_comes_in_pages(client: Client, path: str) -> None:
    first = await client.get(f"{path}/history?limit=3")
    second = await client.get(next_page(first).relative())

    assert [each["version"] for each in await first.json()] == [4, 3, 2]
    assert [each["version"] for each in await second.json()] == [1]
    assert "Link" not in second.headers


@pytest.mark.parametrize("cursor", ["x", "", "####", "MTIzNDU2Nzg5MA", "A" * 5000])
async def test_forged_cursors_are_refused(client: Client, path: str, cursor: str) -> None:
    await problem(await client.get(f"{path}/history", params={"cursor": cursor}), 400, "invalid-request")


async def test_the_cursor_of_another_history_is_refused(client: Client, path: str) -> None:
    other = await (await client.post("/v1/clinic", json={})).json()
    cursor = next_page(await client.get(f"{path}/history?limit=1")).query["cursor"]

    answer = await client.get(f"/v1/clinic/{other['id']}/history", params={"cursor": cursor})

    await problem(answer, 400, "invalid-request")


@pytest.mark.parametrize("limit", ["0", "501", "-1", "x", ""])
async def test_limits_are_bounded(client: Client, path: str, limit: str) -> None:
    await problem(await client.get(f"{path}/history", params={"limit": limit}), 400, "invalid-request")


@pytest.mark.parametrize(("start", "end"), [(1, 4), (4, 1), (2, 3), (3, 3)])
async def test_a_diff_takes_one_version_to_another(
    client: Client, versions: list[Any], path: str, start: int, end: int
) -> None:
    patch = await (await client.get(f"{path}/diff?from={start}&to={end}")).json()

    assert jsonpatch.apply_patch(versions[start - 1], patch) == versions[end - 1]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("", 400, "invalid-request"),
        ("from=1", 400, "invalid-request"),
        ("from=1&to=x", 400, "invalid-request"),
        ("from=1&to=9", 404, "not-found"),
    ],
)
async def test_diffs_of_what_never_was(client: Client, path: str, query: str, status: int, code: str) -> None:
    await problem(await client.get(f"{path}/diff?{query}"), status, code)


@pytest.mark.parametrize(("query", "field"), [("from=9&to=1", "from"), ("from=1&to=9", "to")])
async def test_a_diff_says_which_of_its_versions_is_not_there(
    client: Client, path: str, query: str, field: str
) -> None:
    told = await problem(await client.get(f"{path}/diff?{query}"), 404, "not-found")

    assert told["errors"][0]["field"] == field


async def test_a_diff_is_a_json_patch_and_nothing_else(client: Client, path: str) -> None:
    """The other forms in which the compare routes say a change are not made here, so they are not promised either."""
    as_patch = await client.get(f"{path}/diff?from=1&to=2", headers={"Accept": "application/json-patch+json"})
    as_merge = await client.get(f"{path}/diff?from=1&to=2", headers={"Accept": "application/merge-patch+json"})

    assert as_patch.content_type == "application/json-patch+json"
    await problem(as_merge, 406, "not-acceptable")


async def test_reverting_makes_a_new_version_equal_to_the_old(client: Client, versions: list[Any], path: str) -> None:
    answer = await client.post(f"{path}/revert", json={"version": 1})
    back = await answer.json()

    assert (answer.status, answer.headers["ETag"]) == (200, '"5"')
    assert {**back, "updatedAt": None} == {**versions[0], "updatedAt": None}
    newest = (await (await client.get(f"{path}/history?limit=1")).json())[0]
    assert newest["kind"] == "revert"
    assert jsonpatch.apply_patch(back, newest["inverse"])["size"] == {"beds": 2**70}


async def test_reverting_to_what_stands_changes_nothing(client: Client, path: str) -> None:
    answer = await client.post(f"{path}/revert", json={"version": 4})

    assert (answer.status, answer.headers["ETag"]) == (200, '"4"')


async def test_a_deleted_resource_comes_back(client: Client, versions: list[Any], path: str) -> None:
    await client.delete(path)

    await problem(await client.get(f"{path}?version=5"), 410, "gone")
    assert await (await client.get(f"{path}?version=4")).json() == versions[3]
    history = await (await client.get(f"{path}/history")).json()
    assert history[0]["kind"] == "delete"
    back = await client.post(f"{path}/revert", json={"version": 2})
    assert (back.status, back.headers["ETag"], (await back.json())["name"]) == (200, '"6"', "v2")
    assert (await client.get(path)).status == 200


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"version": 9}, 404, "not-found"),
        ({"version": 0}, 400, "invalid-request"),
        ({"version": "1"}, 400, "invalid-request"),
        ({"version": 1, "x": 1}, 400, "invalid-request"),
        ({}, 400, "invalid-request"),
        ([], 400, "invalid-request"),
    ],
)
async def test_reverts_to_what_never_was(client: Client, path: str, body: Any, status: int, code: str) -> None:
    await problem(await client.post(f"{path}/revert", json=body), status, code)
    assert (await client.get(path)).headers["ETag"] == '"4"'


async def test_reverting_honours_conditions(client: Client, path: str) -> None:
    answer = await client.post(f"{path}/revert", json={"version": 1}, headers={"If-Match": '"3"'})

    await problem(answer, 412, "version-conflict")


async def test_a_message_is_bounded(client: Client, path: str) -> None:
    answer = await client.patch(path, json={"x": 1}, headers={**MERGE, "Patchbay-Message": "x" * 1001})

    await problem(answer, 400, "invalid-request")


@pytest.mark.parametrize(("place", "name"), [({}, "v3"), ({"version": 2}, "v2")])
async def test_a_stored_resource_is_an_input_of_comparisons(
    client: Client, versions: list[Any], place: Any, name: str
) -> None:
    stored = {"type": "resource", "id": versions[0]["id"], **place}

    answer = await client.post(
        "/api/json/v1/patch", json={"a": stored, "b": {"type": "inline", "value": {"name": "new"}}}
    )

    assert {"op": "replace", "path": "/name", "value": "new"} in await answer.json(), name
    assert not [each for each in await answer.json() if each["path"] == "/id"]


async def test_a_stored_input_by_time_and_identifier(client: Client) -> None:
    made = await (await client.post("/v1/clinic", json={"identifier": [{"system": "s:1", "value": "a/b"}]})).json()
    await client.patch(f"/v1/clinic/{made['id']}", json={"n": 1}, headers=MERGE)
    stored = {"type": "resource", "id": "s:1|a/b", "resourceType": "clinic", "at": made["updatedAt"]}
    now = {"type": "resource", "id": made["id"]}

    answer = await client.post("/api/json/v1/patch", json={"a": stored, "b": now})

    assert await answer.json() == [{"op": "add", "path": "/n", "value": 1}]


@pytest.mark.parametrize(
    ("source", "status", "code"),
    [
        ({"id": "none"}, 422, "source-not-found"),
        ({"id": "none", "version": 1}, 422, "source-not-found"),
        ({"id": "none", "resourceType": "clinic"}, 422, "source-not-found"),
        ({"id": "none", "version": 1, "at": "2026-01-01T00:00:00Z"}, 400, "invalid-request"),
        ({"id": "none", "at": "now"}, 400, "invalid-request"),
        ({}, 400, "invalid-request"),
    ],
)
async def test_stored_inputs_that_are_not_there(client: Client, source: Any, status: int, code: str) -> None:
    answer = await client.post(
        "/api/json/v1/patch", json={"a": {"type": "resource", **source}, "b": {"type": "inline", "value": 1}}
    )

    await problem(answer, status, code)


@pytest.mark.parametrize("at", ["now", "", "2026-01-01", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
async def test_a_stored_input_at_no_time_is_told_what_a_time_is(client: Client, at: str) -> None:
    stored = {"type": "resource", "id": "none", "at": at}

    answer = await client.post("/api/json/v1/patch", json={"a": stored, "b": {"type": "inline", "value": 1}})

    refusal = await problem(answer, 400, "invalid-request")
    assert refusal["errors"][0]["field"] == "at"
    assert "RFC 3339" in refusal["detail"] or "end it in Z" in refusal["detail"]


@pytest.mark.parametrize("place", [{"version": 9}, {"at": "2020-01-01T00:00:00Z"}])
async def test_stored_inputs_at_places_that_never_were(client: Client, versions: list[Any], place: Any) -> None:
    source = {"type": "resource", "id": versions[0]["id"], **place}

    answer = await client.post("/api/json/v1/patch", json={"a": source, "b": {"type": "inline", "value": 1}})

    await problem(answer, 422, "source-not-found")


async def test_a_deleted_resource_is_no_input_but_its_versions_are(
    client: Client, versions: list[Any], path: str
) -> None:
    await client.delete(path)
    stored = {"type": "resource", "id": versions[0]["id"]}

    now = await client.post("/api/json/v1/patch", json={"a": stored, "b": {"type": "inline", "value": 1}})
    then = await client.post("/api/json/v1/patch", json={"a": {**stored, "version": 1}, "b": {**stored, "version": 1}})

    await problem(now, 422, "source-not-found")
    assert await then.json() == []


async def test_a_message_is_text(client: Client, path: str) -> None:
    """Bytes that are not UTF-8 are refused; aiohttp's client cannot send such, so the connection is plain."""
    reader, writer = await asyncio.open_connection(client.host, client.port)
    body = b'{"x": 1}'
    head = f"PATCH {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
    head += "Content-Type: application/merge-patch+json\r\n"
    writer.write(head.encode() + b"Patchbay-Message: \xff\xfe\r\n\r\n" + body)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()

    assert answer.startswith(b"HTTP/1.1 400")
    assert b"not UTF-8" in answer
