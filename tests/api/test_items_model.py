"""Items of lists, with ids and without, behave over two instances as a list of versions of plain values would."""

import copy
import json
import re
import uuid
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, initialize, multiple, rule

from tests.api.modelling import (
    Content,
    Modelled,
    RefusalError,
    Resource,
    content_of,
    hold_to,
    in_many_runs,
    refusal_of,
    same,
    tag_of,
)
from tests.processes import Spawn
from tests.unit.core import applier


class Known(NamedTuple):
    """Stands for the id of an item that is there: of the list that a path leads into, else of any."""

    number: int


HERE = object()
"""Stands for the value at the path of its operation, before the patch."""
BY_DEFAULT = ["phone", "email"]
"""The modelled members whose items get ids where the type is not defined."""
NAMED_LISTS = st.sampled_from([["beds/~", "phone"], ["beds/~", "openingHours"], []])
MEMBERS = st.sampled_from(["phone", "phone", "beds/~", "beds/~", "email", "openingHours"])
KNOWN = st.builds(Known, st.integers(0, 4))
ODD_IDS = st.sampled_from(["0", "1", "01", "-", "", "x", "a/b~", "9" * 20, "phone-", None, True, 1, ["x"], {"id": "x"}])
INNER: st.SearchStrategy[Any] = st.sampled_from([None, 1, "1", [], [{}], [{"id": "x"}, {}], {}, {"id": "x"}])
"""Values within an item; lists in it are not at the first level, whatever they are called."""
BARE_ITEMS = st.dictionaries(st.sampled_from(["value", "phone"]), INNER, max_size=2)
NAMED_ITEMS = st.builds(lambda item, given: {"id": given, **item}, BARE_ITEMS, KNOWN | ODD_IDS)
ITEMS = st.one_of(BARE_ITEMS, BARE_ITEMS, NAMED_ITEMS, NAMED_ITEMS, INNER)
VALUES = st.one_of(*[st.lists(ITEMS, max_size=3)] * 3, ITEMS)
FULL = st.lists(ITEMS, min_size=1, max_size=3)
CONTENTS = st.one_of(
    st.fixed_dictionaries({"phone": FULL, "beds/~": FULL}, optional={"email": VALUES, "openingHours": VALUES}),
    st.dictionaries(MEMBERS, VALUES, max_size=3),
)
MERGES = st.dictionaries(MEMBERS, st.none() | VALUES, max_size=2)
INDEXES = st.sampled_from(["0", "0", "1", "2", "-"])
STEPS = st.one_of(INDEXES, INDEXES, KNOWN, ODD_IDS.filter(lambda each: isinstance(each, str)))
INNER_STEPS = st.sampled_from(
    [("id",), ("id",), ("value",), ("phone",), ("phone", "0"), ("phone", "-"), ("phone", "0", "id")]
)
REACHED = st.tuples(MEMBERS) | st.tuples(MEMBERS, STEPS) | st.tuples(MEMBERS, STEPS)
PATHS = REACHED | st.builds(lambda *parts: (*parts[:2], *parts[2]), MEMBERS, STEPS, INNER_STEPS)
"""Paths as tokens."""
SENT = st.one_of(VALUES, ITEMS, ITEMS, KNOWN, ODD_IDS)
OPERATIONS = st.lists(
    st.one_of(
        st.builds(lambda op, path, value: {"op": op, "path": path, "value": value},
                  st.sampled_from(["add", "add", "replace"]), PATHS, SENT),
        st.builds(lambda path: {"op": "remove", "path": path}, PATHS),
        st.builds(lambda path, value: {"op": "test", "path": path, "value": value}, PATHS, st.just(HERE) | SENT),
        st.builds(lambda op, path, source: {"op": op, "path": path, "from": source},
                  st.sampled_from(["copy", "move"]), PATHS, PATHS),
    ),
    min_size=1,
    max_size=3,
)  # fmt: skip
FOREIGN = st.sampled_from([*["remove"] * 9, "copy", "move", "test"])
"""Mostly what the plain dialect knows, with members that it lets be."""
PLAIN_OPERATIONS = st.lists(
    st.builds(lambda op, path, value: {"op": op, "path": path, "value": value},
              st.sampled_from(["add", "add", "replace"]), st.one_of(*[REACHED] * 9, PATHS), st.one_of(VALUES, ITEMS))
    | st.builds(lambda path: {"op": "remove", "path": path}, REACHED)
    | st.builds(lambda op, path: {"op": op, "path": path, "from": path, "value": HERE}, FOREIGN, REACHED),
    min_size=1,
    max_size=2,
)  # fmt: skip
VERSIONS = st.sampled_from([None, None, None, "current", "stale"])
"""What `If-Match` says."""
DRY = st.sampled_from([False, False, False, True])


