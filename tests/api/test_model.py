"""Two instances of the service behave, request by request, as a dictionary of lists of versions would."""

import copy
import json
import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import jsonpatch
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
from tests.unit.core.applier import merged

NAMES = st.sampled_from(["a", "b", "list", "in", "", "$x", "y.z", "~", "%", "é"])
SCALARS = st.sampled_from([None, True, False, 0, 1, -7, 1.5, 10**30, "", "1", "text", "/~"])
VALUES = st.recursive(
    SCALARS, lambda each: st.lists(each, max_size=3) | st.dictionaries(NAMES, each, max_size=3), max_leaves=6
)
HELD = st.sampled_from([{"system": system, "value": value} for system in ("x", "y") for value in ("7", "a|b")])
IDENTIFIERS = st.lists(HELD, unique_by=json.dumps, max_size=2)
CONTENTS = st.builds(
    lambda members, held: {**members, **({"identifier": held} if held else {})},
    st.dictionaries(NAMES, VALUES, max_size=4),
    IDENTIFIERS,
)
POINTERS = st.builds("/{}".format, NAMES.map(lambda name: name.replace("~", "~0")))
OPERATIONS = st.lists(
    st.one_of(
        st.builds(lambda op, path, value: {"op": op, "path": path, "value": value},
                  st.sampled_from(["add", "replace", "test"]), POINTERS, VALUES),
        st.builds(lambda path: {"op": "remove", "path": path}, POINTERS),
        st.builds(lambda op, path, source: {"op": op, "path": path, "from": source},
                  st.sampled_from(["copy", "move"]), POINTERS, POINTERS),
        st.builds(lambda value: {"op": "add", "path": "/list/-", "value": value}, VALUES),
    ),
    min_size=1,
    max_size=4,
)  # fmt: skip
VERSIONS = st.sampled_from([None, None, "current", "stale"])
"""What `If-Match` says."""


