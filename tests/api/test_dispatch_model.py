"""Patches that a provider carries out, over two instances: what it is sent, and what its word brings about."""

import base64
import copy
import re
import time
import uuid
from collections.abc import Callable
from typing import Any, ClassVar

from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, initialize, multiple, precondition, rule

from tests.api.listening import GONE, Answer, Key, Listener, Taken, listening
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
CONSTRAINT = {"field": "b", "operator": "==", "value": 1}
CONSTRAINTS = st.sampled_from([[], [], [CONSTRAINT]])
VERSIONS = st.sampled_from([None, None, None, "current", "stale"])
"""What `if_version` says."""
MANNERS = st.sampled_from(["plain", "plain", "plain", "dry", "twice"])
"""How a request is sent: for good, as a dry run, or two times with one `Idempotency-Key`."""
ANSWERS: st.SearchStrategy[Answer] = st.sampled_from([200, 202, 204, 202, "late", 302, 404, 500, 503, "close", GONE])
SCHEMA = {"properties": {"c": {"enum": [1, 2]}}}
PICKS = st.integers(0, 5)
PATCHES = "pq"
PATIENCE_S = 30.0
SERVED, UNSERVED = "served", "unserved"
"""Kinds of targets: their provider listens, or there is none of its name."""


class Target:
    """A resource: its content, None where it is deleted, and its version."""

    def __init__(self, kind: str, content: Content) -> None:
        self.kind = kind
        self.content = content
        self.version = 1
        self.is_deleted = False

    def check_there(self) -> None:
        if self.is_deleted:
            raise RefusalError(410, "gone")

    def become(self, content: Content) -> None:
        if not same(content, self.content):
            self.content = content
            self.version += 1


class Application:
    """What became of a patch on a target. `said` is what the provider said of each attempt that it was sent.

    `base` and `result` are contents, and their versions.
    """

    def __init__(self) -> None:
        self.id = ""
        self.state = "pending"
        self.attempts = 0
        self.began = 0
        self.said: dict[int, Content | None] = {}
        self.base: tuple[int, Content] = (0, {})
        self.result: tuple[int, Content] = (0, {})
        self.moves: list[tuple[str, str, str, int]] = []

    def check(self, *legal: str) -> None:
        if self.state not in legal:
            raise RefusalError(409, "invalid-transition")

    def begin(self, began: int) -> None:
        self.attempts += 1
        self.began = began

    def move(self, verb: str, to: str) -> None:
        self.moves.append((verb, self.state, to, self.attempts))
        self.state = to

    @property
    def status(self) -> str:
        return "applied" if self.state == "reverted" else self.state


class Rollout:
    """How far a rollout has come."""

    def __init__(self, patch: str, order: Content, began: int) -> None:
        self.patch, self.order, self.began = patch, order, began
        self.id, self.state, self.after, self.forgiven = "", "running", "", 0
        self.counts = {"done": 0, "failed": 0, "skipped": 0}