class OperationError(RefusalError):
    """What the model answers where one operation is at fault: its place too, and what a failed test found there."""

    def __init__(self, status: int, code: str, index: int, found: list[Any] | None = None) -> None:
        super().__init__(status, code)
        self.answer = status, f"{code} {json.dumps([index, *(found or [])], sort_keys=True)}"


class Machine(Modelled):
    """Resources of one type, by their ids."""

    ids = Bundle("ids")

    @initialize(target=ids, content=CONTENTS, lists=NAMED_LISTS, when=st.sampled_from(["never", "before", "after"]))
    def begin(self, content: Content, lists: list[str], when: str) -> Any:
        self.type = f"t{uuid.uuid4().hex[:12]}"
        self.prefix = f"/v1/{self.type}"
        self.identified = BY_DEFAULT
        self.model: dict[str, Resource] = {}
        self.given: set[str] = set()
        if when == "before":
            self.define(lists)
        name = self.create(content, dry=False)
        if when == "after":
            self.define(lists)
        return name

    @rule(lists=NAMED_LISTS)
    def define(self, lists: list[str]) -> None:
        """Name the lists whose items get ids, to both instances: each knows at once what it is told itself."""
        for _ in self.urls:
            body = {"identifiedLists": lists}
            status = self.request("PUT", f"/types/{self.type}", body, {"Content-Type": "application/json"})[0]
            assert status in (200, 201)
        self.identified = lists

    def teardown(self) -> None:
        if self.identified is not BY_DEFAULT:
            assert self.request("DELETE", f"/types/{self.type}", None, {})[0] == 204
        super().teardown()

    @rule(target=ids, content=CONTENTS, dry=DRY)
    def create(self, content: Content, dry: bool) -> Any:
        sent = self.with_ids(content, None)
        status, headers, shown = self.ask("POST", f"?dryRun={json.dumps(dry)}", sent, again=not dry)
        assert (status, headers["ETag"]) == (201, '"1"')
        resource = Resource(self.settled(None, sent, shown))
        if dry:
            return multiple()
        self.model[shown["id"]] = resource
        return shown["id"]

    @rule(name=ids, content=CONTENTS, version=VERSIONS, dry=DRY)
    def replace(self, name: str, content: Content, version: str | None, dry: bool) -> None:
        sent = self.with_ids(content, name)
        self.change("PUT", name, sent, lambda _: sent, version, dry)

    @rule(name=ids, back=st.integers(0, 3), dry=DRY)
    def put_back_what_was_read(self, name: str, back: int, dry: bool) -> None:
        """As it was answered; of an earlier version without what the service owns, which has changed since."""
        resource = self.model[name]
        version = max(1, resource.version - back)
        content = resource.versions[version - 1]
        if content is not None and resource.content is not None:
            read = self.ask("GET", f"/{name}?version={version}" if back else f"/{name}")[2]
            self.change("PUT", name, content_of(read) if back else read, lambda _: content, None, dry)

    @rule(name=ids, operations=OPERATIONS, version=VERSIONS, dry=DRY)
    def patch(self, name: str, operations: list[Any], version: str | None, dry: bool) -> None:
        sent = [self.made_of(each, name) for each in operations]
        media_type = "application/json-patch+json"
        self.change("PATCH", name, sent, lambda before: patched(before, sent), version, dry, media_type, check(sent))

    @rule(name=ids, operations=PLAIN_OPERATIONS, slash=st.sampled_from(["", "/"]), version=VERSIONS, dry=DRY)
    def patch_plainly(self, name: str, operations: list[Any], slash: str, version: str | None, dry: bool) -> None:
        meant = [self.made_of(each, name) for each in operations]
        sent = [{**each, "path": slash + each["path"].removeprefix("/")} for each in meant]
        self.change(
            "PATCH", name, sent, lambda before: patched_plainly(before, meant), version, dry, early=reach(meant)
        )

    @rule(name=ids, merge=MERGES, version=VERSIONS, dry=DRY)
    def merge(self, name: str, merge: Content, version: str | None, dry: bool) -> None:
        sent = self.with_ids(merge, name)
        media_type = "application/merge-patch+json"
        self.change("PATCH", name, sent, lambda before: applier.merged(before, sent), version, dry, media_type)

    @rule(name=ids, number=st.integers(0, 9), op=st.sampled_from(["add", "remove", "replace"]), item=ITEMS, dry=DRY)
    def patch_an_item_by_its_id(self, name: str, number: int, op: str, item: Any, dry: bool) -> None:
        places = [(member, each) for member, items in self.lists_of(name) for each in ids_in(items)]
        if not places:
            return
        operation = {"op": op, "path": places[number % len(places)], **({} if op == "remove" else {"value": item})}
        sent = [self.made_of(operation, name)]
        self.change("PATCH", name, sent, lambda before: patched_plainly(before, sent), None, dry)

    @rule(name=ids, number=st.integers(0, 9), op=st.sampled_from(["copy", "move"]), to=MEMBERS, step=STEPS, dry=DRY)
    def carry_an_item(self, name: str, number: int, op: str, to: str, step: Any, dry: bool) -> None:
        """Within a list or to another, before or after a test of what is carried."""
        places = self.places_in(name)
        if not places:
            return
        test = {"op": "test", "path": places[number % len(places)], "value": HERE}
        carry = {"op": op, "path": (to, step), "from": test["path"]}
        sent = [self.made_of(each, name) for each in ([test, carry] if number % 2 else [carry, test])]
        media_type = "application/json-patch+json"
        self.change("PATCH", name, sent, lambda before: patched(before, sent), None, dry, media_type)

    @rule(name=ids, number=st.integers(0, 9), op=st.sampled_from(["test", "replace"]), dry=DRY)
    def leave_an_item_as_it_is(self, name: str, number: int, op: str, dry: bool) -> None:
        places = self.places_in(name)
        if not places:
            return
        sent = [self.made_of({"op": op, "path": places[number % len(places)], "value": HERE}, name)]
        media_type = "application/json" if op == "replace" and number % 2 else "application/json-patch+json"
        self.change("PATCH", name, sent, lambda before: before, None, dry, media_type)

    @rule(name=ids, back=st.integers(1, 4), by_diff=st.booleans())
    def patch_back(self, name: str, back: int, by_diff: bool) -> None:
        """By the difference from the version that stands to an earlier one, or by the inverses that are kept."""
        resource = self.model[name]
        since, until = resource.version, max(1, resource.version - back)
        if None in resource.versions[until - 1 :]:
            return
        if by_diff:
            found = self.ask("GET", f"/{name}/diff?from={since}&to={until}")[2]
            sent = [each for each in found if each["path"] != "/updatedAt"]
        else:
            entries = self.ask("GET", f"/{name}/history")[2]
            sent = [each for entry in entries if entry["version"] > until for each in entry["inverse"]]
        content = resource.versions[until - 1] or {}
        self.change("PATCH", name, sent, lambda _: content, None, False, "application/json-patch+json")

    @rule(name=ids, version=VERSIONS, dry=st.sampled_from([True, True, False]))
    def delete(self, name: str, version: str | None, dry: bool) -> None:
        resource = self.model[name]
        refusal = refusal_of(lambda: resource.check_standing(version))
        status, _, told = self.ask(
            "DELETE", f"/{name}?dryRun={json.dumps(dry)}", if_match=tag_of(resource.version, version)
        )
        assert (status, None if told is None else told["code"]) == (refusal or (204, None))
        if refusal is None and not dry:
            resource.versions.append(None)

    @rule(name=ids, back=st.integers(0, 4), dry=DRY)
    def revert(self, name: str, back: int, dry: bool) -> None:
        resource = self.model[name]
        version = max(1, resource.version - back)
        content = resource.versions[version - 1]
        if content is None:  # whether a deletion can be gone back to is asked elsewhere
            return
        answer = self.ask("POST", f"/{name}/revert?dryRun={json.dumps(dry)}", {"version": version})
        self.expect_changed(resource, content, answer, dry, gives=False)

    @rule(name=ids)
    def read(self, name: str) -> None:
        resource = self.model[name]
        status, headers, shown = self.ask("GET", f"/{name}")
        if resource.content is None:
            assert (status, shown["code"]) == (410, "gone")
        else:
            assert (status, headers["ETag"]) == (200, f'"{resource.version}"')
            assert same(content_of(shown), resource.content)

    @rule(name=ids)
    def read_history(self, name: str) -> None:
        versions = self.model[name].versions
        entries = self.ask("GET", f"/{name}/history")[2]
        assert [each["version"] for each in entries] == [*range(len(versions), 0, -1)]
        for number, content in enumerate(versions, 1):
            status, _, shown = self.ask("GET", f"/{name}?version={number}")
            assert status == (410 if content is None else 200)
            assert content is None or same(content_of(shown), content)
        for entry, (before, after) in zip(entries[-2::-1], pairwise(versions), strict=True):
            if before is not None and after is not None:
                assert same(applier.apply(before, entry["patch"]), after)
                assert same(applier.apply(after, entry["inverse"]), before)

    @rule(name=ids, first=st.integers(0, 5), second=st.integers(0, 5))
    def compare_versions(self, name: str, first: int, second: int) -> None:
        versions = self.model[name].versions
        since, until = first % len(versions), second % len(versions)
        before, after = versions[since], versions[until]
        if before is None or after is None:
            return
        status, _, patch = self.ask("GET", f"/{name}/diff?from={since + 1}&to={until + 1}")
        assert status == 200
        inside = [each for each in patch if each["path"] != "/updatedAt"]
        assert same(applier.apply(before, inside), after)

    # --- what the rules are made of ---

    def change(
        self,
        method: str,
        name: str,
        body: Any,
        make: Callable[[Content], Content],
        version: str | None,
        dry: bool,
        media_type: str = "application/json",
        early: RefusalError | None = None,
    ) -> None:
        """Change a resource of the service and of the model alike; `early` is what is wrong whatever stands."""
        resource = self.model[name]
        after: list[Content] = []

        def decide() -> None:
            if early is not None:
                raise early
            after.append(make(copy.deepcopy(resource.check_standing(version))))

        refusal = refusal_of(decide)
        status, headers, shown = answer = self.ask(
            method,
            f"/{name}?dryRun={json.dumps(dry)}",
            body,
            media_type=media_type,
            if_match=tag_of(resource.version, version),
            again=method == "PATCH" and not dry,
        )
        if refusal is None:
            self.expect_changed(resource, after[0], answer, dry)
            return
        faults = [[each[fact] for fact in ("index", "actual") if fact in each] for each in shown.get("errors", ())]
        code = f"{shown['code']} {json.dumps(faults[0], sort_keys=True)}" if any(faults) else shown.get("code")
        assert (status, code) == refusal
        assert status != 412 or headers["ETag"] == f'"{resource.version}"'

    def expect_changed(
        self,
        resource: Resource,
        after: Content,
        answer: tuple[int, dict[str, str], Any],
        dry: bool,
        gives: bool = True,
    ) -> None:
        status, headers, shown = answer
        assert status == 200, shown
        content = self.settled(resource.content, after, shown, gives=gives)
        is_new = resource.content is None or not same(resource.content, content)
        assert headers["ETag"] == f'"{resource.version + is_new}"'
        assert headers.get("Patchbay-Dry-Run") == ("true" if dry else None)
        if is_new and not dry:
            resource.versions.append(content)

    def settled(self, before: Content | None, after: Content, shown: Content, gives: bool = True) -> Content:
        """The content as the service must show it: with a change, items that have no id get one that nothing had."""
        expected = copy.deepcopy(after)
        changes = before is None or not same(before, after)
        for name in self.identified if changes and gives else []:
            items = expected.get(name)
            for index, item in enumerate(items if isinstance(items, list) else []):
                if isinstance(item, dict) and "id" not in item:
                    item["id"] = made = shown[name][index]["id"]
                    assert re.fullmatch(rf"{re.escape(name)}-[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}", made)
                    assert made not in self.given
                    self.given.add(made)
        assert same(content_of(shown), expected)
        return expected

    def places_in(self, name: str) -> list[tuple[str, str]]:
        """The paths of the items of a resource."""
        return [(member, str(index)) for member, items in self.lists_of(name) for index in range(len(items))]

    def lists_of(self, name: str) -> list[tuple[str, list[Any]]]:
        return [each for each in (self.model[name].content or {}).items() if isinstance(each[1], list)]

    def made_of(self, operation: Content, name: str) -> Content:
        """The operation with what it stands for."""
        made: Content = {each: self.path(operation[each], name) for each in ("path", "from") if each in operation}
        value = operation.get("value")
        if value is HERE:
            value = next(iter(at(self.model[name].content, made["path"])), None)
        return operation | made | ({"value": self.with_ids(value, name)} if "value" in operation else {})

    def path(self, tokens: tuple[Any, ...], name: str) -> str:
        known = [*ids_in((self.model[name].content or {}).get(tokens[0])), *self.known(name)]
        steps = [known[each.number % len(known)] if isinstance(each, Known) else each for each in tokens]
        return "".join("/" + each.replace("~", "~0").replace("/", "~1") for each in steps)

    def with_ids(self, value: Any, name: str | None) -> Any:
        """The value with the ids that it stands for."""
        known = self.known(name)

        def replaced(each: Any) -> Any:
            if isinstance(each, Known):
                return known[each.number % len(known)]
            if isinstance(each, dict):
                return {member: replaced(it) for member, it in each.items()}
            return [replaced(it) for it in each] if isinstance(each, list) else each

        return replaced(value)

    def known(self, name: str | None) -> list[str]:
        """The ids of the items of a resource; of all where it has none."""
        contents = [] if name is None else [self.model[name].content]
        own = [each for content in contents for items in (content or {}).values() for each in ids_in(items)]
        every = (items for resource in self.model.values() for items in (resource.content or {}).values())
        return own or [each for items in every for each in ids_in(items)] or ["none"]


