"""`/types/{type}`: schemas, identified lists, required conditions, checks of what exists."""

import json
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

import pymongo
import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient

from service.keys import SHELF, TYPES
from service.settings import Settings
from service.store import members
from service.usecases import types

Client = TestClient[web.Request, web.Application]
MERGE = {"Content-Type": "application/merge-patch+json"}
NAMED = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "minLength": 2},
        "mail": {"format": "email"},
        "phone": {"items": {"properties": {"value": {"pattern": "^[0-9]+$"}}}},
    },
}


async def problem(response: ClientResponse, status: int, code: str) -> Any:
    body = await response.json()
    assert (response.status, body["code"]) == (status, code), body
    return body


@pytest.fixture(name="kind")
async def name_type(client: Client) -> AsyncIterator[str]:
    """A type of the test's own, without a definition afterwards."""
    name = f"t{uuid.uuid4().hex[:12]}"
    yield name
    await client.delete(f"/types/{name}")


async def plant(client: Client, kind: str, definition: bytes) -> None:
    """Keep a definition past all checks, as another release may have."""
    store = client.app[TYPES]
    assert await store.put(kind, definition, since=await store.read_count()) is not None


async def test_a_definition_is_kept_and_forgotten(client: Client, kind: str) -> None:
    definition = {"schema": NAMED, "identifiedLists": ["bed"], "required": ["If-Match"], "indexes": ["name"]}

    made = await client.put(f"/types/{kind}", json=definition)
    again = await client.put(f"/types/{kind}", json=definition)
    read = await client.get(f"/types/{kind}")
    listed = await client.get("/types?limit=500")
    deleted = await client.delete(f"/types/{kind}")

    assert [made.status, again.status, read.status, deleted.status] == [201, 200, 200, 204]
    assert await read.json() == {"type": kind, "provider": "builtin", **definition}
    assert kind in [each["type"] for each in await listed.json()]
    await problem(await client.get(f"/types/{kind}"), 404, "not-found")
    await problem(await client.delete(f"/types/{kind}"), 404, "not-found")


async def test_a_definition_can_be_put_back_as_it_was_read(client: Client, kind: str) -> None:
    await client.put(f"/types/{kind}", json={"schema": NAMED, "required": "If-Match"})
    read = await (await client.get(f"/types/{kind}")).json()

    again = await client.put(f"/types/{kind}", json=read)
    checked = await client.post(f"/types/{kind}/check", json=read)
    elsewhere = await client.put(f"/types/{kind}-b", json=read)

    assert [again.status, await again.json(), checked.status] == [200, read, 200]
    assert (await problem(elsewhere, 400, "invalid-request"))["errors"][0]["field"] == "type"


@pytest.mark.parametrize("kept", [b'{"from": "another release"}', b'{"schema": {"$ref": "#/nowhere"}}'])
async def test_a_definition_that_cannot_be_read_can_be_replaced_and_forgotten(
    client: Client, kind: str, kept: bytes
) -> None:
    await plant(client, kind, kept)
    client.app[SHELF].catalog.forget()

    refused = await problem(await client.post(f"/v1/{kind}", json={"name": "x"}), 503, "store-unavailable")
    checked = await client.post(f"/types/{kind}/check", json={})
    dry = await client.put(f"/types/{kind}?dryRun=true", json={})
    replaced = await client.put(
        f"/types/{kind}", json={"parent": {"type": f"{kind}-up", "property": "up", "as": "all"}}
    )
    await plant(client, kind, kept)
    client.app[SHELF].catalog.forget()
    forgotten = [await client.delete(f"/types/{kind}{query}") for query in ("?dryRun=true", "")]

    assert f"PUT /types/{kind} defines it anew" in refused["detail"]
    assert [each.status for each in (checked, dry, replaced, *forgotten)] == [200, 200, 200, 204, 204]
    assert (await client.post(f"/v1/{kind}", json={"name": "x"})).status == 201


