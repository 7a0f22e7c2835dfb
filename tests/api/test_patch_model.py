"""Patch records over two instances: a patch has one application for each target, which moves as the lifecycle says."""

import uuid
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, initialize, multiple, precondition, rule

from tests.api.modelling import (
    Content,
    Modelled,
    RefusalError,
    aim_at,
    check_version,
    content_of,
    hold_to,
    in_many_runs,
    refusal_of,
    same,
)
from tests.processes import Spawn
from tests.unit.core.applier import merged

MERGES = st.dictionaries(st.sampled_from("abc"), st.sampled_from([None, 1, 2]), max_size=2)
CONTENTS = st.dictionaries(st.sampled_from("abc"), st.sampled_from([1, 2]), max_size=3)
REPLACE_A = {"operations": [{"op": "replace", "path": "/a", "value": 2}]}
PAYLOADS: st.SearchStrategy[Content] = st.one_of(
    MERGES.map(lambda merge: {"merge": merge}), st.just(REPLACE_A), st.just({})
)
CONSTRAINTS = st.sampled_from([[], [], [{"field": "b", "operator": "==", "value": 1}]])
VERSIONS = st.sampled_from([None, None, "current", "stale"])
"""What `if_version` says."""


class Target:
    """A resource: its content and its version."""

    def __init__(self, content: Content) -> None:
        self.content = content
        self.version = 1

    def become(self, content: Content) -> None:
        if not same(content, self.content):
            self.content = content
            self.version += 1


class Application:
    """What became of a patch on a target. `base` and `result` are the content before and after it was applied."""

    def __init__(self) -> None:
        self.state = "pending"
        self.attempts = 0
        self.base: Content = {}
        self.result: Content = {}

    def begin(self, *legal: str) -> None:
        if self.state not in legal:
            raise RefusalError(409, "invalid-transition")