def ids_in(items: Any) -> Iterator[str]:
    """The ids that are text of the items of a list."""
    for item in items if isinstance(items, list) else []:
        if isinstance(item, dict) and isinstance(item.get("id"), str):
            yield item["id"]


FAULTS = (AssertionError, LookupError, TypeError, ValueError)
"""How the model's own JSON Patch fails."""


def at(content: Content | None, path: str) -> list[Any]:
    """The value at a path, if there is one."""
    try:
        return [copy.deepcopy(applier.find([content], path))]
    except FAULTS:
        return []


def check(operations: list[Any]) -> RefusalError | None:
    """What is wrong with a JSON Patch, whatever it is for: nothing moves into itself (RFC 6902, section 4.4)."""
    for index, each in enumerate(operations):
        if each["op"] == "move" and each["path"].startswith(each["from"] + "/"):
            return OperationError(400, "invalid-patch", index)
    return None


def reach(operations: list[Any]) -> RefusalError | None:
    """What of a plain patch is of another dialect, or deeper than an item."""
    for index, each in enumerate(operations):
        if each["op"] not in ("add", "remove", "replace"):
            return OperationError(400, "invalid-patch", index)
    for index, each in enumerate(operations):
        if len(applier.tokens_of(each["path"])) > 2:
            return OperationError(422, "path-not-allowed", index)
    return None


