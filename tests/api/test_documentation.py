"""The pages that explain, from outside."""

import json
import re
from pathlib import Path

import pytest
from aiohttp import FormData, web
from aiohttp.test_utils import TestClient

from tests.browser import Browser
from tests.processes import ROOT

Client = TestClient[web.Request, web.Application]


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/clinic/none"), ("GET", "/none"), ("DELETE", "/healthz")])
async def test_a_problem_type_leads_to_its_explanation(client: Client, method: str, path: str) -> None:
    refused = await client.request(method, path)
    problem = await refused.json()

    page = await client.get(problem["type"])

    assert (page.status, page.content_type) == (200, "text/html")
    text = await page.text()
    assert f"<title>{problem['code']}</title>" in text
    assert str(problem["status"]) in text


async def test_the_page_of_errors_shows_what_is_answered(client: Client) -> None:
    sample = (ROOT / "docs/errors.md").read_text().partition("```json\n")[2].partition("```")[0]

    form = FormData({"a": "1", "b": '{"name": "Foot clinic",\n "phone": []]'}, default_to_multipart=True)
    answer = await (await client.post("/api/json/v1/patch", data=form)).json()

    assert json.loads(sample) | {"requestId": answer["requestId"]} == answer


async def test_the_api_page_brings_its_assets(client: Client) -> None:
    page = await (await client.get("/docs")).text()
    assets = [each.split('"')[0] for each in page.split('"/docs/assets/')[1:]]

    answers = [await client.get(f"/docs/assets/{each}") for each in assets]

    assert len(answers) > 1
    assert {each.status for each in answers} == {200}
    contract = await (await client.get("/openapi.json")).json()
    described = contract["paths"]["/docs/assets/{asset}"]["get"]["responses"]["200"]["content"]
    assert {each.content_type for each in answers} <= described.keys()


async def test_the_api_page_works_with_nothing_from_elsewhere(client: Client, tmp_path: Path) -> None:
    response = await client.get("/docs")
    scripts = re.findall(r"script-src ([^;]*);", response.headers["Content-Security-Policy"])

    async with Browser(tmp_path / "browser") as browser:
        await browser.open(str(client.make_url("/docs")))
        await browser.wait_for("document.querySelectorAll('.opblock').length > 50")
        for button in (".opblock-summary-control", ".try-out__btn", ".execute"):
            await browser.wait_for(f"document.querySelector('#operations-service-get_health {button}') !== null")
            await browser.evaluate(f"document.querySelector('#operations-service-get_health {button}').click()")
        await browser.wait_for("document.querySelector('.live-responses-table') !== null")
        tried = await browser.evaluate("document.querySelector('.live-responses-table').innerText")
        requested, complaints = browser.requested(), browser.complaints()

    assert "unsafe" not in scripts[0]
    assert complaints == []
    assert '"status": "ok"' in tried
    assert [each for each in requested if not each.startswith((str(client.make_url("/")), "data:"))] == []


@pytest.mark.parametrize("path", ["/problems/none", "/docs/assets/none.css"])
async def test_what_is_not_there_is_said_not_to_be(client: Client, path: str) -> None:
    response = await client.get(path)

    assert (response.status, (await response.json())["code"]) == (404, "not-found")
