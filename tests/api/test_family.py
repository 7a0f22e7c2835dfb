"""`compare`, the merges and `graft`, from outside: JSON and form, answers, metadata."""

import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData, web
from aiohttp.test_utils import TestClient

from service.api import family_examples
from tests.api.conftest import Starter

SAMPLE = json.loads((Path(__file__).parents[1] / "cases" / "compare-sample.json").read_text())
Client = TestClient[web.Request, web.Application]
VERSIONS = ("v1", "v2")
A, B = SAMPLE["a"], SAMPLE["b"]


def inline(**documents: Any) -> dict[str, Any]:
    return {name: {"type": "inline", "value": value} for name, value in documents.items()}


async def post(client: Client, route: str, body: dict[str, Any], *, version: str = "v1") -> Any:
    response = await client.post(f"/api/json/{version}/{route}", json=body)
    assert response.status == 200, await response.text()
    return await response.json()


@pytest.mark.parametrize("version", VERSIONS)
async def test_compare_answers_an_envelope_with_the_delta(client: Client, version: str) -> None:
    answer = await post(
        client, "compare", {**inline(a=A, b=B), "arrayAlignment": "typeWithValuePriority"}, version=version
    )

    envelope = answer["dx_deltaJSON"]
    assert list(envelope) == ["dx_data_sets", "dx_deltaJSON_type", "dx_deltaJSON_metadata", "dx_deltaJSON_delta"]
    assert envelope["dx_data_sets"] == "A!=B"
    assert envelope["dx_deltaJSON_type"] == "diff"
    assert envelope["dx_deltaJSON_metadata"] == {
        "operation": {"type": "compare", "input-format": "inline", "output-format": "JSON"},
        "parameters": {"output": "fullContext", "arrayAlignment": "typeWithValuePriority", "wordByWord": False},
    }
    assert envelope["dx_deltaJSON_delta"]["age"] == {"dx_delta": {"A": 21, "B": 22}}


async def test_equal_documents_are_said_to_be_equal(client: Client) -> None:
    answer = await post(
        client, "compare", {**inline(a={"n": 1, "l": [1, 2]}, b={"l": [2, 1], "n": 1.0}), "metadata": "false"}
    )

    assert answer == {
        "dx_deltaJSON": {
            "dx_data_sets": "A=B", "dx_deltaJSON_type": "diff", "dx_deltaJSON_delta": {"n": 1, "l": [1, 2]}
        }
    }  # fmt: skip


async def test_compare_by_form_says_how_the_inputs_came(client: Client) -> None:
    form = FormData()
    form.add_field("a", json.dumps(A), filename="a.json", content_type="application/json")
    form.add_field("b", json.dumps(B))
    form.add_field("wordByWord", "true")
    form.add_field("output", "changesOnly")
    form.add_field("dxConfig", '[{"ignoreChanges": "delete", "key": "hobbies"}]')

    response = await client.post("/api/json/v2/compare", data=form)

    envelope = (await response.json())["dx_deltaJSON"]
    assert envelope["dx_deltaJSON_type"] == "update"
    assert envelope["dx_deltaJSON_metadata"]["operation"]["input-format"] == "multi_part_strings"
    assert envelope["dx_deltaJSON_delta"]["name"]["dx_delta_string"][0] == {"dx_delta": {"B": "Mr "}}
    assert "hobbies" not in envelope["dx_deltaJSON_delta"]


@pytest.mark.parametrize("route", ["merge", "two-way-merge"])
async def test_two_way_merge_answers_the_merged_document(client: Client, route: str) -> None:
    merged = await post(client, route, {**inline(a=A, b=B), "mergePriority": "b", "wordByWord": "true"})

    assert merged["name"] == "Mr John Joe Smith"
    assert merged["age"] == 22
    assert merged["owner"] is True
    assert merged["pet"] == "dog"