async def test_types_come_in_pages(client: Client, kind: str) -> None:
    for name in (f"{kind}-a", f"{kind}-b"):
        await client.put(f"/types/{name}", json={})

    first = await client.get("/types?limit=1")

    assert len(await first.json()) == 1
    assert 'rel="next"' in first.headers["Link"]
    for name in (f"{kind}-a", f"{kind}-b"):
        await client.delete(f"/types/{name}")


async def test_a_schema_that_leads_to_itself_in_two_ways_holds_nobody_up(client: Client, kind: str) -> None:
    again = {"$ref": "#/$defs/node"}
    node = {"type": "object", "allOf": [{"properties": {"c": again}}, {"patternProperties": {"c": again}}]}
    assert (await client.put(f"/types/{kind}", json={"schema": {**again, "$defs": {"node": node}}})).status == 201
    document: Any = 1
    for _ in range(190):
        document = {"c": document}

    refused = await problem(await client.post(f"/v1/{kind}", json=document), 422, "schema-violation")

    assert [each["pointer"] for each in refused["errors"]] == ["/c" * 190]


async def test_a_schema_with_endless_references_is_refused(client: Client, kind: str) -> None:
    chain = {f"c{number}": {"$ref": f"#/$defs/c{number + 1}"} for number in range(3_000)}
    schema = {"$ref": "#/$defs/c0", "$defs": {**chain, "c3000": {}}}

    refused = await problem(await client.put(f"/types/{kind}", json={"schema": schema}), 400, "invalid-request")

    assert "more than 32 schemas for one value" in refused["detail"]


def twice(link: Callable[[Any], Any], **more: Any) -> Any:
    """A schema whose parts lead to one another thirty times, each time in two ways."""
    parts = {f"d{number}": link([{"$ref": f"#/$defs/d{number + 1}"}] * 2) for number in range(30)}
    return {"$ref": "#/$defs/d0", "$defs": {**parts, "d30": {}}, **more}


def nested(levels: int) -> Any:
    """A schema that asks at each level what the ones below have left."""
    schema: Any = {"properties": {"a": True}}
    for _ in range(levels):
        schema = {"anyOf": [schema], "unevaluatedProperties": False}
    return schema


DRAFT_7 = {"$id": "http://x/", "$schema": "http://json-schema.org/draft-07/schema#"}


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param(twice(lambda two: {"properties": {"a": {"allOf": two}}}), id="members"),
        pytest.param(twice(lambda two: {"properties": {"a": {"anyOf": two}}}), id="one of members"),
        pytest.param(twice(lambda two: {"items": {"oneOf": two}}), id="items"),
        pytest.param(twice(lambda two: {"dependencies": {"a": {"allOf": two}}}), id="dependencies"),
        pytest.param(
            {"allOf": [{**twice(lambda two: {"items": [{"allOf": two}]}), **DRAFT_7}]}, id="items of an earlier draft"
        ),
        pytest.param(nested(30), id="what is left"),
    ],
)
async def test_a_schema_whose_parts_multiply_on_the_way_down_is_refused(client: Client, kind: str, schema: Any) -> None:
    """A document of thirty levels would be gone through a billion times, and everybody wait."""
    await problem(await client.put(f"/types/{kind}", json={"schema": schema}), 400, "invalid-request")


async def test_values_in_a_schema_are_not_taken_for_schemas(client: Client, kind: str) -> None:
    schema = {"properties": {"rule": {"const": {"allOf": 5}}}}

    assert (await client.put(f"/types/{kind}", json={"schema": schema})).status == 201
    assert (await client.post(f"/v1/{kind}", json={"rule": {"allOf": 5}})).status == 201