class Machine(Modelled):
    """Patches are recorded against one resource, and carried out on several, by one provider."""

    listener: ClassVar[Listener]
    kinds: ClassVar[dict[str, str]]
    """The types whose provider listens, and whose provider is not there."""
    provider: ClassVar[str]

    targets = Bundle("targets")

    @initialize(
        target=targets,
        kind=st.sampled_from([SERVED, SERVED, UNSERVED]),
        contents=st.tuples(CONTENTS, CONTENTS, CONTENTS),
        constraints=st.tuples(CONSTRAINTS, CONSTRAINTS),
        more=st.sampled_from(["", "", "", "cancel", "cancel", "roll out", "roll out", "roll out", "follow", "expire"]),
    )
    def begin(self, kind: str, contents: tuple[Content, ...], constraints: tuple[list[Any], ...], more: str) -> Any:
        self.run = uuid.uuid4().hex
        self.is_enabled = True
        self.more = more  # what is done in some runs only: it takes a while, or ends what is under way
        self.clock = 0
        self.live: tuple[str, ...] = ()
        self.past: set[str] = set()
        self.model: dict[str, Target] = {}
        self.constraints = dict(zip(PATCHES, constraints, strict=True))
        self.applications: dict[tuple[str, str], Application] = {}
        self.rollouts: list[Rollout] = []
        self.position = self.position_in(self.ask("GET", "/events?after=latest")) if more == "follow" else "0"
        self.put_provider(True, 1, "structured")
        names = [self.create(each, content) for each, content in zip((kind, SERVED, UNSERVED), contents, strict=True)]
        self.root = names[0]
        for name, given in self.constraints.items():
            definition = {"patch_id": name, "payload": {"script": name}, "constraints": given}
            assert self.ask("POST", f"/resources/{self.root}/patches", {"definition": definition})[0] == 201
        return multiple(*names)

    def teardown(self) -> None:
        assert not self.listener.doubled
        super().teardown()

    @precondition(lambda self: len(self.model) < 5)
    @rule(target=targets, kind=st.sampled_from([SERVED, UNSERVED]), content=CONTENTS)
    def create(self, kind: str, content: Content) -> str:
        content = {**content, "run": self.run}
        name = f"{self.run}-{len(self.model)}"  # rollouts take them in this order
        headers = {"Content-Type": "application/json", "If-None-Match": "*"}
        status, _, _ = self.request("PUT", f"/v1/{self.kinds[kind]}/{name}", content, headers)
        assert status == 201
        self.model[name] = Target(kind, content)
        return name

    @rule(name=targets, merge=MERGES)
    def edit(self, name: str, merge: Content) -> None:
        target = self.model[name]
        headers = {"Content-Type": "application/merge-patch+json"}
        status, _, shown = self.request("PATCH", self.path_of(name), merge, headers)
        if target.is_deleted:
            assert status == 410
            return
        target.become(merged(target.content, merge))
        assert (status, content_of(shown)) == (200, target.content)

    @precondition(lambda self: len(self.model) > 3)
    @rule(name=targets)
    def delete(self, name: str) -> None:
        target = self.model[name]
        assume(name != self.root)
        status, _, _ = self.ask("DELETE", self.path_of(name))
        assert status == (410 if target.is_deleted else 204)
        target.version += not target.is_deleted
        target.is_deleted = True

    # --- the provider ---

    @precondition(lambda self: self.pairs())
    @rule(replaces=st.booleans(), count=st.sampled_from([0, 1, 2]), mode=st.sampled_from(["structured", "binary"]))
    def put_provider(self, replaces: bool, count: int, mode: str) -> None:
        if self.live:
            _, _, shown = self.ask("GET", f"/providers/{self.provider}")
            assert (shown["disabled_at"] is None, shown["live_secrets"]) == (self.is_enabled, len(self.live))
            status, _, told = self.ask("DELETE", f"/providers/{self.provider}")
            assert (status, told["code"]) == (409, "still-referenced")
        body: Content = {"url": self.listener.url, "mode": mode, "timeout_s": 5, "deadline_s": 3600}
        if count:
            fresh = [f"whsec_{base64.b64encode(uuid.uuid4().bytes * 2).decode()}" for _ in range(count)]
            body["secrets"] = fresh if replaces else [*self.live[-1:], fresh[0]][-2:]
        status, _, shown = self.ask("PUT", f"/providers/{self.provider}", body)
        assert status in (200, 201)
        self.past |= set(self.live)
        self.live = tuple(body.get("secrets", self.live))
        assert (shown["live_secrets"], shown["disabled_at"]) == (len(self.live), None)
        self.is_enabled = True

    # --- what is asked of applications ---

    @rule(patch=st.sampled_from(PATCHES), name=targets, verb=st.sampled_from([None, None, None, "apply", "retry"]),
          version=VERSIONS, manner=MANNERS, answer=ANSWERS)  # fmt: skip
    def apply(self, patch: str, name: str, verb: str | None, version: str | None, manner: str, answer: Answer) -> None:
        target, application = self.of(patch, name, manner)
        verb = verb or ("retry" if application.state == "failed" else "apply")

        def decide() -> None:
            target.check_there()
            application.check(*(("failed",) if verb == "retry" else ("pending", "reverted")))
            check_version(version)
            if self.constraints[patch] and target.content.get("b") != 1:
                raise RefusalError(409, "incompatible-target")
            self.dispatch(application, target, verb)
            if application.state == "failed":
                raise RefusalError(409, "application-failed")

        if answer == GONE:
            self.settle()
        key = Key(patch, name, application.attempts + 1)
        self.listener.answers[key] = answer
        refusal = refusal_of(decide)
        status, _, told = self.act(patch, verb, self.aim(name, version), manner)
        self.note(application, told.get("application", told))
        if refusal is not None or manner == "dry":
            del self.listener.answers[key]
        if refusal is not None:
            assert (status, told["code"]) == refusal
            return
        assert (status, told["status"], told["attempt"]) == (202, "dispatched", application.attempts)
        assert (told["base_version"], told["provider"]) == (target.version, self.provider)
        if answer == GONE and manner != "dry":
            self.settle()
            self.is_enabled = False

    @precondition(lambda self: self.more == "cancel")
    @rule(patch=st.sampled_from(PATCHES), name=targets, version=VERSIONS, manner=MANNERS)
    def cancel(self, patch: str, name: str, version: str | None, manner: str) -> None:
        _, application = self.of(patch, name, manner)

        def decide() -> None:
            check_version(version)
            application.check("pending", "dispatched")
            if application.state == "pending":
                self.clock += 1
                application.begin(self.clock)
            application.move("cancel", "failed")

        refusal = refusal_of(decide)
        status, _, told = self.act(patch, "cancel", self.aim(name, version), manner)
        self.note(application, told)
        assert (status, told.get("code")) == (refusal or (200, None))
        assert refusal or (told["status"], told["attempt"]) == ("failed", application.attempts)

    @precondition(lambda self: self.pairs())
    @rule(pick=PICKS, wanted=st.sampled_from(["applied", "applied", None]), version=VERSIONS, manner=MANNERS)
    def revert(self, pick: int, wanted: str | None, version: str | None, manner: str) -> None:
        patch, name = self.pick(pick, wanted)
        target, application = self.of(patch, name, manner)
        aim = self.aim(name, version)

        def decide() -> None:
            target.check_there()
            application.check("applied")
            check_version(version)
            target.become(carried(application.result[1], application.base[1], target.content))
            application.move("revert", "reverted")

        refusal = refusal_of(decide)
        status, _, told = self.act(patch, "revert", aim, manner)
        assert (status, told.get("code")) == (refusal or (201, None))
        self.check_target(name)

    @precondition(lambda self: self.pairs())
    @rule(pick=PICKS, wanted=st.sampled_from(["dispatched"] * 4 + [None]),
          attempt=st.sampled_from(["last", "last", "last", "first"]), success=st.sampled_from([1, 1, 0]),
          content=st.none() | CONTENTS | st.just({"c": 9}), keeps=st.booleans(), manner=MANNERS,
          token=st.sampled_from(["right"] * 5 + ["forged", "none"]))  # fmt: skip
    def confirm(
        self,
        pick: int,
        wanted: str | None,
        attempt: str,
        success: int,
        content: Content | None,
        keeps: bool,
        manner: str,
        token: str,
    ) -> None:
        patch, name = self.pick(pick, wanted)
        target, application = self.of(patch, name, manner)
        numbers = sorted(application.said)
        number = numbers[0 if attempt == "first" else -1]
        taken = self.taken(Key(patch, name, number))
        if taken is None:  # it ended before it was sent: nobody has the token
            return
        said: Content = {"success": bool(success)} | ({} if success else {"message": "no"})
        if success and content is not None:
            said["modified_content"] = {**(application.base[1] if keeps else {}), **content, "run": self.run}
        awaited = taken.data["confirm"]
        assert awaited["url"] == f"/applications/{application.id}/confirm"
        self.check_signed(taken)

        def decide() -> None:
            if token != "right":
                raise RefusalError(*((403, "forbidden") if token == "forged" else (401, "unauthenticated")))
            self.believe(application, target, number, said)

        refusal = refusal_of(decide)
        tokens = {"right": awaited["token"], "forged": f"{number}.forged", "none": ""}
        headers = {"Patchbay-Token": tokens[token]} if tokens[token] else {}
        status, _, told = self.send("POST", awaited["url"], said, manner, headers)
        if refusal is not None:
            assert (status, told["code"]) == refusal
            return
        assert (status, told["status"], told["attempt"]) == (200, application.status, application.attempts)
        if told["status"] == "applied":
            assert (told["base_version"], told["result_version"]) == (application.base[0], application.result[0])
        self.check_target(name)

    @precondition(lambda self: self.more == "expire")
    @rule(patch=st.sampled_from(PATCHES), name=targets, answer=ANSWERS.filter(lambda answer: answer != GONE))
    def expire(self, patch: str, name: str, answer: Answer) -> None:
        target, application = self.of(patch, name, "plain")
        legal = {"pending": "apply", "reverted": "apply", "failed": "retry"}
        assume(application.state in legal and not target.is_deleted and target.kind == SERVED)
        assume(not self.constraints[patch] or target.content.get("b") == 1)
        self.more = ""
        body = {"url": self.listener.url, "timeout_s": 5}
        self.listener.answers[Key(patch, name, application.attempts + 1)] = answer
        self.ask("PUT", f"/providers/{self.provider}", {**body, "deadline_s": 1})
        self.is_enabled = True
        self.dispatch(application, target, verb := legal[application.state])
        status, _, told = self.act(patch, verb, self.aim(name, None), "plain")
        self.note(application, told)
        assert status == 202
        self.ask("PUT", f"/providers/{self.provider}", {**body, "deadline_s": 3600})
        shown = self.until(lambda: self.ask("GET", f"/applications/{application.id}")[2], lambda it: it["finished_at"])
        assert (shown["status"], "did not confirm" in shown["error"]) == ("failed", True)
        application.move("expire", "failed")

    # --- rollouts ---

    @precondition(lambda self: self.more == "roll out")
    @rule(
        patch=st.sampled_from(PATCHES),
        kind=st.sampled_from([SERVED, UNSERVED, None]),
        is_narrow=st.sampled_from([False, False, False, True]),
        batch_size=st.sampled_from([1, 2, 50]),
        max_failures=st.sampled_from([0, 0, 1, 9]),
        dry=st.sampled_from([False, False, True]),
        pauses=st.booleans(),
        manner=MANNERS,
    )
    def roll_out(
        self,
        patch: str,
        kind: str | None,
        is_narrow: bool,
        batch_size: int,
        max_failures: int,
        dry: bool,
        pauses: bool,
        manner: str,
    ) -> None:
        own = {"field": "run", "operator": "==", "value": self.run}
        order: Content = {
            "type": self.kinds[kind] if kind else None,
            "filter": [own, {"field": "a", "operator": "==", "value": 1}] if is_narrow else [own],
            "batch_size": batch_size,
            "max_failures": max_failures,
            "dry_run": dry,
        }
        self.clock += 1
        rollout = Rollout(patch, order, self.clock)
        status, _, told = self.act(patch, "rollouts", order, manner)
        assert (status, told["state"], told["dry_run"]) == (202, "running", dry)
        if manner == "dry":
            return
        self.rollouts.append(rollout)
        rollout.id = told["id"]
        if pauses:
            paused, _, _ = self.steer(rollout, "pause", "plain")
            resumed, _, _ = self.steer(rollout, "resume", "plain")
            assert paused in (200, 409)
            assert resumed == 200 or paused == 409
        self.go_on(rollout)

    @precondition(lambda self: self.rollouts)
    @rule(pick=PICKS, wish=st.sampled_from(["resume", "resume", "cancel", "pause"]), manner=MANNERS)
    def steer_rollout(self, pick: int, wish: str, manner: str) -> None:
        halted = [each for each in self.rollouts if each.state == "halted"] or self.rollouts
        rollout = halted[pick % len(halted)]
        to = {("halted", "resume"): "running", ("halted", "cancel"): "cancelled"}.get((rollout.state, wish))
        status, _, told = self.steer(rollout, wish, manner)
        assert (status, told.get("code")) == ((200, None) if to else (409, "invalid-transition"))
        if to is None or manner == "dry":
            return
        rollout.state = to
        if to == "running":
            rollout.forgiven = rollout.counts["failed"]
            self.go_on(rollout)

    def go_on(self, rollout: Rollout) -> None:
        """Take the rollout to its end in the model, and wait until the service has."""
        while rollout.state == "running":
            self.take_further(rollout)
        path = f"/resources/{self.root}/patches/{rollout.patch}/rollouts/{rollout.id}"
        shown = self.until(lambda: self.ask("GET", path)[2], lambda it: it["state"] not in ("running", "paused"))
        assert (shown["state"], {each: shown[each] for each in rollout.counts}) == (rollout.state, rollout.counts)
        assert (shown["finished_at"] is not None, shown["error"] is not None) == (
            shown["state"] == "finished",
            shown["state"] == "halted",
        )
        for (patch, name), each in self.applications.items():
            if each.state != "pending" and not each.id:
                path = f"/resources/{self.root}/patches/{patch}/applications?limit=500"
                self.note(each, next(it for it in self.ask("GET", path)[2] if it["target_id"] == name))

    def take_further(self, rollout: Rollout) -> None:
        order = rollout.order
        fitting = sorted(
            name
            for name, each in self.model.items()
            if not each.is_deleted
            and order["type"] in (None, self.kinds[each.kind])
            and (len(order["filter"]) == 1 or each.content.get("a") == 1)
            and (not self.constraints[rollout.patch] or each.content.get("b") == 1)
            and name > rollout.after
        )
        batch = fitting[: order["batch_size"]]
        for name in batch:
            target, application = self.of(rollout.patch, name, "dry" if order["dry_run"] else "plain")
            if application.state in ("pending", "reverted"):
                self.dispatch(application, target, "apply")
                fate = "failed" if application.state == "failed" else "done"
            elif application.began > rollout.began:  # it cannot be told from what the rollout did before a crash
                fate = "failed" if application.state == "failed" else "done"
            else:
                fate = "skipped"
            rollout.counts[fate] += 1
        rollout.after = [rollout.after, *batch][-1]
        if rollout.counts["failed"] - rollout.forgiven > order["max_failures"]:
            rollout.state = "halted"
        elif len(batch) < order["batch_size"]:
            rollout.state = "finished"

    # --- what is told of it all ---

    @precondition(lambda self: self.applications)
    @rule(patch=st.sampled_from(PATCHES))
    def list_applications(self, patch: str) -> None:
        status, _, listed = self.ask("GET", f"/resources/{self.root}/patches/{patch}/applications?limit=500")
        own = {name: each for (it, name), each in self.applications.items() if it == patch and each.state != "pending"}
        assert status == 200
        assert {each["target_id"]: (each["id"], each["status"], each["attempt"]) for each in listed} == {
            name: (each.id, each.status, each.attempts) for name, each in own.items()
        }
        _, _, listed = self.ask("GET", f"/resources/{self.root}/patches/{patch}/events?limit=500")
        for (it, name), each in self.applications.items():
            if it == patch:
                shown = [(m["verb"], m["from"], m["to"], m["attempt"]) for m in listed if m["target_id"] == name]
                assert shown == each.moves

    @precondition(lambda self: self.more == "follow" and self.pairs())
    @rule()
    def follow(self) -> None:
        """The feed has every move once, in order."""
        self.more = ""
        expected = {each.id: [(m[1], m[2], m[3]) for m in each.moves] for each in self.applications.values() if each.id}
        seen: dict[str, list[tuple[str, str, int]]] = {name: [] for name in expected}
        deadline = time.monotonic() + PATIENCE_S
        while any(len(seen[name]) < len(moves) for name, moves in expected.items()):
            assert time.monotonic() < deadline, (seen, expected)
            answer = self.ask("GET", f"/events?after={self.position}&limit=500&wait=5")
            self.position = self.position_in(answer)
            for each in answer[2]:
                if each.get("applicationId") in seen:
                    seen[each["applicationId"]].append((each["from"], each["to"], each["attempt"]))
        assert seen == expected

    @rule()
    def settle(self) -> None:
        """Everything is tried once; what came of it is as the provider answered."""
        for (patch, name), application in self.applications.items():
            for attempt in application.said:
                key = Key(patch, name, attempt)
                self.taken(key)
                shown = self.tried(key)
                answer = self.listener.answers.get(key, 202)
                if shown["state"] == "delivered":
                    assert answer in (200, 202, 204, "late")
                    assert self.listener.taken[key]
                elif shown["state"] == "waiting":
                    assert answer in (302, 404, 500, 503, "close")
                    assert shown["status"] == (answer if answer != "close" else None)
                    assert shown["error"]
                elif shown["state"] == "superseded":
                    assert (application.state, application.attempts) != ("dispatched", attempt)

    @precondition(lambda self: self.pairs())
    @rule(pick=PICKS, answer=ANSWERS.filter(lambda answer: answer != GONE), manner=MANNERS)
    def replay(self, pick: int, answer: Answer, manner: str) -> None:
        pair = self.pick(pick, None)
        application = self.applications[pair]
        key = Key(*pair, max(application.said))
        shown = self.delivery(key)
        is_dead = shown["state"] == "dead"
        if is_dead:
            self.listener.answers[key] = answer
        status, _, told = self.send("POST", f"/deliveries/{shown['id']}/replay", None, manner, {})
        if not is_dead and status == 202:  # it was a moment ago
            assert shown["state"] == "waiting"
            return
        assert (status, told.get("code")) == ((202, None) if is_dead else (409, "invalid-transition"))

    # --- what the rules are made of ---

    def pairs(self, wanted: str | None = None) -> list[tuple[str, str]]:
        """What was sent, of those that are in a certain state, if any is."""
        sent = [pair for pair, each in self.applications.items() if each.said]
        return [pair for pair in sent if self.applications[pair].state == wanted] or sent

    def pick(self, number: int, wanted: str | None) -> tuple[str, str]:
        pairs = self.pairs(wanted)
        return pairs[number % len(pairs)]

    def dispatch(self, application: Application, target: Target, verb: str) -> None:
        """Begin an attempt."""
        self.clock += 1
        application.begin(self.clock)
        if target.kind == UNSERVED or not self.is_enabled:
            application.move(verb, "failed")
            return
        application.move(verb, "dispatched")
        application.said[application.attempts] = None
        application.base = target.version, target.content

    def believe(self, application: Application, target: Target, number: int, said: Content) -> None:
        """Take the provider's word for what became of an attempt, once."""
        if (before := application.said[number]) is not None:
            if not same(before, said):
                raise RefusalError(409, "invalid-transition")
            return
        application.check("dispatched" if application.attempts == number else "none")
        if said["success"]:
            application.result = application.base
            if "modified_content" in said:
                self.take_over(application, target, said["modified_content"])
        application.move("confirm", "applied" if said["success"] else "failed")
        application.said[number] = said

    def take_over(self, application: Application, target: Target, content: Content) -> None:
        target.check_there()
        after = carried(application.base[1], content, target.content)
        if after.get("c", 1) == 9:
            raise RefusalError(422, "schema-violation")
        if not same(after, target.content):
            before = target.content
            target.become(after)
            application.base, application.result = (application.base[0], before), (target.version, after)

    def check_target(self, name: str) -> None:
        target = self.model[name]
        status, headers, shown = self.ask("GET", self.path_of(name))
        if target.is_deleted:
            assert status == 410
        else:
            assert (status, headers["ETag"], content_of(shown)) == (200, f'"{target.version}"', target.content)

    def of(self, patch: str, name: str, manner: str) -> tuple[Target, Application]:
        """Give what a request is about; copies, where it is a dry run."""
        both = self.model[name], self.applications.setdefault((patch, name), Application())
        return copy.deepcopy(both) if manner == "dry" else both

    def note(self, application: Application, told: Content) -> None:
        if "target_id" in told and application.state != "pending":
            assert application.id in ("", told["id"])
            application.id = told["id"]

    def taken(self, key: Key) -> Taken | None:
        """Wait until the provider has the event; None where it was not sent, and never will be."""

        def look() -> tuple[list[Taken] | None, Any]:
            return self.listener.taken.get(key), self.delivery(key)["state"]

        if key not in self.listener.taken:
            self.until(look, lambda it: it[0] or it[1] in ("superseded", "dead"))
        found = self.listener.taken.get(key)
        return found[-1] if found else None

    def tried(self, key: Key) -> Content:
        """Wait until the delivery was tried, or ended without."""
        found = self.until(lambda: self.delivery(key), lambda it: it["state"] != "waiting" or it["tries"])
        return dict(found)

    def delivery(self, key: Key) -> Content:
        application = self.applications[key[:2]]
        _, _, listed = self.ask("GET", f"/deliveries?provider={self.provider}&limit=500")
        own = [it for it in listed if (it["application_id"], it["attempt"]) == (application.id, key.attempt)]
        assert len(own) == 1
        return dict(own[0])

    def check_signed(self, taken: Taken) -> None:
        signatures = taken.headers["webhook-signature"].split()
        known = [each for each in {*self.live, *self.past} if taken.is_signed_with(each)]
        assert len(known) == len(signatures) in (1, 2)

    def position_in(self, answer: tuple[int, Any, Any]) -> str:
        """Say where the feed goes on."""
        status, headers, _ = answer
        found = re.search(r"[?&]after=(\d+)", headers["Link"])
        assert status == 200
        assert found
        return found[1]

    def until(self, look: Callable[[], Any], is_there: Callable[[Any], Any]) -> Any:
        deadline = time.monotonic() + PATIENCE_S
        while not is_there(found := look()):
            assert time.monotonic() < deadline, found
            time.sleep(0.02)
        return found

    def aim(self, name: str, version: str | None) -> Content:
        return aim_at(name, self.model[name].version, version)

    def path_of(self, name: str) -> str:
        return f"/v1/{self.kinds[self.model[name].kind]}/{name}"

    def steer(self, rollout: Rollout, wish: str, manner: str) -> tuple[int, Any, Any]:
        return self.act(rollout.patch, f"rollouts/{rollout.id}/{wish}", None, manner)

    def act(self, patch: str, verb: str, body: Content | None, manner: str) -> tuple[int, Any, Any]:
        return self.send("POST", f"/resources/{self.root}/patches/{patch}/{verb}", body, manner, {})

    def send(self, method: str, path: str, body: Any, manner: str, headers: dict[str, str]) -> tuple[int, Any, Any]:
        """Send a request in the manner that is wanted."""
        more = {"Content-Type": "application/json"} if body is not None else {}
        if manner == "dry":
            return self.request(method, f"{path}?dryRun=true", body, {**headers, **more})
        if manner == "twice":
            more["Idempotency-Key"] = str(uuid.uuid4())
        answer = self.request(method, path, body, {**headers, **more})
        if manner == "twice":
            status, kept, told = self.request(method, path, body, {**headers, **more})
            assert (status, told, kept["Idempotency-Replayed"]) == (answer[0], answer[2], "true")
        return answer


