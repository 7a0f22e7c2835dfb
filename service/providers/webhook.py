"""Events sent to providers: CloudEvents 1.0 over HTTP, signed by the Standard Webhooks scheme, under the guard."""

from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

import msgspec
from standardwebhooks import Webhook

from service.delivery import Endpoint, Notice, Sent
from service.errors import ServiceError, SourceTimeoutError


class Client(Protocol):
    """Sends requests to hosts that the guard passes (`readers.client.GuardedClient`)."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        max_bytes: int | None,
        timeout_s: float,
        headers: dict[str, str],
        body: bytes,
    ) -> Any:
        """Send a request; redirects are answers like any other."""
        ...


class WebhookSender:
    """Sends one notice to one provider, once."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def send(self, provider: Endpoint, notice: Notice, now: datetime) -> Sent:
        """Send and return what came of it; whatever the network does is an outcome, not an error."""
        headers, body = to_request(provider, notice)
        headers |= sign(provider.secrets, notice.id, now, body)
        try:
            answer = await self._client.request(
                "POST",
                provider.url,
                max_bytes=None,
                timeout_s=provider.timeout_s,
                headers=headers,
                body=body,
            )
        except SourceTimeoutError:
            return Sent(error=f"The provider did not answer within {provider.timeout_s:g} seconds.")
        except ServiceError as error:
            return Sent(error=error.detail)
        if 200 <= answer.status < 300:
            return Sent(status=answer.status)
        return Sent(
            status=answer.status,
            error=f"The provider answered {answer.status}.",
            retry_after_s=read_retry_after(answer.headers.get("Retry-After"), now),
        )


def to_request(provider: Endpoint, notice: Notice) -> tuple[dict[str, str], bytes]:
    """Write a notice as headers and body, in the mode the provider asks for (CloudEvents HTTP binding, 3.1, 3.2)."""
    context = {
        "specversion": "1.0",
        "id": notice.id,
        "source": notice.source,
        "type": notice.type,
        "subject": notice.subject,
        "time": notice.time,
    }
    if provider.mode == "binary":
        return {"Content-Type": "application/json"} | {f"ce-{k}": v for k, v in context.items()}, bytes(notice.data)
    body = msgspec.json.encode({**context, "datacontenttype": "application/json", "data": notice.data})
    return {"Content-Type": "application/cloudevents+json; charset=utf-8"}, body


def sign(secrets: tuple[str, ...], message_id: str, now: datetime, body: bytes) -> dict[str, str]:
    """Return the headers of the Standard Webhooks scheme, with one signature for each live secret."""
    signatures = [Webhook(secret).sign(message_id, now, body.decode()) for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def read_retry_after(text: str | None, now: datetime) -> float | None:
    """Read `Retry-After` (RFC 9110, section 10.2.3), seconds or a date; None when it is neither."""
    if text is None:
        return None
    if text.strip().isascii() and text.strip().isdigit():
        return float(text.strip()[:9])
    try:
        return max(0.0, (parsedate_to_datetime(text) - now).total_seconds())
    except (ValueError, TypeError, OverflowError):  # the last for a zone of so many hours
        return None