async def test_a_schema_refuses_with_every_pointer(client: Client, kind: str) -> None:
    await client.put(f"/types/{kind}", json={"schema": NAMED})
    wrong = {"mail": "nobody", "phone": [{"value": "1"}, {"value": "x"}]}
    made = await (await client.post(f"/v1/{kind}", json={"name": "ok"})).json()
    path = f"/v1/{kind}/{made['id']}"

    created = await problem(await client.post(f"/v1/{kind}", json=wrong), 422, "schema-violation")
    patched = await client.patch(path, json={"name": None}, headers=MERGE)
    replaced = await client.put(path, json={"name": "x"})

    assert sorted(each["pointer"] for each in created["errors"]) == ["", "/mail", "/phone/1/value"]
    await problem(patched, 422, "schema-violation")
    await problem(replaced, 422, "schema-violation")
    assert await (await client.get(path)).json() == made


async def test_the_final_document_is_validated_not_each_step(client: Client, kind: str) -> None:
    await client.put(f"/types/{kind}", json={"schema": NAMED})
    made = await (await client.post(f"/v1/{kind}", json={"name": "ok"})).json()

    answer = await client.patch(
        f"/v1/{kind}/{made['id']}",
        json=[{"op": "remove", "path": "name"}, {"op": "add", "path": "name", "value": "new"}],
    )

    assert (answer.status, (await answer.json())["name"]) == (200, "new")


async def test_reverting_is_validated_too(client: Client, kind: str) -> None:
    made = await (await client.post(f"/v1/{kind}", json={})).json()
    await client.patch(f"/v1/{kind}/{made['id']}", json={"name": "ok"}, headers=MERGE)
    await client.put(f"/types/{kind}", json={"schema": NAMED})

    answer = await client.post(f"/v1/{kind}/{made['id']}/revert", json={"version": 1})

    await problem(answer, 422, "schema-violation")


async def test_identified_lists_can_be_named(client: Client, kind: str) -> None:
    await client.put(f"/types/{kind}", json={"identifiedLists": ["bed"]})

    made = await (await client.post(f"/v1/{kind}", json={"bed": [{}], "phone": [{}]})).json()

    assert made["bed"][0]["id"].startswith("bed-")
    assert made["phone"] == [{}]


@pytest.mark.parametrize(
    ("method", "body", "media_type"),
    [
        pytest.param(
            "PATCH", [{"op": "test", "path": "/bed/0", "value": {}}], "application/json-patch+json", id="test"
        ),
        pytest.param("PATCH", [{"op": "replace", "path": "bed/0", "value": {}}], "application/json", id="same item"),
        pytest.param("PATCH", {"bed": [{}]}, "application/merge-patch+json", id="same list"),
        pytest.param("PUT", {"name": "x", "bed": [{}]}, "application/json", id="same content"),
    ],
)
async def test_items_from_before_a_definition_get_no_ids_where_nothing_changes(
    client: Client, kind: str, method: str, body: Any, media_type: str
) -> None:
    made = await (await client.post(f"/v1/{kind}", json={"name": "x", "bed": [{}]})).json()
    await client.put(f"/types/{kind}", json={"identifiedLists": ["bed"]})

    path = f"/v1/{kind}/{made['id']}"
    answer = await client.request(method, path, data=json.dumps(body), headers={"Content-Type": media_type})

    assert (answer.status, answer.headers["ETag"], await answer.json()) == (200, '"1"', made)


async def test_items_from_before_a_definition_come_back_as_they_were(client: Client, kind: str) -> None:
    made = await (await client.post(f"/v1/{kind}", json={"bed": [{}]})).json()
    path = f"/v1/{kind}/{made['id']}"
    await client.put(f"/types/{kind}", json={"identifiedLists": ["bed"]})
    changed = await (await client.patch(path, json={"name": "x"}, headers=MERGE)).json()
    assert changed["bed"][0]["id"].startswith("bed-")

    answers = [await client.post(f"{path}/revert", json={"version": 1}) for _ in range(2)]

    assert [each.headers["ETag"] for each in answers] == ['"3"', '"3"']
    assert (await answers[0].json())["bed"] == [{}]