async def test_three_way_merge_shows_conflicts_as_data(client: Client) -> None:
    request = inline(ancestor={"n": 1, "m": 1}, edit1={"n": 2, "m": 1}, edit2={"n": 3, "m": 4})

    envelope = (await post(client, "three-way-merge", request))["dx_deltaJSON"]

    assert envelope["dx_deltaJSON_type"] == "three-way-merge"
    assert envelope["dx_deltaJSON_delta"] == {"n": {"dx_delta": {"A": 2, "B": 3}}, "m": 4}
    assert envelope["dx_deltaJSON_metadata"]["conflicts"] == [
        {"path": "/n", "kind": "modify/modify", "base": 1, "edit1": 2, "edit2": 3}
    ]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        pytest.param({"threeWayMergeMode": "resolveUsingEdit1"}, {"n": 2, "m": 2}, id="edit1"),
        pytest.param({"threeWayMergeMode": "resolveUsingEdit2"}, {"n": 3, "m": 3}, id="edit2"),
        pytest.param(
            {"threeWayMergeMode": "resolveUsingEdit1", "resolutions": [{"path": "/m", "use": "base"}]},
            {"n": 2, "m": 1},
            id="one path otherwise",
        ),
    ],
)
async def test_three_way_merge_resolves_by_mode_and_path(client: Client, more: Any, expected: Any) -> None:
    request = inline(ancestor={"n": 1, "m": 1}, edit1={"n": 2, "m": 2}, edit2={"n": 3, "m": 3})

    assert await post(client, "three-way-merge", request | more) == expected


@pytest.mark.parametrize("version", VERSIONS)
async def test_what_compare_answers_can_be_grafted(client: Client, version: str) -> None:
    changeset = await post(client, "compare", {**inline(a=A, b=B), "arrayAlignment": "inOrder"}, version=version)

    grafted = await post(client, "graft", inline(changeset=changeset, target=A), version=version)

    assert {**grafted, "hobbies": sorted(grafted["hobbies"])} == {**B, "hobbies": sorted(B["hobbies"])}


async def test_graft_tells_on_request_what_found_no_place(client: Client) -> None:
    changeset = await post(client, "compare", inline(a={"x": {"y": 1}}, b={"x": {"y": 2}}))

    envelope = await post(client, "graft", {**inline(changeset=changeset, target={"z": 1}), "metadata": True})

    assert envelope["dx_deltaJSON"]["dx_deltaJSON_type"] == "graft"
    assert envelope["dx_deltaJSON"]["dx_deltaJSON_metadata"]["ignored"] == ["/x/y"]
    assert envelope["dx_deltaJSON"]["dx_deltaJSON_delta"] == {"z": 1}


@pytest.mark.parametrize(
    ("route", "requests", "answers"),
    [
        pytest.param("compare", family_examples.COMPARE, family_examples.DELTAS, id="compare"),
        pytest.param("merge", family_examples.TWO_WAY, family_examples.MERGED, id="merge"),
        pytest.param("graft", family_examples.GRAFT, family_examples.GRAFTED, id="graft"),
    ],
)
async def test_the_examples_of_the_contract_are_true(client: Client, route: str, requests: Any, answers: Any) -> None:
    assert await post(client, route, requests["inline"]) == answers["sample"]


@pytest.mark.parametrize("name", ["conflicts", "resolved"])
async def test_the_examples_of_the_three_way_merge_are_true(client: Client, name: str) -> None:
    answer = await post(client, "three-way-merge", family_examples.THREE_WAY[name])

    assert answer == family_examples.THREE_WAY_ANSWERS[name]


async def test_a_bound_that_was_met_is_said(client: Client) -> None:
    before = [{"kind": "a", "n": i % 3, "old": True} for i in range(2000)]
    after = [{"kind": "a", "n": i % 3, "new": True} for i in range(2000)]

    response = await client.post("/api/json/v1/compare", json=inline(a=before, b=after))

    assert response.headers["Patchbay-Diff"] == "bounded"
    assert (await response.json())["dx_deltaJSON"]["dx_deltaJSON_metadata"]["bounded"] is True


