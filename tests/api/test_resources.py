"""`/v1/{type}/{id}`, from outside: the documented clinic, three dialects, conditions, every refusal."""

import asyncio
import io
import re
import uuid
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient

Client = TestClient[web.Request, web.Application]
PLAIN = "application/json"
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
CLINIC = {
    "name": "Foot clinic",
    "phone": [{"value": "3333333", "use": "main", "system": "phone", "extension": None}],
    "openingHours": [{"day": "mon"}],
}


async def make(client: Client, content: Any = CLINIC, resource_type: str = "clinic") -> Any:
    response = await client.post(f"/v1/{resource_type}", json=content)
    assert response.status == 201, await response.text()
    return await response.json()


async def patch(client: Client, resource_id: str, body: Any, media_type: str = PLAIN, **headers: str) -> ClientResponse:
    return await client.patch(f"/v1/clinic/{resource_id}", json=body, headers={"Content-Type": media_type, **headers})


async def problem(response: ClientResponse, status: int, code: str) -> Any:
    body = await response.json()
    assert (response.status, body["code"]) == (status, code), body
    assert response.content_type == "application/problem+json"
    return body


async def test_a_new_resource_is_answered_whole_and_can_be_read(client: Client) -> None:
    response = await client.post("/v1/clinic", json=CLINIC)
    made = await response.json()
    read = await client.get(response.headers["Location"])

    assert response.status == 201
    assert response.headers["ETag"] == read.headers["ETag"] == '"1"'
    assert re.fullmatch(UUID, made["id"])
    assert list(made) == ["id", "name", "phone", "openingHours", "createdAt", "updatedAt"]
    assert re.fullmatch(f"phone-{UUID}", made["phone"][0]["id"])
    assert made["phone"][0]["extension"] is None
    assert made["openingHours"] == [{"day": "mon"}]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", made["createdAt"])
    assert made["createdAt"] == made["updatedAt"]
    assert await read.json() == made
    assert await (await client.get(f"/resources/{made['id']}")).json() == made


@pytest.mark.parametrize("slash", ["", "/"])
async def test_documented_samples(client: Client, slash: str) -> None:
    made = await make(client)
    extra = {"value": "4444444", "use": "main", "system": "phone", "extension": None}

    renamed = await patch(
        client, made["id"], [{"op": "replace", "path": f"{slash}name", "value": "New Name of the resources"}]
    )
    added = await patch(client, made["id"], [{"op": "add", "path": f"{slash}phone/1", "value": extra}])
    removed = await patch(client, made["id"], [{"op": "remove", "path": f"{slash}name"}])

    assert [each.status for each in (renamed, added, removed)] == [200, 200, 200]
    assert (await renamed.json())["name"] == "New Name of the resources"
    phones = (await added.json())["phone"]
    assert phones[0] == made["phone"][0]
    assert re.fullmatch(f"phone-{UUID}", phones[1].pop("id"))
    assert phones[1] == extra
    last = await removed.json()
    assert "name" not in last
    assert removed.headers["ETag"] == '"4"'
    assert last["createdAt"] == made["createdAt"] < last["updatedAt"]


async def test_an_item_is_reached_by_its_id_and_keeps_it(client: Client) -> None:
    made = await make(client)
    phone = made["phone"][0]["id"]

    changed = await patch(
        client, made["id"], [{"op": "replace", "path": f"phone/{phone}", "value": {"id": phone, "value": "5"}}]
    )

    assert (await changed.json())["phone"] == [{"id": phone, "value": "5"}]


@pytest.mark.parametrize("digits", [1, 19, 20, 5000])
async def test_a_number_is_an_index_though_an_item_has_it_for_an_id(client: Client, digits: int) -> None:
    number = "9" * digits
    made = await (await client.post("/v1/clinic", json={"phone": [{"id": number}]})).json()

    answer = await patch(client, made["id"], [{"op": "remove", "path": f"phone/{number}"}])

    await problem(answer, 422, "path-not-found")


