"""Asynchronous calls, from outside: accepted, asked after, cancelled, called back, and what they answer."""

import asyncio
import json
import uuid
from typing import Any

import pytest
from aiohttp import ClientResponse, FormData, web
from aiohttp.test_utils import TestClient
from yarl import URL

from tests.api.conftest import Sender, Starter
from tests.loopback import Server, answer

Client = TestClient[web.Request, web.Application]
A, B = {"n": 1, "kept": True}, {"n": 2, "kept": True}


def inline(**documents: Any) -> dict[str, Any]:
    return {name: {"type": "inline", "value": value} for name, value in documents.items()}


CHANGESET = {"dx_deltaJSON": {"dx_deltaJSON_type": "diff", "dx_deltaJSON_delta": {"n": {"dx_delta": {"A": 1, "B": 2}}}}}
CALLS = [
    pytest.param("patch", inline(a=A, b=B), id="patch"),
    pytest.param("compare", {**inline(a=A, b=B), "wordByWord": "true"}, id="compare"),
    pytest.param("merge", {**inline(a=A, b=B), "mergePriority": "b"}, id="merge"),
    pytest.param("two-way-merge", inline(a=A, b=B), id="two-way-merge"),
    pytest.param("three-way-merge", inline(ancestor=A, edit1=B, edit2={**A, "n": 3}), id="three-way-merge"),
    pytest.param("graft", inline(changeset=CHANGESET, target=A), id="graft"),
]


async def finished(client: Client, location: str) -> dict[str, Any]:
    """The job once it is over."""
    async with asyncio.timeout(60):
        while True:
            state: dict[str, Any] = await (await client.get(location)).json()
            if state["jobStatus"] not in ("QUEUED", "STARTED"):
                return state
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize(("route", "request_"), CALLS)
async def test_a_job_answers_what_the_synchronous_call_does(
    client: Client, version: str, route: str, request_: Any
) -> None:
    at_once = await (await client.post(f"/api/json/{version}/{route}", json=request_)).read()

    accepted = await client.post(f"/api/json/{version}/{route}", json={**request_, "async": {}})

    assert accepted.status == 202
    body = await accepted.json()
    assert accepted.headers["Location"] == f"/api/json/{version}/jobs/{body['jobId']}"
    assert body["jobStatus"] == "QUEUED"
    assert body["startTime"] is None
    assert body["progressInPercentage"] == 0
    state = await finished(client, accepted.headers["Location"])
    assert state["jobStatus"] == "SUCCESS", state
    assert state["progressInPercentage"] == 100
    assert state["startTime"] >= state["creationTime"]
    assert state["output"]["type"] == "http"
    result = await client.get(URL(state["output"]["uri"]).path)
    assert await result.read() == at_once
    assert result.headers["Patchbay-Diff"] == "exact"


@pytest.mark.parametrize(("route", "request_"), CALLS)
async def test_a_dry_call_makes_no_job(client: Client, route: str, request_: Any) -> None:
    accepted = await client.post(f"/api/json/v1/{route}?dryRun=true", json={**request_, "async": {}})

    body = await accepted.json()
    assert (accepted.status, body["jobStatus"], accepted.headers["Patchbay-Dry-Run"]) == (202, "QUEUED", "true")
    assert "Location" not in accepted.headers
    assert (await client.get(f"/api/json/v1/jobs/{body['jobId']}")).status == 404


async def test_a_form_makes_a_job_too_and_its_result_can_be_read_once(client: Client) -> None:
    form = FormData()
    form.add_field("a", json.dumps(A), filename="a.json", content_type="application/json")
    form.add_field("b", json.dumps(B))
    form.add_field("async", "true")
    form.add_field("keepResult", "false")

    accepted = await client.post("/api/json/v1/patch", data=form)
    state = await finished(client, accepted.headers["Location"])

    looked = await client.head(URL(state["output"]["uri"]).path)
    first, second = [await client.get(URL(state["output"]["uri"]).path) for _ in range(2)]
    assert accepted.status == 202
    assert await first.json() == [{"op": "replace", "path": "/n", "value": 2}]
    assert looked.status == 200
    assert second.status == 410


