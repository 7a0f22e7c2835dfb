"""What nobody foresaw: a bare 500 with the request id, the rest in the log; and errors that say what they should."""

import json
import logging
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from pymongo.errors import OperationFailure

from service import logs
from service.api.middleware import Middleware
from service.app import create_app
from service.settings import Settings

Client = TestClient[web.Request, web.Application]


class MishapError(Exception):
    """Something that no layer translates."""


@pytest.fixture(name="failing")
async def start_failing(aiohttp_client: Callable[..., Awaitable[Client]], settings: Settings) -> Client:
    """A service with a route that fails."""

    async def fail(_: web.Request) -> web.Response:
        raise MishapError("secret text of an internal failure")

    app = create_app(settings)
    app.router.add_get("/mishap", Middleware(app, fail, None).serve)
    return await aiohttp_client(app)


async def test_an_unforeseen_failure_is_a_bare_500(failing: Client) -> None:
    response = await failing.get("/mishap", headers={"X-Request-Id": "mishap-1"})

    assert response.status == 500
    assert response.content_type == "application/problem+json"
    assert response.headers["X-Request-Id"] == "mishap-1"
    assert await response.json() == {
        "type": "/problems/internal-error",
        "title": "Internal error",
        "status": 500,
        "detail": "Something went wrong inside the service. The log has more under the request id.",
        "instance": "/mishap",
        "code": "internal-error",
        "requestId": "mishap-1",
        "errors": [],
    }


async def test_an_unforeseen_failure_is_logged_with_its_traceback(
    failing: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.handler.setFormatter(logs.JsonFormatter())

    await failing.get("/mishap", headers={"X-Request-Id": "mishap-2"})

    (line,) = [json.loads(line) for line in caplog.text.splitlines() if "unexpected failure" in line]
    assert (line["level"], line["requestId"]) == ("error", "mishap-2")
    assert "MishapError: secret text" in line["traceback"]


async def test_the_service_goes_on_after_an_unforeseen_failure(failing: Client) -> None:
    await failing.get("/mishap")

    assert (await failing.get("/healthz")).status == 200


def test_a_request_that_the_parser_refuses_is_logged_without_its_content() -> None:
    """Its headers may hold a key."""
    from aiohttp.http_exceptions import InvalidHeader  # noqa: PLC0415 - of this test alone

    error = InvalidHeader("Authorization: Bearer hush\x01")
    record = logging.LogRecord(
        "aiohttp.server", logging.ERROR, "", 0, "Error from %s", ("::1",), (InvalidHeader, error, None)
    )

    kept = logs.MalformedRequestFilter().filter(record)

    line = json.loads(logs.JsonFormatter().format(record))
    assert kept
    assert (line["level"], line["message"]) == ("info", "malformed request refused: InvalidHeader")
    assert "hush" not in json.dumps(line)


async def test_what_a_path_has_reaches_no_terminal_as_it_is(failing: Client, caplog: pytest.LogCaptureFixture) -> None:
    """U+009B begins a command to a terminal, U+202E turns what follows, and U+2028 ends a line."""
    caplog.handler.setFormatter(logs.JsonFormatter())
    caplog.set_level(logging.INFO)

    await failing.get("/v1/%C2%9B31m%E2%80%AE%E2%80%A8/1")

    (line,) = [line for line in caplog.text.splitlines() if '"message": "GET /v1/' in line]
    assert line.isascii()
    assert json.loads(line)["path"] == "/v1/\x9b31m\u202e\u2028/1"


def test_what_the_driver_says_is_not_logged() -> None:
    """It quotes the command, and documents with it."""
    said = "not authorized to execute command { find: 1, filter: { name: 'hush' } }"
    error = MishapError("what came of it")
    error.__cause__ = OperationFailure(said, 13, {"errmsg": said})
    record = logging.LogRecord("patchbay", logging.ERROR, "", 0, "failed", (), (MishapError, error, None))

    line = logs.JsonFormatter().format(record)

    assert "hush" not in line
    assert "OperationFailure: (code 13)" in line
    assert "MishapError: what came of it" in line
