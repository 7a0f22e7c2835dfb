"""The pages that explain, from outside."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

Client = TestClient[web.Request, web.Application]


async def test_a_problem_type_leads_to_its_explanation(client: Client) -> None:
    refused = await client.get("/v1/clinic/none")
    problem = await refused.json()

    page = await client.get(problem["type"])

    assert (page.status, page.content_type) == (200, "text/html")
    assert f"<h1>{problem['title']}</h1>" in await page.text()


async def test_the_api_page_brings_its_assets(client: Client) -> None:
    page = await (await client.get("/docs")).text()
    assets = [each.split('"')[0] for each in page.split('"/docs/assets/')[1:]]

    answers = [await client.get(f"/docs/assets/{each}") for each in assets]

    assert len(answers) > 1
    assert {each.status for each in answers} == {200}


@pytest.mark.parametrize("path", ["/problems/none", "/docs/assets/none.css"])
async def test_what_is_not_there_is_said_not_to_be(client: Client, path: str) -> None:
    response = await client.get(path)

    assert (response.status, (await response.json())["code"]) == (404, "not-found")
