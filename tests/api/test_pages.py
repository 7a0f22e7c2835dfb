"""The page that shows two documents side by side: asked for by `Accept`, and looked at in a real browser."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient

from tests.browser import Browser
from tests.loopback import Server, answer

Client = TestClient[web.Request, web.Application]
HTML = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
HOSTILE = "</span></script><script>alert(1)</script><img src=x onerror=alert(2)>&quot;\u202e\u0000"


def inline(**documents: Any) -> dict[str, Any]:
    return {name: {"type": "inline", "value": value} for name, value in documents.items()}


def clinics(count: int) -> list[dict[str, Any]]:
    return [{"id": index, "name": f"Clinic {index}", "tags": ["a", "b"], "beds": index % 7} for index in range(count)]


@pytest.fixture(name="browser")
async def open_browser(tmp_path: Path) -> AsyncIterator[Browser]:
    async with Browser(tmp_path / "browser") as browser:
        yield browser


async def ask(client: Client, before: Any, after: Any, route: str = "compare", **more: Any) -> ClientResponse:
    body = json.dumps({**inline(a=before, b=after), **more})
    response = await client.post(
        f"/api/json/v1/{route}",
        data=body.encode() if len(body) < 1_000_000 else (piece async for piece in pieces(body)),
        headers={**HTML, "Content-Type": "application/json"},
    )
    assert response.status == 200, await response.text()
    return response


async def pieces(body: str) -> AsyncIterator[bytes]:
    for at in range(0, len(body), 100_000):
        yield body[at : at + 100_000].encode()


async def show(browser: Browser, response: ClientResponse) -> Server:
    """Serve the answer once more under the headers that it came with, and open it."""
    headers = [f"{name}: {response.headers[name]}" for name in ("Content-Type", "Content-Security-Policy")]
    body = await response.read()
    server = Server("127.0.0.1", lambda _: answer(body, *headers, "Connection: close"))
    async with server:
        await browser.open(server.url)
    return server


@pytest.mark.parametrize("route", ["compare", "patch"])
@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_a_page_is_answered_to_who_prefers_one(client: Client, route: str, version: str) -> None:
    response = await client.post(f"/api/json/{version}/{route}", json=inline(a={"x": 1}, b={"x": 2}), headers=HTML)

    page = await response.text()
    assert response.status == 200
    assert response.content_type == "text/html"
    assert response.charset == "utf-8"
    assert "1 change: 1 lines changed, 0 removed, 0 added" in page
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize(("direction", "left"), [("aToB", "1"), ("bToA", "2")])
async def test_the_page_of_a_patch_follows_its_direction(client: Client, direction: str, left: str) -> None:
    page = await (await ask(client, 1, 2, "patch", patchDirection=direction)).text()

    assert re.findall(r"<del>(\d)</del>", page) == [left]


async def test_equal_documents_say_so(client: Client) -> None:
    page = await (await ask(client, {"x": [1]}, {"x": [1.0]})).text()

    assert "The documents are equal." in page
    assert "<nav" not in page


@pytest.mark.parametrize(
    ("route", "more", "field"),
    [
        pytest.param("patch?store=true", {}, "store", id="recorded"),
        pytest.param("compare", {"async": True}, "async", id="asynchronous"),
    ],
)
async def test_a_page_is_neither_recorded_nor_a_job(client: Client, route: str, more: Any, field: str) -> None:
    response = await client.post(f"/api/json/v1/{route}", json={**inline(a=1, b=2), **more}, headers=HTML)

    assert response.status == 400
    assert (await response.json())["errors"][0]["field"] == field


async def test_refusals_stay_problems_for_who_asks_for_a_page(client: Client) -> None:
    response = await client.post("/api/json/v1/compare", json=inline(a=1), headers=HTML)

    assert response.status == 400
    assert response.content_type == "application/problem+json"


async def test_nothing_in_a_document_is_markup_and_nothing_is_fetched(client: Client, browser: Browser) -> None:
    before = {HOSTILE: HOSTILE, "kept": [HOSTILE], "gone": HOSTILE}
    after = {HOSTILE: f"{HOSTILE} more", "kept": [HOSTILE], "new": {HOSTILE: [HOSTILE]}}

    server = await show(browser, await ask(client, before, after))

    assert browser.complaints() == []
    assert browser.requested() == [server.url]
    assert await browser.evaluate("document.querySelectorAll('main img, main script').length") == 0
    text = await browser.evaluate("document.querySelector('main').textContent")
    assert "</script><script>alert(1)</script><img src=x onerror=alert(2)>&quot;" in text
    assert "\u202e" not in text
    assert r"\u202e" in text


async def test_changes_are_marked_on_their_side_and_the_rest_is_folded(client: Client, browser: Browser) -> None:
    before, after = clinics(60), clinics(60)
    after[30]["name"] = "Clinic thirty"
    del after[40]

    await show(browser, await ask(client, before, after, arrayAlignment="inOrder"))

    marked = "[...document.querySelectorAll('.changed del, .changed ins')].map(mark => mark.textContent)"
    assert await browser.evaluate(marked) == ["30", "thirty"]
    assert await browser.evaluate("document.querySelectorAll('.removed').length") == 9
    assert await browser.evaluate("document.querySelectorAll('.removed > .none').length") == 9
    assert await browser.evaluate("[...document.querySelectorAll('details')].some(fold => fold.open)") is False
    shown = "[...document.querySelectorAll('.r:not(.names)')].filter(row => row.checkVisibility()).length"
    assert await browser.evaluate(shown) < 40


async def test_the_keyboard_goes_from_change_to_change_and_opens_the_folds(client: Client, browser: Browser) -> None:
    before, after = clinics(200), clinics(200)
    for index in (10, 100, 190):
        after[index]["beds"] = -1
    position = "document.getElementById('position').textContent"
    in_view = (
        "(box => box.top >= 0 && box.bottom <= innerHeight)(document.querySelector('.here').getBoundingClientRect())"
    )

    await show(browser, await ask(client, before, after, arrayAlignment="inOrder"))
    seen = []
    for key in ("n", "n", "n", "n", "p", "p"):
        await browser.press(key)
        await browser.wait_for(in_view)
        seen.append(await browser.evaluate(position))
    await browser.press("u")

    assert seen == [f"{place} of 3" for place in (1, 2, 3, 1, 3, 2)]
    assert await browser.evaluate("document.activeElement === document.querySelector('.here')") is True
    assert await browser.evaluate("[...document.querySelectorAll('details')].every(fold => fold.open)") is True
    await browser.wait_for(in_view)


@pytest.mark.parametrize(("scheme", "lightness"), [("light", [200, 255]), ("dark", [0, 60])])
async def test_the_page_is_light_or_dark_as_the_reader_prefers(
    client: Client, browser: Browser, scheme: str, lightness: list[int]
) -> None:
    await browser.prefer(scheme)
    await show(browser, await ask(client, {"x": 1}, {"x": 2}))

    colours = [
        [
            int(each)
            for each in re.findall(r"\d+", await browser.evaluate(f"getComputedStyle({element}).backgroundColor"))
        ]
        for element in ("document.body", "document.querySelector('.changed .t')")
    ]

    assert all(lightness[0] <= value <= lightness[1] for colour in colours for value in colour[:3])


async def test_twenty_thousand_lines_stay_readable(client: Client, browser: Browser) -> None:
    before, after = clinics(2300), clinics(2300)
    for index in range(0, 2300, 9):
        after[index]["name"] = f"{after[index]['name']} (new)"

    response = await ask(client, before, after, arrayAlignment="inOrder")
    await show(browser, response)
    for key in ("u", "n", "p"):
        await browser.press(key)

    rows = await browser.evaluate("document.querySelectorAll('.r').length")
    assert rows > 20_000
    assert await browser.evaluate("document.getElementById('position').textContent") == "256 of 256"
    assert await browser.evaluate("document.documentElement.scrollWidth <= innerWidth") is True
    assert browser.complaints() == []


async def test_what_a_page_leaves_out_is_said(client: Client) -> None:
    long = list(range(6000))

    page = await (await ask(client, {"l": long, "x": 1, "s": "y" * 9000}, {"l": long, "x": 2, "s": "y" * 9000})).text()

    assert re.search(r"\d{4} unchanged lines are left out", page)
    assert "more characters)" in page