async def test_json_patch_reaches_any_depth_and_points_at_what_fails(client: Client) -> None:
    made = await make(client)

    done = await patch(
        client,
        made["id"],
        [
            {"op": "test", "path": "/id", "value": made["id"]},
            {"op": "copy", "from": "/phone/0/value", "path": "/phone/0/old"},
            {"op": "move", "from": "/openingHours/0/day", "path": "/day"},
        ],
        JSON_PATCH,
    )
    failed = await patch(
        client,
        made["id"],
        [{"op": "remove", "path": "/day"}, {"op": "test", "path": "/name", "value": True}],
        JSON_PATCH,
    )

    after = await done.json()
    assert (after["phone"][0]["old"], after["day"], after["openingHours"]) == ("3333333", "mon", [{}])
    fault = (await problem(failed, 409, "test-failed"))["errors"][0]
    assert (fault["index"], fault["path"], fault["expected"], fault["actual"]) == (1, "/name", True, "Foot clinic")
    assert await (await client.get(f"/v1/clinic/{made['id']}")).json() == after


async def test_merge_patch_reaches_any_depth(client: Client) -> None:
    made = await make(client, {"name": "x", "address": {"city": "Ghent", "zip": 9000}})

    done = await patch(client, made["id"], {"name": None, "address": {"zip": None, "box": [1]}}, MERGE_PATCH)

    after = await done.json()
    assert "name" not in after
    assert after["address"] == {"city": "Ghent", "box": [1]}


@pytest.mark.parametrize(
    ("media_type", "body", "status", "code"),
    [
        pytest.param(PLAIN, {"name": "x"}, 400, "invalid-patch", id="object as plain patch"),
        pytest.param(PLAIN, [{"op": "test", "path": "name", "value": 1}], 400, "invalid-patch", id="test in plain"),
        pytest.param(PLAIN, [{"op": "replace", "path": "name"}], 400, "invalid-patch", id="no value"),
        pytest.param(PLAIN, [{"op": "remove", "path": "phone/0/use"}], 422, "path-not-allowed", id="too deep"),
        pytest.param(PLAIN, [{"op": "replace", "path": "", "value": {}}], 422, "path-not-allowed", id="plain root"),
        pytest.param(PLAIN, [{"op": "remove", "path": "fax"}], 422, "path-not-found", id="no member"),
        pytest.param(PLAIN, [{"op": "remove", "path": "phone/9"}], 422, "path-not-found", id="no item"),
        pytest.param(PLAIN, [{"op": "replace", "path": "id", "value": "1"}], 422, "immutable-property", id="id"),
        pytest.param(PLAIN, [{"op": "remove", "path": "createdAt"}], 422, "immutable-property", id="createdAt"),
        pytest.param(JSON_PATCH, {"op": "add"}, 400, "invalid-patch", id="no array"),
        pytest.param(JSON_PATCH, [{"op": "spin", "path": ""}], 400, "invalid-patch", id="unknown op"),
        pytest.param(JSON_PATCH, [{"op": "remove", "path": "name"}], 400, "invalid-patch", id="no pointer"),
        pytest.param(
            JSON_PATCH, [{"op": "move", "from": "/phone", "path": "/phone/0/x"}], 400, "invalid-patch", id="into itself"
        ),
        pytest.param(JSON_PATCH, [{"op": "replace", "path": "", "value": 1}], 422, "path-not-allowed", id="root"),
        pytest.param(JSON_PATCH, [{"op": "remove", "path": ""}], 422, "path-not-allowed", id="root removed"),
        pytest.param(JSON_PATCH, [{"op": "remove", "path": "/phone/01"}], 422, "path-not-found", id="leading zero"),
        pytest.param(JSON_PATCH, [{"op": "remove", "path": "/phone/-"}], 422, "path-not-found", id="dash"),
        pytest.param(JSON_PATCH, [{"op": "remove", "path": "/updatedAt"}], 422, "immutable-property", id="updatedAt"),
        pytest.param(MERGE_PATCH, {"id": None}, 422, "immutable-property", id="merge removes id"),
        pytest.param(MERGE_PATCH, [1], 422, "path-not-allowed", id="merge replaces root"),
        pytest.param("text/plain", [], 415, "unsupported-media-type", id="media type"),
    ],
)
async def test_refused_patches_change_nothing(
    client: Client, media_type: str, body: Any, status: int, code: str
) -> None:
    made = await make(client)

    response = await patch(client, made["id"], body, media_type)

    await problem(response, status, code)
    read = await client.get(f"/v1/clinic/{made['id']}")
    assert read.headers["ETag"] == '"1"'
    assert await read.json() == made


