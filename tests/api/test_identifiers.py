"""`{id}` may be any identifier of a resource; identifiers are unique within their type and system."""

import asyncio
import uuid
from typing import Any
from urllib.parse import quote

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


@pytest.fixture(name="mark")
def make_mark() -> str:
    """What makes this test's identifiers its own."""
    return uuid.uuid4().hex


def clinic(*identifiers: tuple[str, str]) -> dict[str, Any]:
    return {"identifier": [{"system": system, "value": value} for system, value in identifiers]}


def path_to(reference: str) -> URL:
    return URL(f"/v1/clinic/{quote(reference, safe='')}", encoded=True)


@pytest.mark.parametrize(
    ("system", "value"),
    [
        ("npi", "1234"),
        ("http://hl7.org/fhir/sid/us-npi", "12/34:56"),
        ("urn:oid:1.2.3", "a|b||c"),
        ("", "no system"),
        ("sys%20tem", "100% é\u00df\U0001f600"),
        ("a?b#c", "../x"),
    ],
)
async def test_a_resource_is_found_by_value_and_by_system_and_value(
    client: Client, mark: str, system: str, value: str
) -> None:
    made = await (await client.post("/v1/clinic", json=clinic((system, value + mark)))).json()

    answers = [await client.get(path_to(value + mark)), await client.get(path_to(f"{system}|{value}{mark}"))]

    assert [await each.json() for each in answers] == [made, made]


async def test_every_method_takes_identifiers(client: Client, mark: str) -> None:
    made = await (await client.post("/v1/clinic", json={**clinic(("npi", mark)), "n": 1})).json()
    path = path_to(f"npi|{mark}")

    patched = await client.patch(path, json={"n": 2}, headers={**MERGE, "If-Match": '"1"'})
    replaced = await client.put(path, json={**clinic(("npi", mark)), "n": 3})
    history = await client.get(URL(f"{path}/history", encoded=True))
    deleted = await client.delete(path)

    assert [(await patched.json())["n"], (await replaced.json())["n"]] == [2, 3]
    assert len(await history.json()) == 3
    assert deleted.status == 204
    assert (await client.get(f"/v1/clinic/{made['id']}")).status == 410
    assert (await client.get(path)).status == 404


async def test_an_identifier_has_one_holder(client: Client, mark: str) -> None:
    first = await (await client.post("/v1/clinic", json=clinic(("npi", mark)))).json()
    other = await (await client.post("/v1/clinic", json={})).json()

    created = await client.post("/v1/clinic", json=clinic(("npi", mark)))
    patched = await client.patch(f"/v1/clinic/{other['id']}", json=clinic(("npi", mark)), headers=MERGE)
    elsewhere = await client.post("/v1/practice", json=clinic(("npi", mark)))

    await problem(created, 409, "duplicate-identifier")
    await problem(patched, 409, "duplicate-identifier")
    assert elsewhere.status == 201
    assert (await (await client.get(path_to(mark))).json())["id"] == first["id"]


async def test_a_bare_value_of_two_resources_is_ambiguous(client: Client, mark: str) -> None:
    first = await (await client.post("/v1/clinic", json=clinic(("a", mark)))).json()
    await client.post("/v1/clinic", json=clinic(("b", mark)))

    await problem(await client.get(path_to(mark)), 409, "ambiguous-identifier")
    await problem(await client.patch(path_to(mark), json={}, headers=MERGE), 409, "ambiguous-identifier")
    assert (await (await client.get(path_to(f"a|{mark}"))).json())["id"] == first["id"]


async def test_one_value_in_two_systems_of_one_resource_is_not_ambiguous(client: Client, mark: str) -> None:
    made = await (await client.post("/v1/clinic", json=clinic(("a", mark), ("b", mark), ("a", mark)))).json()

    assert (await (await client.get(path_to(mark))).json())["id"] == made["id"]


async def test_identifiers_follow_the_content(client: Client, mark: str) -> None:
    made = await (await client.post("/v1/clinic", json=clinic(("a", mark + "1"), ("a", mark + "2")))).json()
    path = f"/v1/clinic/{made['id']}"

    await client.patch(path, json=clinic(("a", mark + "2"), ("a", mark + "3")), headers=MERGE)

    found = [(await client.get(path_to(mark + number))).status for number in "123"]
    assert found == [404, 200, 200]
    await client.post(f"{path}/revert", json={"version": 1})
    found = [(await client.get(path_to(mark + number))).status for number in "123"]
    assert found == [200, 200, 404]