class Machine(Modelled):
    """Resources of one type, by their ids."""

    ids = Bundle("ids")

    @initialize()
    def begin(self) -> None:
        self.type = f"t{uuid.uuid4().hex[:12]}"
        self.prefix = f"/v1/{self.type}"
        self.model: dict[str, Resource] = {}

    @rule(target=ids, content=CONTENTS)
    def create(self, content: Content) -> Any:
        refusal = refusal_of(lambda: self.check_identifiers("", content))
        status, headers, shown = self.ask("POST", "", content)
        if refusal is not None:
            assert (status, shown["code"]) == refusal
            return multiple()
        assert (status, headers["ETag"]) == (201, '"1"')
        assert json.dumps(content_of(shown)) == json.dumps(content), "the order of members is kept"
        self.model[shown["id"]] = Resource(content)
        return shown["id"]

    @rule(resource_id=ids, content=CONTENTS, version=VERSIONS)
    def replace(self, resource_id: str, content: Content, version: str | None) -> None:
        self.change(resource_id, "PUT", content, lambda _: content, version)

    @rule(resource_id=ids, operations=OPERATIONS, version=VERSIONS)
    def patch(self, resource_id: str, operations: list[Any], version: str | None) -> None:
        media_type = "application/json-patch+json"
        self.change(resource_id, "PATCH", operations, lambda before: apply(before, operations), version, media_type)

    @rule(resource_id=ids, merge=CONTENTS, version=VERSIONS)
    def merge(self, resource_id: str, merge: Content, version: str | None) -> None:
        media_type = "application/merge-patch+json"
        self.change(resource_id, "PATCH", merge, lambda before: merged(before, merge), version, media_type)

    @rule(resource_id=ids, member=st.sampled_from("ab"), value=VALUES, version=VERSIONS)
    def patch_plainly(self, resource_id: str, member: str, value: Any, version: str | None) -> None:
        operations = [{"op": "add", "path": member, "value": value}]
        self.change(resource_id, "PATCH", operations, lambda before: {**before, member: value}, version)

    @rule(resource_id=ids, version=VERSIONS)
    def delete(self, resource_id: str, version: str | None) -> None:
        resource = self.model[resource_id]
        refusal = refusal_of(lambda: resource.check_standing(version))
        status, _, told = self.ask("DELETE", f"/{resource_id}", if_match=tag_of(resource.version, version))
        assert (status, None if told is None else told["code"]) == (refusal or (204, None))
        if refusal is None:
            resource.versions.append(None)

    @rule(resource_id=ids, back=st.integers(0, 4))
    def revert(self, resource_id: str, back: int) -> None:
        resource = self.model[resource_id]
        version = max(1, resource.version - back)
        content = resource.versions[version - 1]
        if content is None:  # whether a deletion can be gone back to is asked elsewhere
            return
        refusal = refusal_of(lambda: self.check_identifiers(resource_id, content))
        status, headers, shown = self.ask("POST", f"/{resource_id}/revert", {"version": version})
        if refusal is not None:
            assert (status, shown["code"]) == refusal
            return
        if resource.content is None or not same(content, resource.content):
            resource.versions.append(content)
        assert (status, headers["ETag"]) == (200, f'"{resource.version}"')
        assert same(content_of(shown), content)

    @rule(resource_id=ids)
    def read(self, resource_id: str) -> None:
        resource = self.model[resource_id]
        status, headers, shown = self.ask("GET", f"/{resource_id}")
        if resource.content is None:
            assert (status, shown["code"]) == (410, "gone")
        else:
            assert (status, headers["ETag"]) == (200, f'"{resource.version}"')
            assert same(content_of(shown), resource.content)

    @rule(resource_id=ids)
    def read_history(self, resource_id: str) -> None:
        versions = self.model[resource_id].versions
        entries = [entry for page in self.pages(f"/{resource_id}/history?limit=2") for entry in page]
        assert [entry["version"] for entry in entries] == [*range(len(versions), 0, -1)]
        for number, content in enumerate(versions, 1):
            status, _, shown = self.ask("GET", f"/{resource_id}?version={number}")
            assert status == (410 if content is None else 200)
            assert content is None or same(content_of(shown), content)

    @rule(resource_id=ids, first=st.integers(0, 5), second=st.integers(0, 5))
    def compare_versions(self, resource_id: str, first: int, second: int) -> None:
        versions = self.model[resource_id].versions
        since, until = first % len(versions), second % len(versions)
        before, after = versions[since], versions[until]
        if before is None or after is None:
            return
        status, _, patch = self.ask("GET", f"/{resource_id}/diff?from={since + 1}&to={until + 1}")
        assert status == 200
        inside = [each for each in patch if each["path"] != "/updatedAt"]
        assert same(jsonpatch.apply_patch(before, inside), after)

    @rule(value=SCALARS)
    def find(self, value: Any) -> None:
        found = [each["id"] for page in self.pages(f"?a={quote(json.dumps(value))}&limit=2") for each in page]
        assert found == [
            each for each, content in self.live().items() if any(same(it, value) for it in reached(content))
        ]

    @rule(held=HELD, by_system=st.booleans())
    def find_by_identifier(self, held: dict[str, str], by_system: bool) -> None:
        def fits(content: Content) -> bool:
            return any(
                each["value"] == held["value"] and (each["system"] == held["system"] or not by_system)
                for each in content.get("identifier", [])
            )

        name = f"{held['system']}|{held['value']}" if by_system else held["value"]
        matching = [each for each, content in self.live().items() if fits(content)]
        status, _, shown = self.ask("GET", f"/{quote(name, safe='')}")
        assert status == {0: 404, 1: 200}.get(len(matching), 409)
        assert [shown["id"]] == matching if status == 200 else shown["code"] in ("not-found", "ambiguous-identifier")

    # --- what the rules are made of ---

    def change(
        self,
        resource_id: str,
        method: str,
        body: Any,
        make: Callable[[Content], Content],
        version: str | None,
        media_type: str = "application/json",
    ) -> None:
        """Change a resource of the service and of the model in the same way."""
        resource = self.model[resource_id]

        def decide() -> None:
            before = resource.check_standing(version)
            after = make(copy.deepcopy(before))
            self.check_identifiers(resource_id, after)
            if not same(before, after):
                resource.versions.append(after)

        tag = tag_of(resource.version, version)
        refusal = refusal_of(decide)
        status, headers, shown = self.ask(method, f"/{resource_id}", body, media_type=media_type, if_match=tag)
        if refusal is not None:
            assert (status, shown["code"]) == refusal
            return
        assert (status, headers["ETag"]) == (200, f'"{resource.version}"')
        assert same(content_of(shown), resource.content)

    def check_identifiers(self, resource_id: str, content: Content) -> None:
        for other, theirs in self.live().items():
            if other != resource_id and any(
                each in theirs.get("identifier", []) for each in content.get("identifier", [])
            ):
                raise RefusalError(409, "duplicate-identifier")

    def live(self) -> dict[str, Content]:
        """The content of the resources that are not deleted."""
        return {name: each.content for name, each in self.model.items() if each.content is not None}

    def pages(self, path: str) -> Iterator[Any]:
        """Follow the links of a list."""
        next_path: str | None = f"{self.prefix}{path}"
        while next_path:
            status, headers, page = self.request("GET", next_path, None, {})
            assert status == 200, page
            assert len(page) <= 2
            yield page
            link = re.match(r"<([^>]*)>; rel=\"next\"", headers.get("Link", ""))
            next_path = link[1] if link else None


def reached(content: Content) -> list[Any]:
    """What a filter of the member `a` compares with: its value, and the items of a list."""
    if "a" not in content:
        return []
    return [content["a"], *(content["a"] if isinstance(content["a"], list) else [])]


def apply(content: Content, operations: list[Any]) -> Content:
    """Apply a JSON Patch (RFC 6902) whose paths lead to members of the root, or to the end of `list`."""
    for each in operations:
        name = name_of(each["path"])
        value = copy.deepcopy(each.get("value"))
        if "from" in each:
            source = name_of(each["from"])
            if source not in content:
                raise RefusalError(422, "path-not-found")
            value = copy.deepcopy(content[source])
            if each["op"] == "move":
                del content[source]
        elif each["op"] in ("replace", "remove") and name not in content:
            raise RefusalError(422, "path-not-found")
        if each["op"] == "test" and not (name in content and same(content[name], value)):
            raise RefusalError(409, "test-failed")
        if each["path"] == "/list/-":
            append(content, value)
        elif each["op"] == "remove":
            del content[name]
        else:
            content[name] = value
    return content


def append(content: Content, value: Any) -> None:
    match content.get("list"):
        case list() as items:
            items.append(value)
        case dict() as members:
            members["-"] = value
        case _:
            raise RefusalError(422, "path-not-found")


def name_of(path: str) -> str:
    return path.removeprefix("/").replace("~0", "~")


@in_many_runs
def test_resources_are_as_a_model_of_them(spawn_service: Spawn, examples: int) -> None:
    hold_to(Machine, spawn_service, examples)