@pytest.mark.parametrize("required", ["If-Match", ["If-Match"]])
async def test_changes_may_need_if_match(client: Client, kind: str, required: Any) -> None:
    await client.put(f"/types/{kind}", json={"required": required})
    made = await client.post(f"/v1/{kind}", json={"name": "x"})
    path, tag = made.headers["Location"], made.headers["ETag"]

    answers = [
        await client.patch(path, json={"name": "y"}, headers=MERGE),
        await client.put(path, json={}),
        await client.delete(path),
        await client.post(f"{path}/revert", json={"version": 1}),
    ]

    for each in answers:
        await problem(each, 428, "precondition-required")
    assert (await client.patch(path, json={"name": "y"}, headers={**MERGE, "If-Match": tag})).status == 200


async def test_a_change_of_a_definition_counts_at_once(client: Client, kind: str) -> None:
    for minimum in range(1, 6):
        await client.put(f"/types/{kind}", json={"schema": {"properties": {"n": {"minimum": minimum}}}})

        assert (await client.post(f"/v1/{kind}", json={"n": minimum - 1})).status == 422
        assert (await client.post(f"/v1/{kind}", json={"n": minimum})).status == 201


@pytest.mark.parametrize(
    ("definition", "status", "code"),
    [
        pytest.param([], 400, "invalid-request", id="no object"),
        pytest.param({"shema": {}}, 400, "invalid-request", id="unknown member"),
        pytest.param({"schema": {"type": "nope"}}, 400, "invalid-request", id="no schema"),
        pytest.param({"schema": {"$ref": "https://example.com/a"}}, 400, "invalid-request", id="remote"),
        pytest.param({"schema": {"$ref": "http://169.254.169.254/"}}, 400, "invalid-request", id="metadata"),
        pytest.param({"schema": {"pattern": "(?<=a)b"}}, 400, "invalid-request", id="look-behind"),
        pytest.param({"schema": {"description": "x" * 300_000}}, 413, "too-large", id="enormous"),
        pytest.param({"required": ["If-None-Match"]}, 400, "invalid-request", id="unknown requirement"),
        pytest.param({"provider": "builtin\n"}, 400, "invalid-request", id="provider with a line end"),
        pytest.param({"parent": {"type": "clinic"}}, 400, "invalid-request", id="half a parent"),
        pytest.param(
            {"parent": {"type": "clinic", "property": "id", "as": "x"}}, 400, "invalid-request", id="owned property"
        ),
        pytest.param(
            {"parent": {"type": "clinic", "property": "identifier", "as": "x"}},
            400,
            "invalid-request",
            id="identifiers as property",
        ),
        pytest.param({"indexes": ["a..b"]}, 400, "invalid-request", id="no path"),
        pytest.param({"provider": "a b"}, 400, "invalid-request", id="provider"),
    ],
)
async def test_refused_definitions(client: Client, kind: str, definition: Any, status: int, code: str) -> None:
    await problem(await client.put(f"/types/{kind}", json=definition), status, code)
    await problem(await client.get(f"/types/{kind}"), 404, "not-found")


async def test_the_example_of_the_contract_is_a_definition_of_its_type(client: Client) -> None:
    operation = (await (await client.get("/openapi.json")).json())["paths"]["/types/{type}"]["put"]
    name = next(each["example"] for each in operation["parameters"] if each["in"] == "path")
    definition = operation["requestBody"]["content"]["application/json"]["examples"]["contained"]["value"]

    tried = await client.put(f"/types/{name}?dryRun=true", json=definition)

    assert tried.status == 201, await tried.text()


async def test_a_definition_that_was_kept_with_a_line_end_is_read(client: Client, kind: str) -> None:
    await plant(client, kind, b'{"provider": "builtin\\n"}')
    client.app[SHELF].catalog.forget()

    read = await client.get(f"/types/{kind}")

    assert (read.status, (await read.json())["provider"]) == (200, "builtin\n")


async def test_a_dry_run_defines_nothing(client: Client, kind: str) -> None:
    assert (await client.put(f"/types/{kind}?dryRun=true", json={"schema": NAMED})).status == 201
    await problem(await client.get(f"/types/{kind}"), 404, "not-found")


