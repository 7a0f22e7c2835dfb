"""What tests share that hold the service to a model of it, request by request."""

import http.client
import json
from collections.abc import Callable
from typing import Any, ClassVar
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from tests.processes import Spawn

Content = dict[str, Any]


in_many_runs = pytest.mark.parametrize(
    "examples", [pytest.param(25, marks=pytest.mark.timeout(600)), pytest.param(1000, marks=pytest.mark.long)]
)
"""How many runs a model takes, of up to forty requests each: a few every time, many in `make test-long`."""


class RefusalError(Exception):
    """What the model answers with a problem: status and code."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(status, code)
        self.answer = status, code


def refusal_of(decide: Callable[[], object]) -> tuple[int, str] | None:
    """How the model refuses, None where it does not."""
    try:
        decide()
    except RefusalError as refusal:
        return refusal.answer
    return None


class Modelled(RuleBasedStateMachine):
    """Rules whose requests go to one instance of the service and the other in turn."""

    urls: ClassVar[list[str]] = []

    def __init__(self) -> None:
        super().__init__()
        self._connections = [http.client.HTTPConnection(urlsplit(url).netloc, timeout=60) for url in self.urls]

    def teardown(self) -> None:
        for connection in self._connections:
            connection.close()

    def request(self, method: str, path: str, body: Any, headers: dict[str, str]) -> tuple[int, dict[str, str], Any]:
        self._connections.reverse()
        self._connections[0].request(method, path, None if body is None else json.dumps(body), headers)
        answer = self._connections[0].getresponse()
        text = answer.read()
        return answer.status, dict(answer.getheaders()), json.loads(text) if text else None


def headers_of(body: Any, media_type: str, if_match: str | None) -> dict[str, str]:
    """The headers that say what a body is, if there is one, and which version the request is for."""
    headers = {} if body is None else {"Content-Type": media_type}
    return headers | ({"If-Match": if_match} if if_match else {})


def content_of(shown: Content) -> Content:
    """A resource without what the service owns."""
    return {name: value for name, value in shown.items() if name not in ("id", "createdAt", "updatedAt")}


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON; for Python `True` is 1."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def hold_to(
    machine: type[Modelled],
    spawn_service: Spawn,
    examples: int,
    prepare: Callable[[], object] = lambda: None,
    **changes: object,
) -> None:
    """Hold two instances of the service to the model, in so many runs. `prepare` is for what all of them share."""
    machine.urls = [spawn_service(**changes).url for _ in range(2)]
    prepare()
    run_state_machine_as_test(
        machine,
        settings=settings(max_examples=examples, stateful_step_count=40, suppress_health_check=list(HealthCheck)),
    )