def carried(before: Content, after: Content, standing: Content) -> Content:
    """Carry the change from one content to another over to a third, member by member."""
    changed = [each for each in {**before, **after} if before.get(each) != after.get(each)]
    if any(standing.get(each) not in (before.get(each), after.get(each)) for each in changed):
        raise RefusalError(409, "application-failed")
    return merged(standing, {each: after.get(each) for each in changed})  # type: ignore[no-any-return]


@in_many_runs
def test_what_a_provider_carries_out_is_as_a_model_of_it(spawn_service: Spawn, examples: int) -> None:
    with listening() as listener:
        mark = uuid.uuid4().hex[:12]
        Machine.listener, Machine.provider = listener, f"p-{mark}"
        Machine.kinds = {SERVED: f"{SERVED}-{mark}", UNSERVED: f"{UNSERVED}-{mark}"}
        hold_to(Machine, spawn_service, examples, prepare, url_allow="127.0.0.0/8", url_ports=listener.port)


def prepare() -> None:
    """Define the types; both instances know them within a second."""
    machine = Machine()
    providers = {SERVED: Machine.provider, UNSERVED: "nobody"}
    for kind, provider in providers.items():
        body = {"provider": provider, "schema": SCHEMA}
        assert machine.ask("PUT", f"/types/{Machine.kinds[kind]}", body)[0] == 201
    time.sleep(1.5)
    Modelled.teardown(machine)