BY_ID = {"arrayAlignment": "keyed", "keys": ["id"]}
NESTED: dict[str, Any] = {"l": [{"id": 1}, {"id": 2, "m": [{"id": 1}]}]}
REPEATED = {"l": [{"id": 2, "m": [{"id": 1}, {"id": 1}]}]}
EMPTIED: dict[str, Any] = {"l": [{"id": 3}, {"id": 4}, {"id": 2, "m": []}]}
REFUSED: list[Any] = [
    pytest.param("compare", inline(a=1), 400, {"field": "b"}, id="one of two inputs"),
    pytest.param("three-way-merge", inline(ancestor=1, edit1=2), 400, {"field": "edit2"}, id="two of three inputs"),
    pytest.param("graft", inline(target=1), 400, {"field": "changeset"}, id="no changeset"),
    pytest.param("compare", {**inline(a=1, b=1), "moves": True}, 400, {"field": "moves"}, id="member of patch"),
    pytest.param("compare", {**inline(a=1, b=1), "output": "all"}, 400, {"field": "output"}, id="unknown output"),
    pytest.param(
        "compare", {**inline(a=1, b=1), "wordByWord": "yes"}, 400, {"field": "wordByWord"}, id="neither true nor false"
    ),
    pytest.param("compare", {**inline(a=1, b=1), "keys": ["id"]}, 400, {"field": "keys"}, id="keys without keyed"),
    pytest.param(
        "compare", {**inline(a=1, b=1), "dxConfig": [{"moves": True}]}, 400, {"field": "dxConfig[0]"}, id="instruction"
    ),
    pytest.param("merge", {**inline(a=1, b=1), "mergePriority": "c"}, 400, {"field": "mergePriority"}, id="priority"),
    pytest.param(
        "compare", inline(a={"x": [{"dx_delta": 1}]}, b=1), 422, {"input": "a", "pointer": "/x/0/dx_delta"}, id="delta"
    ),
    pytest.param(
        "three-way-merge",
        inline(ancestor=1, edit1=1, edit2={"dx_deltaJSON": 1}),
        422,
        {"input": "edit2"},
        id="envelope",
    ),
    pytest.param("graft", inline(changeset={"a": 1}, target=1), 400, {"input": "changeset"}, id="no delta"),
    pytest.param(
        "graft",
        inline(changeset={"dx_deltaJSON": {"dx_deltaJSON_type": "update", "dx_deltaJSON_delta": {}}}, target=1),
        400,
        {"input": "changeset", "pointer": "/dx_deltaJSON/dx_deltaJSON_type"},
        id="changes only",
    ),
    pytest.param(
        "three-way-merge",
        {**inline(ancestor=1, edit1=2, edit2=3), "resolutions": [{"path": "/x", "use": "edit1"}]},
        400,
        {"field": "resolutions", "pointer": "/x"},
        id="no conflict there",
    ),
    pytest.param(
        "three-way-merge",
        {
            **inline(ancestor=1, edit1=2, edit2=3),
            "resolutions": [{"path": "", "use": "edit1"}, {"path": "", "use": "edit2"}],
        },
        400,
        {"field": "resolutions[1]"},
        id="a conflict resolved in two ways",
    ),
    pytest.param(
        "compare",
        {**inline(a={"l": [{"id": 1}, {"id": 1}]}, b={"l": []}), "arrayAlignment": "keyed", "keys": ["id"]},
        422,
        {"input": "a", "pointer": "/l/1"},
        id="repeated key",
    ),
    *(
        pytest.param(
            route,
            {**inline(a=NESTED, b={"l": [{"id": 2, "m": [{}]}]}), **BY_ID},
            422,
            {"input": "b", "pointer": "/l/0/m/0"},
            id=f"missing key, which stands elsewhere in a: {route}",
        )
        for route in ("compare", "merge")
    ),
    *(
        pytest.param(
            "three-way-merge",
            {**inline(**{**dict.fromkeys(("ancestor", "edit1", "edit2"), NESTED), **edited}), **BY_ID},
            422,
            {"input": name, "pointer": "/l/0/m/1"},
            id=f"repeated key in {name}",
        )
        for name, edited in (
            ("ancestor", {"ancestor": REPEATED, "edit1": EMPTIED}),
            ("edit1", {"edit1": REPEATED, "edit2": EMPTIED}),
            ("edit2", {"edit2": REPEATED, "edit1": EMPTIED}),
        )
    ),
]


@pytest.mark.parametrize(("route", "body", "status", "facts"), REFUSED)
@pytest.mark.parametrize("version", VERSIONS)
async def test_refusals_name_what_is_at_fault(
    client: Client, version: str, route: str, body: Any, status: int, facts: Any
) -> None:
    response = await client.post(f"/api/json/{version}/{route}", json=body)

    problem = await response.json()
    assert response.status == status, problem
    assert response.content_type == "application/problem+json"
    assert facts.items() <= problem["errors"][0].items()


