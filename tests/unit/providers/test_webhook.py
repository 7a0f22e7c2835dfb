"""Events are CloudEvents, signed so that an independent verifier believes them."""

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from service.delivery import Endpoint, Notice
from service.providers.webhook import read_retry_after, sign, to_request
from service.usecases.providing import generate_secret

OLD, NEW = generate_secret(), generate_secret()
NOTICE = Notice(
    id="msg_1",
    type="patch.dispatched",
    source="/resources/r/patches/p",
    subject="app-1",
    time="2026-01-02T03:04:05.000000Z",
    data=msgspec.Raw(b'{"x":1}'),
)
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def endpoint(**changes: Any) -> Endpoint:
    whole = {"name": "erp", "url": "https://p.example/", "secrets": (OLD,), "updated_at": "x", **changes}
    return Endpoint(**whole)


@pytest.mark.parametrize("secret", [OLD, NEW], ids=["old", "new"])
def test_each_live_secret_verifies(secret: str) -> None:
    _, body = to_request(endpoint(), NOTICE)

    headers = sign((OLD, NEW), "msg_1", datetime.now(UTC), body)  # verifiers want it young

    Webhook(secret).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body + b" ", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(generate_secret()).verify(body, headers)


def test_signature_is_what_the_scheme_says() -> None:
    headers = sign((OLD,), "msg_1", NOW, b"{}")

    content = f"msg_1.{headers['webhook-timestamp']}.{{}}".encode()
    key = base64.b64decode(OLD.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.digest(key, content, "sha256")).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"


def test_structured_mode_is_one_document() -> None:
    headers, body = to_request(endpoint(), NOTICE)

    assert headers["Content-Type"].startswith("application/cloudevents+json")
    assert json.loads(body) == {
        "specversion": "1.0",
        "id": "msg_1",
        "source": "/resources/r/patches/p",
        "type": "patch.dispatched",
        "subject": "app-1",
        "time": "2026-01-02T03:04:05.000000Z",
        "datacontenttype": "application/json",
        "data": {"x": 1},
    }


def test_binary_mode_has_its_context_in_headers() -> None:
    headers, body = to_request(endpoint(mode="binary"), NOTICE)

    assert body == b'{"x":1}'
    assert headers["ce-specversion"] == "1.0"
    assert headers["ce-type"] == "patch.dispatched"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120.0),
        (" 7 ", 7.0),
        ("", None),
        ("soon", None),
        ("-1", None),
        ((NOW + timedelta(seconds=90)).strftime("%a, %d %b %Y %H:%M:%S GMT"), pytest.approx(90, abs=1)),
        ((NOW - timedelta(days=1)).strftime("%a, %d %b %Y %H:%M:%S GMT"), 0.0),
        ("9" * 400, 999999999.0),
        ("Fri, 31 Dec 99 23:59:59 +9299999099999", None),
        ("Fri, 31 Dec 99 23:59:59 +99999999999", None),
        ("Fri, 31 Dec 99 23:59:9 3399999999999", None),
        (None, None),
    ],
)
def test_retry_after_in_seconds_or_as_a_date(text: str | None, seconds: float | None) -> None:
    assert read_retry_after(text, NOW) == seconds