async def test_all_faults_of_a_plain_patch_are_told_at_once(client: Client) -> None:
    made = await make(client)
    operations = [{"op": "add", "path": "a"}, {"op": "remove", "path": "name"}, {"op": "test", "path": "a"}, 7]

    told = await problem(await patch(client, made["id"], operations, PLAIN), 400, "invalid-patch")

    assert [each["index"] for each in told["errors"]] == [0, 2, 3]
    assert "application/json-patch+json" in told["errors"][1]["detail"]


async def test_refused_media_types_are_told_what_is_accepted(client: Client) -> None:
    made = await make(client)

    patched = await patch(client, made["id"], [], "text/plain")
    posted = await client.post("/v1/clinic", data="x", headers={"Content-Type": "text/plain"})

    assert patched.headers["Accept-Patch"].split(", ") == [PLAIN, JSON_PATCH, MERGE_PATCH]
    assert posted.headers["Accept-Post"] == PLAIN


async def test_options_tell_what_is_accepted(client: Client) -> None:
    made = await make(client)

    one = await client.options(f"/v1/clinic/{made['id']}")
    many = await client.options("/v1/clinic")

    assert one.status == many.status == 204
    assert one.headers["Accept-Patch"].split(", ") == [PLAIN, JSON_PATCH, MERGE_PATCH]
    assert "PATCH" in one.headers["Allow"]
    assert many.headers["Accept-Post"] == PLAIN


async def test_root_replacement_is_like_a_put(client: Client) -> None:
    made = await make(client)

    done = await patch(client, made["id"], [{"op": "replace", "path": "", "value": {"name": "y"}}], JSON_PATCH)

    assert (await done.json())["name"] == "y"
    assert "phone" not in await done.json()


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        ([{"op": "replace", "path": "name", "value": "Foot clinic"}], PLAIN),
        ([{"op": "test", "path": "/name", "value": "Foot clinic"}], JSON_PATCH),
        ([{"op": "add", "path": "/x", "value": 1}, {"op": "remove", "path": "/x"}], JSON_PATCH),
        ({"name": "Foot clinic"}, MERGE_PATCH),
        ({}, MERGE_PATCH),
    ],
)
async def test_a_write_that_changes_nothing_makes_no_version(client: Client, body: Any, media_type: str) -> None:
    made = await make(client)

    done = await patch(client, made["id"], body, media_type)

    assert (done.status, done.headers["ETag"]) == (200, '"1"')
    assert await done.json() == made


async def test_what_was_read_can_be_put_back(client: Client) -> None:
    made = await make(client)

    same = await client.put(f"/v1/clinic/{made['id']}", json=made)
    other = await client.put(f"/v1/clinic/{made['id']}", json={**made, "name": "y"})
    stale = await client.put(f"/v1/clinic/{made['id']}", json={**made, "name": "z"})

    assert (same.status, same.headers["ETag"]) == (200, '"1"')
    assert (other.status, other.headers["ETag"]) == (200, '"2"')
    await problem(stale, 422, "immutable-property")


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=2))])
async def test_times_can_be_put_back_as_clients_spell_them(client: Client, zone: tzinfo) -> None:
    made = await make(client)
    spelt = {
        name: datetime.fromisoformat(made[name]).astimezone(zone).isoformat() for name in ("createdAt", "updatedAt")
    }

    same = await client.put(f"/v1/clinic/{made['id']}", json={**made, **spelt})

    assert (same.status, same.headers["ETag"]) == (200, '"1"')
    assert await same.json() == made


