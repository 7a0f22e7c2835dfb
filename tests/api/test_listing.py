"""`GET /v1/{type}`: filters, operators, order, chosen members, cursors; and what tries to be more than a filter."""

import base64
import json
import uuid
from typing import Any

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient
from yarl import URL

from service.api.paging import write_cursor

Client = TestClient[web.Request, web.Application]
MERGE = {"Content-Type": "application/merge-patch+json"}
CLINICS: list[dict[str, Any]] = [
    {"name": "Foot clinic", "beds": 5, "phone": [{"use": "main", "value": "1"}, {"use": "fax", "value": "2"}]},
    {"name": "Hand clinic", "beds": 5.0, "phone": [{"use": "fax", "value": "3"}], "open": True},
    {"name": "Foot spa", "beds": 40, "open": None, "address": {"city": "Ghent"}},
    {"name": 7, "beds": "many", "$where": "x", "a.b": 1},
    {"name": "7", "big": 2**70, "tags": ["a", "b"], "open": 1},
]


async def problem(response: ClientResponse, status: int, code: str) -> Any:
    body = await response.json()
    assert (response.status, body["code"]) == (status, code), body
    return body


@pytest.fixture(name="kind")
async def make_clinics(client: Client) -> str:
    """A type of the test's own that holds the clinics, in order."""
    kind = f"l{uuid.uuid4().hex[:12]}"
    for each in CLINICS:
        assert (await client.post(f"/v1/{kind}", json=each)).status == 201
    return kind


async def found(client: Client, kind: str, query: str) -> list[int]:
    """Which clinics the list has, by their place in `CLINICS`."""
    response = await client.get(URL(f"/v1/{kind}?{query}", encoded=True))
    assert response.status == 200, await response.text()
    names = [json.dumps(each["name"]) for each in CLINICS]
    return [names.index(json.dumps(each["name"])) for each in await response.json()]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [0, 1, 2, 3, 4]),
        ("name=Foot%20clinic", [0]),
        ("name=7", [3]),
        ('name="7"', [4]),
        ("beds=5", [0, 1]),
        ("beds=5.0", [0, 1]),
        ("beds[gt]=5", [2]),
        ("beds[gte]=5", [0, 1, 2]),
        ("beds[gte]=5&beds[lt]=40", [0, 1]),
        ("beds[lte]=5", [0, 1]),
        ("name[gt]=Foot+clinic", [1, 2]),
        ("beds[ne]=5", [2, 3, 4]),
        ("name[in]=Foot+spa,7", [2, 3]),
        ('name[in]=["Foot+spa","7"]', [2, 4]),
        ("name[nin]=Foot+spa,7", [0, 1, 4]),
        ("phone.use=main", [0]),
        ("phone.use=fax", [0, 1]),
        ("phone.0.use=fax", [1]),
        ("phone[exists]=true", [0, 1]),
        ("phone[exists]=false&beds[exists]=true", [2, 3]),
        ("open=true", [1]),
        ("open=1", [4]),
        ("open=null", [2]),
        ("open[ne]=null", [1, 4]),
        ("name[prefix]=Foot", [0, 2]),
        ("name[prefix]=Foot.", []),
        ("name[prefix]=7", [4]),
        ("address.city=Ghent", [2]),
        ("tags=b", [4]),
        ("big=1180591620717411303424", [4]),
        ("big[gt]=1", [4]),
        ("$where=x", [3]),
        ("createdAt[gt]=2020-01-01T00:00:00Z&createdAt[lt]=2999-01-01T00:00:00%2B01:00", [0, 1, 2, 3, 4]),
        ("updatedAt[lt]=2020-01-01T00:00:00Z", []),
        ("id=none", []),
        ("sort=-createdAt", [4, 3, 2, 1, 0]),
        ("sort=name", [3, 4, 0, 2, 1]),
        ("sort=-name", [1, 2, 0, 4, 3]),
        ("sort=beds,-name", [4, 1, 0, 2, 3]),
        ("sort=-beds&limit=2", [3, 2]),
        ("sort=nothing,name&name[prefix]=F", [0, 2]),
    ],
)
async def test_lists(client: Client, kind: str, query: str, expected: list[int]) -> None:
    assert await found(client, kind, query) == expected


@pytest.mark.parametrize(
    "sort", ["", "createdAt", "-createdAt", "updatedAt", "id", "-id", "name", "-beds,name", "open"]
)
@pytest.mark.parametrize("limit", [1, 2, 3])
async def test_pages_make_up_the_list(client: Client, kind: str, sort: str, limit: int) -> None:
    query = {"sort": sort} if sort else {}
    whole = await (await client.get(f"/v1/{kind}", params=query)).json()

    pages, url = [], URL(f"/v1/{kind}").with_query({**query, "limit": limit})
    for _ in range(len(CLINICS)):
        answer = await client.get(url)
        pages.append(await answer.json())
        if "Link" not in answer.headers:
            break
        url = URL(answer.links["next"]["url"]).relative()

    assert [len(each) for each in pages[:-1]] == [limit] * (len(pages) - 1)
    assert [item for page in pages for item in page] == whole
    assert len(whole) == len(CLINICS)