async def test_of_several_readers_at_a_time_one_gets_a_result_that_is_read_once(client: Client) -> None:
    request = {**inline(a=A, b=B), "async": {"keepResult": False}}
    accepted = await client.post("/api/json/v1/patch", json=request)
    path = URL((await finished(client, accepted.headers["Location"]))["output"]["uri"]).path

    answers = await asyncio.gather(*(client.get(path) for _ in range(8)))

    assert sorted(each.status for each in answers) == [200, *[410] * 7]


@pytest.mark.parametrize(
    ("forwarded", "scheme"), [("https", "https"), ("HTTPS, http", "https"), ("http", "http"), ("ftp", "http")]
)
async def test_the_result_is_where_the_proxy_is_reached(client: Client, forwarded: str, scheme: str) -> None:
    accepted = await client.post("/api/json/v1/patch", json={**inline(a=A, b=B), "async": {}})
    await finished(client, accepted.headers["Location"])

    headers = {"X-Forwarded-Proto": forwarded, "Host": "patchbay.example"}
    state = await (await client.get(accepted.headers["Location"], headers=headers)).json()

    assert state["output"]["uri"] == f"{scheme}://patchbay.example{accepted.headers['Location']}/result"


async def test_the_output_of_a_job_is_an_input_where_the_guard_lets_it(start: Starter) -> None:
    client = await start(url_allow=("127.0.0.1",), url_ports=tuple(range(1024, 65536)))
    accepted = await client.post("/api/json/v1/compare", json={**inline(a=A, b=B), "async": {}})
    output = (await finished(client, accepted.headers["Location"]))["output"]

    grafted = await client.post("/api/json/v1/graft", json={"changeset": output, **inline(target={"n": 1, "more": 1})})

    assert await grafted.json() == {"n": 2, "more": 1}


async def test_what_fails_later_is_told_by_the_job(client: Client) -> None:
    accepted = await client.post("/api/json/v1/compare", json={**inline(a={"dx_delta": 1}, b=B), "async": {}})

    state = await finished(client, accepted.headers["Location"])

    assert state["jobStatus"] == "FAILED"
    assert state["error"]["code"] == "ambiguous-document"
    assert state["error"]["errors"][0]["pointer"] == "/dx_delta"
    refused = await client.get(f"{accepted.headers['Location']}/result")
    assert refused.status == 409
    assert (await refused.json())["code"] == "invalid-transition"


async def test_a_job_that_is_over_cannot_be_cancelled(client: Client) -> None:
    accepted = await client.post("/api/json/v1/patch", json={**inline(a=A, b=B), "async": {}})
    await finished(client, accepted.headers["Location"])

    refused = await client.delete(accepted.headers["Location"])

    assert refused.status == 409
    assert "SUCCESS" in (await refused.json())["detail"]


async def test_a_cancelled_job_has_no_result_and_stays_cancelled(client: Client) -> None:
    # Two jobs of a second or more before it keep both workers busy.
    before = [{"id": index, "text": f"one{index % 90} two{index % 70} three{index % 50}"} for index in range(4000)]
    after = [{"id": -index, "text": each["text"], "new": True} for index, each in enumerate(reversed(before))]
    long = {**inline(a=before, b=after), "async": {}}
    for _ in range(2):
        await client.post("/api/json/v1/compare", json=long)
    accepted = await client.post("/api/json/v1/compare", json=long)

    tried = await client.delete(f"{accepted.headers['Location']}?dryRun=true")
    untouched = await client.get(accepted.headers["Location"])
    cancelled = [await client.delete(accepted.headers["Location"]) for _ in range(2)]

    would_be = await tried.json()
    assert (would_be["jobStatus"], would_be["finishTime"] is None) == ("CANCELLED", False)
    assert (await untouched.json())["jobStatus"] in ("QUEUED", "STARTED")
    assert [each.status for each in cancelled] == [200, 200]
    state = await finished(client, accepted.headers["Location"])
    assert state["jobStatus"] == "CANCELLED"
    assert (await client.get(f"{accepted.headers['Location']}/result")).status == 409