async def test_put_creates_only_on_request(client: Client) -> None:
    name = f"c-{uuid.uuid4()}"

    await problem(await client.put(f"/v1/clinic/{name}", json=CLINIC), 404, "not-found")
    made = await client.put(f"/v1/clinic/{name}", json={**CLINIC, "id": name}, headers={"If-None-Match": "*"})
    again = await client.put(f"/v1/clinic/{name}", json=CLINIC, headers={"If-None-Match": "*"})

    assert (made.status, made.headers["Location"]) == (201, f"/v1/clinic/{name}")
    await problem(again, 412, "version-conflict")
    assert again.headers["ETag"] == '"1"'


async def test_an_id_belongs_to_one_type(client: Client) -> None:
    name = f"c-{uuid.uuid4()}"
    await client.put(f"/v1/clinic/{name}", json=CLINIC, headers={"If-None-Match": "*"})

    taken = await client.put(f"/v1/practice/{name}", json=CLINIC, headers={"If-None-Match": "*"})

    await problem(taken, 409, "duplicate-identifier")
    await problem(await client.get(f"/v1/practice/{name}"), 404, "not-found")


@pytest.mark.parametrize("member", ["id", "createdAt", "updatedAt"])
async def test_owned_members_cannot_be_created(client: Client, member: str) -> None:
    body = await problem(await client.post("/v1/clinic", json={member: "x"}), 422, "immutable-property")

    assert body["errors"][0]["pointer"] == f"/{member}"


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        pytest.param("/v1/Clinic", {}, 400, "invalid-request", id="type name"),
        pytest.param("/v1/clinic", [], 400, "invalid-request", id="array"),
        pytest.param("/v1/clinic?dryRun=perhaps", {}, 400, "invalid-request", id="dry run"),
    ],
)
async def test_refused_creations(client: Client, path: str, body: Any, status: int, code: str) -> None:
    await problem(await client.post(path, json=body), status, code)


@pytest.mark.parametrize(
    ("text", "status", "code"),
    [
        pytest.param(b'{"a": 1, "a": 2}', 400, "invalid-json", id="repeated name"),
        pytest.param(b"{", 400, "invalid-json", id="cut off"),
        pytest.param(b'{"a": ' + b"[" * 120 + b"]" * 120 + b"}", 422, "not-storable", id="deeper than storable"),
        pytest.param(b'{"a": ' + b"[" * 250 + b"]" * 250 + b"}", 422, "too-deep", id="deeper than readable"),
    ],
)
async def test_refused_texts(client: Client, text: bytes, status: int, code: str) -> None:
    response = await client.post("/v1/clinic", data=text, headers={"Content-Type": PLAIN})

    await problem(response, status, code)


@pytest.mark.parametrize(
    "content",
    [
        {"$set": {"a.b": 1}, "": {"": [None]}, "n": 2**70, "f": 1.5, "neg": -0.0, "z": "\u0000", "\u0000": 1},
        {"one": 1, "real": 1.0, "big": 10**40, "small": -(2**63), "yes": True},
        {"\n": 1, "a\n": {"$\n": 2, ".\n": 3}},
    ],
)
async def test_content_comes_back_exactly(client: Client, content: Any) -> None:
    made = await make(client, content)

    read = await (await client.get(f"/v1/clinic/{made['id']}")).text()

    shown = web.json_response({"id": made["id"], **content}).text
    assert shown is not None
    assert read.replace(" ", "").startswith(shown.replace(" ", "")[:-1])


async def test_conditions_on_reading(client: Client) -> None:
    made = await make(client)
    path = f"/v1/clinic/{made['id']}"

    held = [await client.get(path, headers={"If-None-Match": tag}) for tag in ('"1"', 'W/"1"', '"7", "1"', "*")]
    other = await client.get(path, headers={"If-None-Match": '"2"'})

    assert [(each.status, each.headers["ETag"], await each.read()) for each in held] == [(304, '"1"', b"")] * 4
    assert other.status == 200