@pytest.mark.parametrize("sort", ["note", "-note", "note,id", "-id"])
async def test_pages_go_on_however_long_the_texts_and_filters_are(client: Client, kind: str, sort: str) -> None:
    kind = f"{kind}-long"
    notes = [f"{number}{chr(233) * 7000}" for number in (2, 0, 1)] + ["same" * 500] * 2
    made = [await (await client.post(f"/v1/{kind}", json={"note": note})).json() for note in notes]
    wanted = ",".join(each["id"] for each in made) + ("," + "n" * 36) * 90

    url, seen = URL(f"/v1/{kind}").with_query({"sort": sort, "limit": 2, "id[in]": wanted}), []
    for _ in range(3):
        answer = await client.get(url)
        assert answer.status == 200, await answer.text()
        seen += await answer.json()
        url = URL(answer.links["next"]["url"]).relative() if "Link" in answer.headers else url

    member = sort.split(",", maxsplit=1)[0].removeprefix("-")
    expected = sorted(made, key=lambda each: (each[member], each["id"]), reverse=sort.startswith("-"))
    assert [each["id"] for each in seen] == [each["id"] for each in expected]


async def test_pages_are_stable_under_concurrent_writes(client: Client, kind: str) -> None:
    first = await client.get(f"/v1/{kind}?limit=2")
    shown = await first.json()
    await client.delete(f"/v1/{kind}/{shown[0]['id']}")
    await client.patch(f"/v1/{kind}/{shown[1]['id']}", json={"beds": 9}, headers=MERGE)
    await client.post(f"/v1/{kind}", json={"name": "new"})

    url = URL(first.links["next"]["url"]).relative().update_query(limit=10)
    rest = await (await client.get(url)).json()

    assert [each["name"] for each in rest] == ["Foot spa", 7, "7", "new"]


async def test_deleted_resources_are_on_no_list(client: Client, kind: str) -> None:
    shown = await (await client.get(f"/v1/{kind}")).json()
    await client.delete(f"/v1/{kind}/{shown[0]['id']}")

    assert await (await client.get(f"/v1/{kind}")).json() == shown[1:]
    assert await (await client.get(f"/v1/{kind}?id={shown[0]['id']}")).json() == []
    assert await (await client.get(f"/v1/{kind}?id[in]={shown[0]['id']},{shown[2]['id']}")).json() == [shown[2]]


async def test_members_can_be_chosen(client: Client, kind: str) -> None:
    shown = await (await client.get(f"/v1/{kind}?fields=name,phone.value,address,none&limit=3")).json()

    assert [sorted(each) for each in shown] == [
        ["id", "name", "phone"],
        ["id", "name", "phone"],
        ["address", "id", "name"],
    ]
    assert shown[0]["phone"] == [{"value": "1"}, {"value": "2"}]
    assert shown[2]["address"] == {"city": "Ghent"}


async def test_contained_resources_are_shown_on_lists(client: Client, kind: str) -> None:
    shown = await (await client.get(f"/v1/{kind}")).json()
    parent = {"type": kind, "property": "clinic", "as": "practices"}
    await client.put(f"/types/{kind}-p", json={"parent": parent})
    made = await (await client.post(f"/v1/{kind}-p", json={"clinic": shown[1]["id"]})).json()

    listed = await (await client.get(f"/v1/{kind}")).json()
    names = await (await client.get(f"/v1/{kind}?fields=name")).json()

    assert [each["practices"] for each in listed] == [[], [made], [], [], []]
    assert [sorted(each) for each in names] == [["id", "name"]] * 5
    await client.delete(f"/types/{kind}-p")