class Machine(Modelled):
    """Patches are recorded against one resource, and carried out on several."""

    targets = Bundle("targets")
    patches = Bundle("patches")

    @initialize(target=targets, content=CONTENTS, may_cancel=st.booleans())
    def begin(self, content: Content, may_cancel: bool) -> Any:
        self.may_cancel = may_cancel  # in some runs, or little would be applied
        self.model: dict[str, Target] = {}
        self.payloads: dict[str, tuple[Content, list[Any]]] = {}
        self.applications: dict[tuple[str, str], Application] = {}
        self.type = f"t{uuid.uuid4().hex[:12]}"
        self.root = str(self.create(content))
        return self.root

    @precondition(lambda self: len(self.model) < 3)
    @rule(target=targets, content=CONTENTS)
    def create(self, content: Content) -> str:
        status, _, shown = self.ask("POST", f"/v1/{self.type}", content)
        assert status == 201
        self.model[shown["id"]] = Target(content)
        return str(shown["id"])

    @rule(target=targets, name=targets, merge=MERGES)
    def edit(self, name: str, merge: Content) -> Any:
        headers = {"Content-Type": "application/merge-patch+json"}
        status, _, shown = self.request("PATCH", f"/v1/{self.type}/{name}", merge, headers)
        self.model[name].become(merged(self.model[name].content, merge))
        assert (status, content_of(shown)) == (200, self.model[name].content)
        return multiple()

    @rule(target=patches, name=st.sampled_from("pq"), payload=PAYLOADS, constraints=CONSTRAINTS)
    def record(self, name: str, payload: Content, constraints: list[Any]) -> Any:
        definition = {"patch_id": name, "payload": payload, "constraints": constraints}
        status, _, shown = self.ask("POST", f"/resources/{self.root}/patches", {"definition": definition})
        known = self.payloads.setdefault(name, (payload, constraints))
        if status == 201:
            assert shown["status"] == "pending"
            return name
        assert status == (200 if same(known, (payload, constraints)) else 409)
        return multiple()

    @rule(patch=patches, name=targets, retries=st.booleans(), version=VERSIONS)
    def apply(self, patch: str, name: str, retries: bool, version: str | None) -> None:
        target, application = self.model[name], self.application(patch, name)
        body = aim_at(name, target.version, version)
        base = target.version

        def decide() -> None:
            application.begin(*(("failed",) if retries else ("pending", "reverted")))
            check_version(version)
            payload, constraints = self.payloads[patch]
            if constraints and target.content.get("b") != 1:
                raise RefusalError(409, "incompatible-target")
            application.attempts += 1
            if "operations" in payload and "a" not in target.content:
                application.state = "failed"
                raise RefusalError(409, "application-failed")
            change = {"a": 2} if "operations" in payload else payload.get("merge", {})
            application.base, application.result = target.content, merged(target.content, change)
            target.become(application.result)
            application.state = "applied"

        refusal = refusal_of(decide)
        status, _, told = self.act(patch, "retry" if retries else "apply", body)
        if refusal is not None:
            assert (status, told["code"]) == refusal
            return
        assert (status, told["status"], told["attempt"]) == (200, "applied", application.attempts)
        assert (told["base_version"], told["result_version"]) == (base, target.version)

    @precondition(lambda self: self.may_cancel)
    @rule(patch=patches, name=targets)
    def cancel(self, patch: str, name: str) -> None:
        application = self.application(patch, name)

        def decide() -> None:
            application.begin("pending")
            application.attempts += 1
            application.state = "failed"

        self.expect(refusal_of(decide), self.act(patch, "cancel", {"target_id": name}), 200)

    @rule(patch=patches, name=targets)
    def revert(self, patch: str, name: str) -> None:
        target, application = self.model[name], self.application(patch, name)
        base, result = application.base, application.result

        def decide() -> None:
            application.begin("applied")
            changed = {each for each in {**base, **result} if base.get(each) != result.get(each)}
            if any(target.content.get(each) not in (result.get(each), base.get(each)) for each in changed):
                raise RefusalError(409, "application-failed")
            target.become(merged(target.content, {each: base.get(each) for each in changed}))
            application.state = "reverted"

        self.expect(refusal_of(decide), self.act(patch, "revert", {"target_id": name}), 201)

    @rule(patch=patches, name=targets)
    def check(self, patch: str, name: str) -> None:
        status, _, told = self.act(patch, "check", {"target_id": name})
        _, constraints = self.payloads[patch]
        assert status == 200
        assert [each["satisfied"] for each in told["verdicts"]] == [
            self.model[name].content.get("b") == 1 for _ in constraints
        ]

    @rule(name=targets)
    def read(self, name: str) -> None:
        target = self.model[name]
        status, headers, shown = self.ask("GET", f"/v1/{self.type}/{name}")
        assert (status, headers["ETag"], content_of(shown)) == (200, f'"{target.version}"', target.content)

    @rule(patch=patches)
    def list_applications(self, patch: str) -> None:
        status, _, listed = self.ask("GET", f"/resources/{self.root}/patches/{patch}/applications?limit=500")
        expected = {
            name: ("applied" if each.state == "reverted" else each.state, each.attempts)
            for (own, name), each in self.applications.items()
            if own == patch and each.state != "pending"
        }
        assert status == 200
        assert {each["target_id"]: (each["status"], each["attempt"]) for each in listed} == expected

    # --- what the rules are made of ---

    def application(self, patch: str, name: str) -> Application:
        return self.applications.setdefault((patch, name), Application())

    def expect(self, refusal: tuple[int, str] | None, answer: tuple[int, Any, Any], done: int) -> None:
        status, _, told = answer
        assert (status, told.get("code")) == (refusal or (done, None))

    def act(self, patch: str, verb: str, body: Content) -> tuple[int, Any, Any]:
        return self.ask("POST", f"/resources/{self.root}/patches/{patch}/{verb}", body)


@in_many_runs
def test_patches_are_as_a_model_of_them(spawn_service: Spawn, examples: int) -> None:
    hold_to(Machine, spawn_service, examples)