@pytest.mark.parametrize("tag", ['"2"', 'W/"1"', '"x"', '"01"', ""])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_a_condition_that_does_not_hold_stops_the_write(client: Client, method: str, tag: str) -> None:
    made = await make(client)

    response = await client.request(
        method,
        f"/v1/clinic/{made['id']}",
        json={"name": "x"},
        headers={"If-Match": tag, "Content-Type": MERGE_PATCH if method == "PATCH" else PLAIN},
    )

    await problem(response, 412, "version-conflict")
    assert response.headers["ETag"] == '"1"'


@pytest.mark.parametrize("tag", ['"1"', "*", '"5", "1"'])
async def test_a_condition_that_holds_lets_the_write_through(client: Client, tag: str) -> None:
    made = await make(client)

    response = await patch(client, made["id"], {"name": "x"}, MERGE_PATCH, **{"If-Match": tag})

    assert response.status == 200


@pytest.mark.parametrize("name", ["If-Match", "If-None-Match"])
async def test_malformed_conditions_are_refused(client: Client, name: str) -> None:
    made = await make(client)

    response = await patch(client, made["id"], {"name": "x"}, MERGE_PATCH, **{name: "1"})

    await problem(response, 400, "invalid-request")


async def test_a_deleted_resource_is_gone(client: Client) -> None:
    made = await make(client)
    path = f"/v1/clinic/{made['id']}"

    assert (await client.delete(path, headers={"If-Match": '"1"'})).status == 204
    answers = [
        await client.get(path),
        await client.get(f"/resources/{made['id']}"),
        await client.delete(path),
        await client.put(path, json=CLINIC),
        await client.put(path, json=CLINIC, headers={"If-None-Match": "*"}),
        await patch(client, made["id"], {}, MERGE_PATCH),
    ]

    for each in answers:
        await problem(each, 410, "gone")


async def test_what_never_was_is_not_found(client: Client) -> None:
    answers = [
        await client.get("/v1/clinic/none"),
        await client.get("/resources/none"),
        await client.get("/v1/clinic/" + "x" * 2000),
        await client.delete("/v1/clinic/none"),
        await patch(client, "none", {}, MERGE_PATCH),
    ]

    for each in answers:
        await problem(each, 404, "not-found")


async def test_minimal_answers_have_headers_alone(client: Client) -> None:
    made = await client.post("/v1/clinic", json=CLINIC, headers={"Prefer": 'respond-async, return="minimal"'})
    path = made.headers["Location"]
    changed = await client.patch(
        path, json={"name": "x"}, headers={"Content-Type": MERGE_PATCH, "Prefer": "return=minimal"}
    )

    assert (made.status, made.headers["ETag"], await made.read()) == (204, '"1"', b"")
    assert (changed.status, changed.headers["ETag"], await changed.read()) == (204, '"2"', b"")
    assert changed.headers["Preference-Applied"] == "return=minimal"


async def test_a_dry_run_answers_and_writes_nothing(client: Client) -> None:
    made = await make(client)
    path = f"/v1/clinic/{made['id']}"

    created = await client.post("/v1/clinic?dryRun=true", json=CLINIC)
    changed = await client.patch(f"{path}?dryRun=true", json={"name": "x"}, headers={"Content-Type": MERGE_PATCH})
    deleted = await client.delete(f"{path}?dryRun=true")
    refused = await client.patch(f"{path}?dryRun=true", json={"id": 1}, headers={"Content-Type": MERGE_PATCH})

    assert (created.status, "Location" in created.headers) == (201, False)
    assert (await changed.json())["name"] == "x"
    assert changed.headers["ETag"] == '"2"'
    assert deleted.status == 204
    assert refused.status == 422
    assert await (await client.get(path)).json() == made
    missing = await client.get(f"/v1/clinic/{(await created.json())['id']}")
    assert missing.status == 404


async def test_concurrent_patches_without_conditions_lose_nothing(client: Client) -> None:
    made = await make(client, {"log": []})

    answers = await asyncio.gather(
        *(patch(client, made["id"], [{"op": "add", "path": "log/-", "value": number}]) for number in range(50))
    )

    assert {each.status for each in answers} == {200}
    read = await client.get(f"/v1/clinic/{made['id']}")
    assert sorted((await read.json())["log"]) == list(range(50))
    assert read.headers["ETag"] == '"51"'