async def test_the_callback_is_one_get_when_the_job_is_over(start: Starter) -> None:
    client = await start(url_allow=("127.0.0.1",), url_ports=tuple(range(1024, 65536)))
    async with Server("127.0.0.1", lambda _: answer()) as server:
        options = {"callback": f"{server.url}done?x=1"}
        accepted = await client.post("/api/json/v1/patch", json={**inline(a=A, b=B), "async": options})
        state = await finished(client, accepted.headers["Location"])
        async with asyncio.timeout(30):
            while not server.heads:
                await asyncio.sleep(0.02)

    assert state["jobStatus"] == "SUCCESS"
    assert [head.splitlines()[0] for head in server.heads] == ["GET /done?x=1 HTTP/1.1"]


async def test_callbacks_that_hang_hold_up_no_job(start: Starter) -> None:
    client = await start(url_allow=("127.0.0.1",), url_ports=tuple(range(1024, 65536)), url_timeout_s=3600.0)
    async with Server("127.0.0.1", lambda _: [3600.0]) as server:
        for number in range(6):
            options = {"callback": f"{server.url}{number}"}
            await client.post("/api/json/v1/patch", json={**inline(a=A, b=B), "async": options})
        async with asyncio.timeout(60):
            while not server.heads:
                await asyncio.sleep(0.02)

        accepted = await client.post("/api/json/v1/patch", json={**inline(a=A, b=B), "async": {}})

        assert (await finished(client, accepted.headers["Location"]))["jobStatus"] == "SUCCESS"


async def test_a_callback_is_over_when_its_server_has_answered_whatever_follows(
    start: Starter, caplog: pytest.LogCaptureFixture
) -> None:
    client = await start(url_allow=("127.0.0.1",), url_ports=tuple(range(1024, 65536)), url_timeout_s=3600.0)
    async with Server("127.0.0.1", lambda _: [answer(b"", "Content-Length: 1000"), 3600.0]) as server:
        with caplog.at_level("INFO"):
            options = {"callback": server.url}
            await client.post("/api/json/v1/patch", json={**inline(a=A, b=B), "async": options})
            async with asyncio.timeout(60):
                while "was answered with 200" not in caplog.text:
                    await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/", "http://169.254.169.254/latest", "ftp://example.org/", "http://[::1]/", "//x"]
)
async def test_callbacks_the_guard_refuses_are_refused_at_once(client: Client, url: str) -> None:
    response = await client.post("/api/json/v1/patch", json={**inline(a=A, b=B), "async": {"callback": url}})

    problem = await response.json()
    assert (response.status, problem["code"]) == (403, "source-forbidden")
    assert problem["detail"].startswith("'callback': ")
    assert problem["errors"][0]["field"] == "callback"


@pytest.mark.parametrize(
    ("more", "field"),
    [
        pytest.param({"async": {"output": {"type": "file", "path": "x.json"}}}, "async.output", id="file output"),
        pytest.param({"async": {"call": 1}}, "async", id="unknown member"),
        pytest.param({"async": "yes"}, "async", id="neither true nor false"),
        pytest.param({"callback": "http://example.org/"}, "async", id="callback without async"),
        pytest.param({"async": False, "keepResult": True}, "async", id="keeping without async"),
    ],
)
async def test_asynchronous_calls_that_are_not_understood_are_refused(client: Client, more: Any, field: str) -> None:
    response = await client.post("/api/json/v1/compare", json={**inline(a=A, b=B), **more})

    assert response.status == 400
    assert (await response.json())["errors"][0]["field"] == field