@pytest.fixture(name="mixed")
async def make_mixed(client: Client, kind: str) -> list[str]:
    """Five resources of which the last two break the schema; the ids of these."""
    names = ("one", "two", "three", "x", 5)
    ids = [(await (await client.post(f"/v1/{kind}", json={"name": name})).json())["id"] for name in names]
    await client.put(f"/types/{kind}", json={"schema": NAMED})
    return sorted(ids[3:])


async def test_existing_resources_are_checked(client: Client, kind: str, mixed: list[str]) -> None:
    report = await (await client.post(f"/types/{kind}/check")).json()

    assert (report["checked"], report["refused"]) == (5, 2)
    assert sorted(each["id"] for each in report["resources"]) == mixed
    assert {each["errors"][0]["pointer"] for each in report["resources"]} == {"/name"}
    assert (await client.get(f"/v1/{kind}/{mixed[0]}")).status == 200


async def test_a_definition_can_be_tried_before_it_is_put(client: Client, kind: str, mixed: list[str]) -> None:
    report = await (await client.post(f"/types/{kind}/check", json={"schema": {"required": ["size"]}})).json()

    assert len(mixed) < report["refused"] == report["checked"] == 5


async def test_a_check_tells_its_progress(client: Client, kind: str, mixed: list[str]) -> None:
    answer = await client.post(f"/types/{kind}/check", headers={"Accept": "application/x-ndjson"})
    lines = [json.loads(line) for line in (await answer.text()).splitlines()]

    assert sorted(each["refused"]["id"] for each in lines if "refused" in each) == mixed
    assert lines[-1] == {"progress": {"checked": 5, "refused": 2, "total": 5}}


async def test_a_dry_run_forgets_nothing(client: Client, kind: str) -> None:
    await client.put(f"/types/{kind}", json={})

    assert (await client.delete(f"/types/{kind}?dryRun=true")).status == 204
    assert (await client.get(f"/types/{kind}")).status == 200


@pytest.mark.parametrize("content", [{"up/~": 5}, {"up/~": ""}, {}], ids=["number", "empty", "absent"])
async def test_a_check_tells_of_missing_parents(client: Client, kind: str, content: Any) -> None:
    made = await (await client.post(f"/v1/{kind}", json=content)).json()
    definition = {"parent": {"type": "clinic", "property": "up/~", "as": "below"}}

    report = await (await client.post(f"/types/{kind}/check", json=definition)).json()

    assert [each["id"] for each in report["resources"]] == [made["id"]]
    assert report["resources"][0]["errors"][0]["pointer"] == "/up~1~0"


async def test_indexes_are_bounded(client: Client, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "_MOST_INDEXES", 0)

    for query in ("?dryRun=true", ""):
        answer = await client.put(f"/types/{kind}{query}", json={"indexes": [f"x{kind}"]})
        await problem(answer, 400, "invalid-request")


async def test_an_index_that_no_definition_names_gives_way(
    client: Client, kind: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    await client.put(f"/types/{kind}-1", json={"indexes": [f"x{kind}"]})
    await client.delete(f"/types/{kind}-1")
    with pymongo.MongoClient[dict[str, object]](settings.mongodb_uri) as mongo:
        made = mongo[settings.mongodb_database]["resources"].index_information()
    monkeypatch.setattr(members, "_MOST_INDEXES", len(made))

    assert (await client.put(f"/types/{kind}", json={"indexes": [f"y{kind}"]})).status == 201


async def test_generations_are_bounded(client: Client, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(types, "_MOST_GENERATIONS", 1)
    await client.put(f"/types/{kind}", json={"parent": {"type": f"{kind}-up", "property": "up", "as": "a"}})

    definition = {"parent": {"type": kind, "property": "up", "as": "b"}}
    answer = await client.put(f"/types/{kind}-down", json=definition)

    await problem(answer, 400, "invalid-request")