async def test_of_concurrent_writes_with_one_condition_one_wins(client: Client) -> None:
    made = await make(client)

    answers = await asyncio.gather(
        *(patch(client, made["id"], {"n": n}, MERGE_PATCH, **{"If-Match": '"1"'}) for n in range(20))
    )

    assert sorted(each.status for each in answers) == [200] + [412] * 19


async def test_what_cannot_be_answered_is_not_done(client: Client) -> None:
    made = await make(client)
    path, only_xml = f"/v1/clinic/{made['id']}", {"Accept": "application/xml"}

    answers = [
        await client.get(path, headers=only_xml),
        await client.get("/v1/clinic", headers=only_xml),
        await client.get(f"{path}/history", headers=only_xml),
        await client.get(f"{path}/diff?from=1&to=1", headers=only_xml),
        await client.post("/v1/clinic", json={}, headers=only_xml),
        await client.put(path, json={}, headers=only_xml),
        await patch(client, made["id"], {"name": "x"}, MERGE_PATCH, **only_xml),
        await client.post(f"{path}/revert", json={"version": 1}, headers=only_xml),
    ]
    read = await client.get(path, headers={"Accept": "text/html, application/*;q=0.5"})
    diff = await client.get(f"{path}/diff?from=1&to=1", headers={"Accept": JSON_PATCH})

    for each in answers:
        await problem(each, 406, "not-acceptable")
    assert (read.status, read.headers["ETag"]) == (200, '"1"')
    assert diff.content_type == JSON_PATCH


async def test_copies_of_copies_are_bounded(client: Client) -> None:
    made = await make(client, {"a": ["x" * 1000]})

    response = await patch(client, made["id"], [{"op": "copy", "from": "/a", "path": "/a/-"}] * 40, JSON_PATCH)

    body = await problem(response, 422, "too-large")
    assert body["errors"][0]["limit"] == "max_copied_bytes"


async def test_too_many_operations_are_refused(client: Client) -> None:
    made = await make(client)
    operations = [{"op": "test", "path": "/name", "value": "Foot clinic"}] * 10_001

    body = await problem(await patch(client, made["id"], operations, JSON_PATCH), 413, "too-large")

    assert (body["errors"][0]["limit"], body["errors"][0]["maximum"]) == ("max_operations", 10_000)


async def test_documents_of_16_mebibytes_are_the_limit(client: Client) -> None:
    large = await client.post("/v1/clinic", data=text_of(15), headers={"Content-Type": PLAIN})
    larger = await client.post("/v1/clinic", data=text_of(17), headers={"Content-Type": PLAIN})

    assert large.status == 201
    await problem(larger, 422, "not-storable")
    read = await client.get(large.headers["Location"])
    assert len((await read.json())["text"]) == 15 * 1024 * 1024
    path = large.headers["Location"]
    changed = await client.patch(path, json={"n": 1}, headers={"Content-Type": MERGE_PATCH, "Prefer": "return=minimal"})
    assert changed.headers["ETag"] == '"2"'


def text_of(mebibytes: int) -> io.BytesIO:
    return io.BytesIO(b'{"text":"%s"}' % (b"x" * mebibytes * 1024 * 1024))


@pytest.mark.parametrize("sign", ["", "-"])
async def test_what_is_stored_is_what_can_be_compared(client: Client, sign: str) -> None:
    """Elsewhere integers of 4,300 digits are refused: who stored one could neither merge nor replace it."""

    async def send(digits: int) -> ClientResponse:
        text = f'{{"text": "{"7" * 5000}", "numbers": [0.{"3" * 5000}, {sign}{"9" * digits}]}}'
        return await client.post("/v1/clinic", data=text, headers={"Content-Type": PLAIN})

    most, more = await send(4299), await send(4300)
    changed = await patch(client, (await most.json())["id"], {"name": "x"}, MERGE_PATCH)

    assert (most.status, changed.status) == (201, 200)
    refused = await problem(more, 400, "invalid-json")
    assert refused["errors"][0]["pointer"] == "/numbers/1"