@pytest.mark.parametrize(
    "query",
    [
        "name[$gt]=",
        "name[$ne]=1",
        "name[$where]=1",
        "name[regex]=.*",
        "name[like]=x",
        "name[]=x",
        "name[[eq]]=x",
        "[eq]=x",
        "=x",
        ".=x",
        "a..b=x",
        ".a=x",
        "a.b.c.d.e.f.g.h.i=x",
        'name={"$gt":""}',
        'name[ne]={"$gt":""}',
        'name[in]=[{"$gt":""}]',
        'name[in]={"$gt":""}',
        'name[in]=[["a"]]',
        "name[exists]=1",
        "name[exists]={}",
        "name[prefix]=",
        "name[prefix]=%00",
        "createdAt=yesterday",
        "updatedAt[gt]={}",
        "sort=",
        "sort=-",
        "sort=a..b",
        "sort=a,b,c,d",
        "fields=",
        "fields=a,,b",
        "limit=0",
        "limit=501",
        "cursor=x",
        "cursor=",
        "name%00=x",
    ],
)
async def test_what_is_no_filter_is_refused(client: Client, kind: str, query: str) -> None:
    await problem(await client.get(URL(f"/v1/{kind}?{query}", encoded=True)), 400, "invalid-request")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("$where", "sleep(10000)"),
        ("$or", "x"),
        ("$expr", "true"),
        ("name.$gt", "x"),
        ("name.$eq", "Foot clinic"),
        ("content.name", "Foot clinic"),
        ("deleted", "true"),
        ("type", "clinic"),
        ("_id", "x"),
        ("v", "1"),
        ("log.w", "x"),
        ("__proto__.x", "1"),
        ("name", "{$gt: ''}"),
        ("name", "'; return true; var x='"),
        ("name[prefix]", ".*"),
        ("name[prefix]", "^Foot"),
        ("name[prefix]", "(a+)+$"),
        ("name[prefix]", "\\QFoot"),
        ("name[in]", "$name"),
        ("name", "$name"),
        ("name[ne]", "$$ROOT"),
    ],
)
async def test_operators_of_the_database_are_names_and_values_here(
    client: Client, kind: str, name: str, value: str
) -> None:
    answer = await client.get(f"/v1/{kind}", params={name: value})

    listed = await answer.json()
    assert answer.status == 200
    assert len(listed) == (5 if name == "name[ne]" else 0)


@pytest.mark.parametrize(
    "reference", ["$ne", '{"$gt":""}', "[$ne]=", "..", "%2e%2e%2f", "|", "||", "*", "a|$gt", "\u0000"]
)
async def test_references_are_text(client: Client, kind: str, reference: str) -> None:
    answer = await client.get(URL(f"/v1/{kind}").joinpath(reference) if reference != ".." else f"/v1/{kind}/%2e%2e")

    assert answer.status in (404, 405)


async def test_all_faults_of_a_query_are_told_at_once(client: Client, kind: str) -> None:
    body = await problem(await client.get(f"/v1/{kind}?a[x]=1&b[y]=2&createdAt=z"), 400, "invalid-request")

    assert [each["field"] for each in body["errors"]] == ["a[x]", "b[y]", "createdAt"]


async def test_filters_are_bounded(client: Client, kind: str) -> None:
    many = "&".join(f"a{number}=1" for number in range(21))
    choices = ",".join(map(str, range(201)))

    await problem(await client.get(f"/v1/{kind}?{many}"), 400, "invalid-request")
    await problem(await client.get(f"/v1/{kind}?a[in]={choices}"), 400, "invalid-request")


@pytest.mark.parametrize(
    "other", ["?limit=1&sort=name", "?limit=1&name=x", "-other?limit=1", "?limit=1&sort=-createdAt"]
)
async def test_a_cursor_belongs_to_its_list(client: Client, kind: str, other: str) -> None:
    first = await client.get(f"/v1/{kind}?limit=1")
    cursor = URL(first.links["next"]["url"]).query["cursor"]

    await problem(await client.get(f"/v1/{kind}{other}&cursor={cursor}"), 400, "invalid-request")


@pytest.mark.parametrize(
    "place", [[[], "x"], [[1], "x"], [[None], "x"], [["a", "b"], "x"], [["a"], 1], ["a"], {}, [[{"$gt": ""}], "x"]]
)
async def test_forged_cursors_are_refused(client: Client, kind: str, place: Any) -> None:
    first = await client.get(f"/v1/{kind}?limit=1")
    given = URL(first.links["next"]["url"]).query["cursor"]
    listed, real = json.loads(base64.urlsafe_b64decode(given + "=" * (-len(given) % 4)))

    assert (await client.get(f"/v1/{kind}?cursor={write_cursor(listed, real)}")).status == 200
    await problem(await client.get(f"/v1/{kind}?cursor={write_cursor(listed, place)}"), 400, "invalid-request")


async def test_a_stale_cursor_goes_on_where_it_stood(client: Client, kind: str) -> None:
    first = await client.get(f"/v1/{kind}?limit=2")
    for each in await (await client.get(f"/v1/{kind}")).json():
        await client.delete(f"/v1/{kind}/{each['id']}")

    assert await (await client.get(URL(first.links["next"]["url"]).relative())).json() == []


async def test_named_members_are_indexed(client: Client, kind: str) -> None:
    defined = await client.put(f"/types/{kind}", json={"indexes": ["name", "phone.use"]})

    assert defined.status == 201
    assert await found(client, kind, "phone.use=main&name=Foot+clinic") == [0]
    await client.delete(f"/types/{kind}")


async def test_an_unknown_type_has_an_empty_list(client: Client) -> None:
    assert await (await client.get("/v1/nothing-of-this")).json() == []
