"""What tests share that hold the service to a model of it, request by request."""

import http.client
import json
import uuid
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


def check_version(named: str | None) -> None:
    """Refuse what is meant for a version that does not stand; see `number_of`."""
    if named == "stale":
        raise RefusalError(412, "version-conflict")


def number_of(version: int, named: str | None) -> int | None:
    """The version that a condition names: `current` is the one that stands, `stale` another; None is no condition."""
    return {"current": version, "stale": version + 1, None: None}[named]


def tag_of(version: int, named: str | None) -> str | None:
    """The same as an entity tag."""
    number = number_of(version, named)
    return None if number is None else f'"{number}"'


def aim_at(target_id: str, version: int, named: str | None) -> Content:
    """The target of a patch, and the same condition on it."""
    number = number_of(version, named)
    return {"target_id": target_id} | ({} if number is None else {"if_version": number})


class Resource:
    """A resource of a model: its versions, each its content, None where it was deleted."""

    def __init__(self, content: Content) -> None:
        self.versions: list[Content | None] = [content]

    @property
    def version(self) -> int:
        return len(self.versions)

    @property
    def content(self) -> Content | None:
        return self.versions[-1]

    def check_standing(self, named: str | None) -> Content:
        """Give the content for a change that names a version."""
        if self.content is None:
            raise RefusalError(410, "gone")
        check_version(named)
        return self.content


class Modelled(RuleBasedStateMachine):
    """Rules whose requests go to one instance of the service and the other in turn."""

    urls: ClassVar[list[str]] = []
    prefix = ""
    """What the paths begin with that are asked."""

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

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        media_type: str = "application/json",
        if_match: str | None = None,
        if_none_match: str | None = None,
        again: bool = False,
    ) -> tuple[int, dict[str, str], Any]:
        """Send a request; `again` sends it twice with one idempotency key, to one instance and the other."""
        headers = {} if body is None else {"Content-Type": media_type}
        headers |= {"If-Match": if_match} if if_match else {}
        headers |= {"If-None-Match": if_none_match} if if_none_match else {}
        headers |= {"Idempotency-Key": str(uuid.uuid4())} if again else {}
        answer = self.request(method, f"{self.prefix}{path}", body, headers)
        if again:
            status, _, told = self.request(method, f"{self.prefix}{path}", body, headers)
            assert status == answer[0]
            assert status >= 400 or told == answer[2]
        return answer


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
