"""Numbers for the operator."""

from aiohttp import web
from aiohttp.test_utils import TestClient


async def test_requests_are_counted_by_route_and_status(client: TestClient[web.Request, web.Application]) -> None:
    await client.post("/api/json/v1/patch", json={})
    await client.get("/no/such/route")

    response = await client.get("/metrics")

    text = await response.text()
    assert response.content_type == "text/plain"
    assert 'patchbay_requests_total{method="POST",route="create_patch_v1",status="400"} 1.0' in text
    assert 'patchbay_requests_total{method="",route="unmatched",status="404"} 1.0' in text
    assert 'patchbay_request_seconds_count{route="create_patch_v1"} 1.0' in text


async def test_comparisons_and_batches_are_measured(client: TestClient[web.Request, web.Application]) -> None:
    await client.post(
        "/api/json/v1/patch", json={"a": {"type": "inline", "value": 1}, "b": {"type": "inline", "value": 2}}
    )
    made = await client.post("/v1/clinic", json={"name": "A"})
    await client.get(made.headers["Location"])

    text = await (await client.get("/metrics")).text()

    assert "patchbay_diff_seconds_count 1.0" in text
    assert "patchbay_diff_input_bytes_sum 2.0" in text
    assert "patchbay_comparisons_running 0.0" in text
    assert 'patchbay_batch_size_count{kind="write"} 1.0' in text