def patched(content: Content, operations: list[Any]) -> Content:
    for index, each in enumerate(operations):
        try:
            applier.apply_one([content], each)
        except FAULTS as exc:
            if each["op"] == "test":
                raise OperationError(409, "test-failed", index, at(content, each["path"])) from exc
            raise OperationError(422, "path-not-found", index) from exc
    return content


def patched_plainly(content: Content, operations: list[Any]) -> Content:
    """Each operation sees what those before it made; an item is meant by its index, else by its id."""
    for index, each in enumerate(operations):
        name, *steps = applier.tokens_of(each["path"])
        path = each["path"]
        if steps and isinstance(content.get(name), dict):
            raise OperationError(422, "path-not-allowed", index)
        if steps and isinstance(content.get(name), list) and not re.fullmatch("-|0|[1-9][0-9]*", steps[0]):
            found = [at for at, item in enumerate(content[name]) if [*ids_in([item])] == steps]
            if len(found) > 1:
                raise OperationError(422, "path-not-allowed", index)
            path = f"{path[: path.index('/', 1)]}/{found[0] if found else 'none'}"
        try:
            applier.apply_one([content], {**each, "path": path})
        except FAULTS as exc:
            raise OperationError(422, "path-not-found", index) from exc
    return content


@in_many_runs
def test_items_are_as_a_model_of_them(spawn_service: Spawn, examples: int) -> None:
    hold_to(Machine, spawn_service, examples)
