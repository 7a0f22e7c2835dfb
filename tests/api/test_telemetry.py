"""Spans of a request, its readers, its comparison and its database commands hang together below the caller's own."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from service.app import create_app
from service.settings import Settings
from service.telemetry import Telemetry

Client = TestClient[web.Request, web.Application]
TRACE = "0af7651916cd43dd8448eb211c80319c"


async def test_spans_hang_together(aiohttp_client: Callable[..., Awaitable[Client]], settings: Settings) -> None:
    exporter = InMemorySpanExporter()
    telemetry = Telemetry(exporter, "test")
    client = await aiohttp_client(create_app(settings, telemetry=telemetry))

    made = await client.post(
        "/api/json/v1/patch?store=true",
        json={"a": {"type": "inline", "value": "secret"}, "b": {"type": "inline", "value": 2}},
        headers={"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"},
    )

    assert made.status == 201
    telemetry.flush()
    spans = [span for span in exporter.get_finished_spans() if format(span.context.trace_id, "032x") == TRACE]
    request = next(span for span in spans if span.name == "create_patch_v1")
    assert {"read inline", "compare", "mongodb insert"} <= {span.name for span in spans}
    assert {span.parent.span_id for span in spans if span is not request and span.parent} == {request.context.span_id}
    assert "secret" not in " ".join(span.to_json() for span in spans)


async def test_a_job_has_a_span_of_its_own(
    aiohttp_client: Callable[..., Awaitable[Client]], settings: Settings
) -> None:
    exporter = InMemorySpanExporter()
    telemetry = Telemetry(exporter, "test")
    client = await aiohttp_client(create_app(settings, telemetry=telemetry))
    inputs = {"a": {"type": "inline", "value": "secret"}, "b": {"type": "inline", "value": 2}}

    accepted = await client.post("/api/json/v1/patch", json={**inputs, "async": True})

    await is_over(client, accepted.headers["Location"])
    spans = await finished(telemetry, exporter, "job patch")
    job = next(span for span in spans if span.name == "job patch")
    below = {span.name for span in spans if span.parent and span.parent.span_id == job.context.span_id}
    assert {"mongodb find", "mongodb update"} <= below
    assert "secret" not in " ".join(span.to_json() for span in spans)


async def is_over(client: Client, location: str) -> None:
    async with asyncio.timeout(60):
        while (await (await client.get(location)).json())["jobStatus"] != "SUCCESS":
            await asyncio.sleep(0.05)


async def finished(telemetry: Telemetry, exporter: InMemorySpanExporter, name: str) -> tuple[ReadableSpan, ...]:
    """Wait for the span: a job is over a moment before its span is."""
    async with asyncio.timeout(60):
        while True:
            telemetry.flush()
            spans: tuple[ReadableSpan, ...] = exporter.get_finished_spans()
            if name in {span.name for span in spans}:
                return spans
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param({"type": "raw", "value": '{"secret": 1, "secret": 2}'}, id="repeated member"),
        pytest.param({"type": "raw", "format": "yaml", "value": "secret: [1, *secret]"}, id="unknown alias"),
        pytest.param({"type": "resource", "id": "1", "resourceType": "Secret"}, id="no type"),
        pytest.param({"type": "file", "path": "secret.json"}, id="no file"),
        pytest.param({"type": "http", "uri": "https://ann:secret@example.org/"}, id="user info"),
        pytest.param({"type": "http", "uri": "https://10.0.0.1/?key=secret"}, id="address"),
    ],
)
async def test_spans_of_what_failed_quote_nothing(
    aiohttp_client: Callable[..., Awaitable[Client]], settings: Settings, source: dict[str, str]
) -> None:
    """What a refusal says quotes the input, which is for its sender alone."""
    exporter = InMemorySpanExporter()
    telemetry = Telemetry(exporter, "test")
    client = await aiohttp_client(create_app(settings, telemetry=telemetry))

    answer = await client.post("/api/json/v1/patch", json={"a": source, "b": {"type": "inline", "value": 1}})

    spans = await finished(telemetry, exporter, "create_patch_v1")
    failed = [dict(span.attributes or {}) for span in spans if span.status.status_code is StatusCode.ERROR]
    assert answer.status in (400, 403, 422)
    assert [each["error.type"] for each in failed] == [(await answer.json())["code"]]
    assert "secret" not in " ".join(span.to_json() for span in spans).lower()
