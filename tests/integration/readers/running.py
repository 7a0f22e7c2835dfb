"""What these tests ask a running service for, over plain HTTP: nothing of the service is imported."""

import http.client
import json
from typing import Any
from urllib.parse import urlsplit


def compare(url: str, a: Any, b: Any) -> tuple[int, Any]:
    """Ask the service at the URL for the patch between two I/O objects; give the status and the answer's JSON."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    try:
        body = json.dumps({"a": a, "b": b}).encode()
        connection.request("POST", "/api/json/v1/patch", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, json.load(response)
    finally:
        connection.close()