async def test_a_deleted_holder_lets_go_and_takes_back(client: Client, mark: str) -> None:
    first = await (await client.post("/v1/clinic", json=clinic(("a", mark)))).json()
    await client.delete(f"/v1/clinic/{first['id']}")

    second = await client.post("/v1/clinic", json=clinic(("a", mark)))
    back = await client.post(f"/v1/clinic/{first['id']}/revert", json={"version": 1})

    assert second.status == 201
    await problem(back, 409, "duplicate-identifier")
    await client.delete(second.headers["Location"])
    again = await client.post(f"/v1/clinic/{first['id']}/revert", json={"version": 1})
    assert again.status == 200
    assert (await client.get(path_to(mark))).status == 200


@pytest.mark.parametrize("round_number", range(20))
async def test_of_two_claimants_at_once_exactly_one_wins(client: Client, mark: str, round_number: int) -> None:
    others = [await (await client.post("/v1/clinic", json={})).json() for _ in range(2)]

    answers = await asyncio.gather(
        client.post("/v1/clinic", json=clinic(("npi", mark))),
        client.post("/v1/clinic", json=clinic(("npi", mark))),
        *(
            client.patch(f"/v1/clinic/{each['id']}", json=clinic(("npi", mark)), headers=MERGE)
            for each in others[: round_number % 3]
        ),
    )

    assert min(each.status for each in answers) in (200, 201)
    assert {each.status for each in answers if each.status >= 300} == {409}
    assert sum(each.status < 300 for each in answers) == 1
    assert (await client.get(path_to(mark))).status == 200


@pytest.mark.parametrize("identifier", [5, {}, [5], [{"value": 5}], [{"system": "x"}], [{"value": ""}], None])
async def test_what_is_no_identifier_claims_nothing(client: Client, identifier: Any) -> None:
    assert (await client.post("/v1/clinic", json={"identifier": identifier})).status == 201
    assert (await client.post("/v1/clinic", json={"identifier": identifier})).status == 201


async def test_identifiers_are_bounded(client: Client) -> None:
    many = await client.post("/v1/clinic", json=clinic(*(("a", str(number)) for number in range(201))))
    long = await client.post("/v1/clinic", json=clinic(("a", "x" * 600)))

    await problem(many, 422, "too-large")
    assert (await problem(long, 422, "too-large"))["errors"][0]["pointer"] == "/identifier/0"


@pytest.mark.parametrize("name", ["a|b", "-x", "a b", "x" * 201, "é"])
async def test_ids_that_would_read_as_identifiers_cannot_be_chosen(client: Client, name: str) -> None:
    answer = await client.put(path_to(name), json={}, headers={"If-None-Match": "*"})

    await problem(answer, 400, "invalid-request")


@pytest.mark.parametrize("dry", ["true", "false"])
async def test_an_identifier_of_another_cannot_be_chosen_as_an_id(client: Client, mark: str, dry: str) -> None:
    made = await (await client.post("/v1/clinic", json=clinic(("npi", mark)))).json()

    refused = await client.put(f"/v1/clinic/{mark}?dryRun={dry}", json={}, headers={"If-None-Match": "*"})
    elsewhere = await client.put(f"/v1/practice/{mark}?dryRun={dry}", json={}, headers={"If-None-Match": "*"})

    assert (await problem(refused, 412, "version-conflict"))["detail"].endswith("to change what stands.")
    assert refused.headers["ETag"] == '"1"'
    assert elsewhere.status == 201
    assert await (await client.get(f"/v1/clinic/{mark}")).json() == made


async def test_an_identifier_that_was_let_go_can_be_chosen_as_an_id(client: Client, mark: str) -> None:
    made = await (await client.post("/v1/clinic", json=clinic(("npi", mark)))).json()
    await client.delete(f"/v1/clinic/{made['id']}")

    answer = await client.put(f"/v1/clinic/{mark}", json={}, headers={"If-None-Match": "*"})

    assert answer.status == 201