@pytest.mark.parametrize("route", ["compare", "merge", "two-way-merge", "three-way-merge", "graft"])
async def test_inputs_that_are_not_json_are_named(client: Client, route: str) -> None:
    names = {"three-way-merge": ("ancestor", "edit1", "edit2"), "graft": ("changeset", "target")}.get(route, ("a", "b"))
    body = {name: {"type": "raw", "value": "{}" if name != names[-1] else "{\n x"} for name in names}

    response = await client.post(f"/api/json/v1/{route}", json=body)

    problem = await response.json()
    assert response.status == 400
    assert problem["code"] == "invalid-json"
    assert {"input": names[-1], "line": 2}.items() <= problem["errors"][0].items()


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        pytest.param(
            {"a": {"type": "file", "path": "a.json"}, "b": {"type": "file", "path": "b.json"}}, "json_uris", id="files"
        ),
        pytest.param({"a": {"type": "file", "path": "a.json"}, **inline(b={"x": 2})}, "mixed", id="mixed"),
        pytest.param({"a": {"type": "raw", "value": "1"}, **inline(b=2)}, "inline", id="inline"),
    ],
)
async def test_the_metadata_says_how_the_inputs_came(
    start: Starter, tmp_path: Path, inputs: Any, expected: str
) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.json").write_text('{"x": 1}')
    client = await start(files_root=tmp_path)

    envelope = (await post(client, "compare", {**inputs, "tolerance": 0.5}))["dx_deltaJSON"]

    assert envelope["dx_deltaJSON_metadata"]["operation"]["input-format"] == expected


async def test_paths_in_a_form_are_uris(start: Starter, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("1")
    client = await start(files_root=tmp_path)

    response = await client.post(
        "/api/json/v1/compare", data=FormData({"a": "a.json", "b": "a.json"}, default_to_multipart=True)
    )

    assert (await response.json())["dx_deltaJSON"]["dx_deltaJSON_metadata"]["operation"]["input-format"] == (
        "multi_part_uris"
    )


async def test_stored_resources_are_inputs_and_said_to_be(client: Client) -> None:
    made = await (await client.post("/v1/clinic", json={"name": "Foot clinic"})).json()
    source = {"type": "resource", "id": made["id"]}

    envelope = (await post(client, "compare", {"a": source, "b": source}))["dx_deltaJSON"]

    assert envelope["dx_data_sets"] == "A=B"
    assert envelope["dx_deltaJSON_metadata"]["operation"]["input-format"] == "resources"


async def test_the_deepest_documents_pass_every_route(client: Client) -> None:
    deep, deeper = 1, 2
    for _ in range(200):
        deep, deeper = [deep], [deeper]  # type: ignore[assignment]

    changeset = await post(client, "compare", {**inline(a=deep, b=deeper), "arrayAlignment": "inOrder"})
    grafted = await post(client, "graft", inline(changeset=changeset, target=deep))
    merged = await post(
        client,
        "three-way-merge",
        {**inline(ancestor=deep, edit1=deeper, edit2=deep), "threeWayMergeMode": "resolveUsingEdit1"},
    )

    assert grafted == merged == deeper


async def test_the_misspelt_member_of_a_documented_sample_is_understood(client: Client) -> None:
    merged = await post(client, "merge", {**inline(a=[1], b=[2]), "arraylignment": "positionPriority"})

    assert merged == [1]


async def test_a_part_may_be_named_by_its_disposition_as_documented(client: Client) -> None:
    lines = [
        line
        for name, document in (("a", A), ("b", B))
        for line in ("--xx", f'Content-Disposition: {name}; filename="{name}.json"', "", json.dumps(document))
    ]
    flag = ["--xx", 'Content-Disposition: form-data; name="mergePriority"', "", "b", "--xx--", ""]

    response = await client.post(
        "/api/json/v2/two-way-merge",
        data="\r\n".join([*lines, *flag]).encode(),
        headers={"Content-Type": "multipart/form-data; boundary=xx"},
    )

    assert response.status == 200, await response.text()
    assert (await response.json())["age"] == 22