async def test_an_asynchronous_patch_is_not_recorded(client: Client) -> None:
    response = await client.post("/api/json/v1/patch?store=true", json={**inline(a=A, b=B), "async": True})

    assert response.status == 400
    assert (await response.json())["errors"][0]["field"] == "store"


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("path", ["jobs/no-such", "jobs/00000000-0000-0000-0000-000000000000"])
async def test_unknown_jobs_are_not_found(client: Client, method: str, path: str) -> None:
    response = await client.request(method, f"/api/json/v1/{path}")

    assert response.status == 404
    assert (await response.json())["code"] == "not-found"


async def test_inputs_are_read_before_the_call_is_accepted(client: Client) -> None:
    request = {"a": {"type": "file", "path": "x.json"}, **inline(b=B), "async": {}}

    response = await client.post("/api/json/v1/compare", json=request)

    assert response.status == 403
    assert (await response.json())["errors"][0]["input"] == "a"


@pytest.mark.parametrize("form", [False, True], ids=["json", "form"])
async def test_the_same_key_is_the_same_job(client: Client, form: bool) -> None:
    key = {"Idempotency-Key": str(uuid.uuid4())}

    async def send(value: int) -> ClientResponse:
        if not form:
            body = {**inline(a=A, b={"n": value}), "async": {}}
            return await client.post("/api/json/v1/compare", json=body, headers=key)
        data = FormData({"a": json.dumps(A), "b": json.dumps({"n": value}), "async": "true"}, default_to_multipart=True)
        return await client.post("/api/json/v1/compare", data=data, headers=key)

    first, again, other = [await send(value) for value in (5, 5, 6)]

    assert [first.status, again.status, other.status] == [202, 202, 422]
    assert first.headers["Location"] == again.headers["Location"]
    assert (await other.json())["code"] == "idempotency-key-reused"


@pytest.mark.parametrize("other", [{"callback": "/other"}, {"keepResult": False}, {}], ids=["url", "once", "none"])
async def test_the_same_key_with_another_callback_is_another_call(start: Starter, other: dict[str, Any]) -> None:
    client = await start(url_allow=("127.0.0.1",), url_ports=tuple(range(1024, 65536)))
    key = {"Idempotency-Key": str(uuid.uuid4())}

    async with Server("127.0.0.1", lambda _: answer()) as server:

        async def send(wish: dict[str, Any]) -> int:
            there = {"callback": server.url + wish["callback"]} if "callback" in wish else {}
            body = {**inline(a=A, b=B), "async": wish | there}
            return (await client.post("/api/json/v1/compare", json=body, headers=key)).status

        assert [await send(wish) for wish in ({"callback": ""}, {"callback": ""}, other)] == [202, 202, 422]


@pytest.mark.parametrize("media_type", ["text/html", "application/merge-patch+json"])
async def test_a_job_makes_a_json_patch_and_nothing_else(client: Client, media_type: str) -> None:
    request = {**inline(a=A, b=B), "async": {}}

    response = await client.post("/api/json/v1/patch", json=request, headers={"Accept": media_type})

    assert response.status == 400
    assert (await response.json())["errors"][0]["field"] == "async"


@pytest.mark.parametrize("host", [b"", b":80", b"x:99999", b"x:abc", b"\xff"])
async def test_a_host_that_is_none_is_refused_where_a_url_is_made_of_it(
    client: Client, send: Sender, host: bytes
) -> None:
    accepted = await client.post("/api/json/v1/patch", json={**inline(a=1, b=2), "async": True})
    place = accepted.headers["Location"].encode()
    async with asyncio.timeout(60):
        while (await (await client.get(place.decode())).json())["jobStatus"] != "SUCCESS":
            await asyncio.sleep(0.02)

    answer = await send(client, b"GET " + place + b" HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")

    assert (answer.status, answer.problem["errors"][0]["field"]) == (400, "Host")
