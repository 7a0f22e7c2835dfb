"""Parents and what they contain behave, over two instances, as a dictionary of lists of versions would."""

import json
import time
import uuid
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import quote

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, initialize, multiple, rule

from tests.api.modelling import (
    Content,
    Modelled,
    RefusalError,
    check_version,
    content_of,
    hold_to,
    in_many_runs,
    refusal_of,
    same,
    tag_of,
)
from tests.processes import Spawn


class Kind(NamedTuple):
    """A type of the model: its parent's type, and as what that shows it. All name their parents in the member `of`."""

    parent: str
    shown_as: str
    many: bool = True


KINDS = {
    "practice": Kind("clinic", "practices"),
    "owner": Kind("clinic", "its owner", many=False),
    "room": Kind("practice", "rooms/~"),
}
TYPES = ("clinic", *KINDS)
ABSENT = "absent"
VALUES = st.sampled_from([None, True, 1, "", "text", [], [1], {"of": "x"}])
MEMBERS = st.dictionaries(st.sampled_from(["a", "b", ""]), VALUES, max_size=2)
STRANGERS = st.sampled_from([ABSENT, None, 5, "", "none", ["x"]])
"""Parents that are none."""
SHOWN = st.sampled_from([None, None, None, None, *(each.shown_as for each in KINDS.values())])
"""A member to be sent though the parent computes it."""
VERSIONS = st.sampled_from([None, None, "current", "stale"])
"""What `If-Match` says."""
DRY = st.sampled_from([False, False, True])
DIALECTS = st.sampled_from(["plain", "json-patch", "merge-patch"])
MEDIA_TYPES = {
    "plain": "application/json",
    "json-patch": "application/json-patch+json",
    "merge-patch": "application/merge-patch+json",
}


class Version(NamedTuple):
    content: Content
    deleted: bool = False


class Resource:
    """A resource of the model: its type and its versions; a deletion keeps the content."""

    def __init__(self, kind: str, content: Content) -> None:
        self.kind = kind
        self.versions = [Version(content)]

    @property
    def content(self) -> Content:
        return self.versions[-1].content

    @property
    def deleted(self) -> bool:
        return self.versions[-1].deleted

    @property
    def version(self) -> int:
        return len(self.versions)


class Machine(Modelled):
    """Resources of all types, by their ids, in the order of their creation."""

    ids = Bundle("ids")

    @initialize(target=ids)
    def begin(self) -> Any:
        self.model: dict[str, Resource] = {}
        self.undone: list[list[Version]] = []
        return self.make("clinic", {})

    @rule(target=ids, kind=st.sampled_from(TYPES), parent=ids | STRANGERS, members=MEMBERS, shown=SHOWN, dry=DRY)
    def create(self, kind: str, parent: Any, members: Content, shown: str | None, dry: bool) -> Any:
        return self.make(kind, self.made(kind, parent, members, shown), dry=dry)

    @rule(target=ids, kind=st.sampled_from(list(KINDS)), number=st.integers(0, 9), members=MEMBERS)
    def create_within(self, kind: str, number: int, members: Content) -> Any:
        parents = [name for name, each in self.model.items() if each.kind == KINDS[kind].parent]
        if not parents:
            return multiple()
        return self.make(kind, self.made(kind, parents[number % len(parents)], members))

    @rule(target=ids, kind=st.sampled_from(TYPES), name=ids, is_new=st.booleans(), parent=ids, dry=DRY)
    def create_under_an_id(self, kind: str, name: str, is_new: bool, parent: str, dry: bool) -> Any:
        chosen = f"{uuid.uuid4()}:~" if is_new else name
        return self.make(kind, self.made(kind, parent, {}), name=chosen, dry=dry)

    @rule(name=ids, parent=ids | STRANGERS, members=MEMBERS, shown=SHOWN, version=VERSIONS, dry=DRY)
    def replace(
        self, name: str, parent: Any, members: Content, shown: str | None, version: str | None, dry: bool
    ) -> None:
        resource = self.model[name]
        content = self.made(resource.kind, parent, members, shown)

        def decide() -> Content:
            if resource.deleted:
                raise RefusalError(410, "gone")
            if shown in self.shown_by(name) and content[shown] != self.shown_by(name)[shown]:
                raise RefusalError(422, "immutable-property")
            check_version(version)
            return {member: it for member, it in content.items() if member not in self.shown_by(name)}

        self.change("PUT", name, content, decide, version, dry)

    @rule(name=ids, members=MEMBERS, parent=ids | st.just(ABSENT), dry=DRY)
    def put_back_what_was_read(self, name: str, members: Content, parent: str, dry: bool) -> None:
        resource = self.model[name]
        if resource.deleted:
            return
        content = {**self.ask("GET", self.path(name))[2], **members}
        if parent != ABSENT and resource.kind in KINDS:
            content["of"] = parent
        meant = {member: it for member, it in content_of(content).items() if member not in self.shown_by(name)}
        self.change("PUT", name, content, lambda: meant, None, dry)

    @rule(name=ids, parent=ids | STRANGERS, shown=SHOWN, dialect=DIALECTS, version=VERSIONS, dry=DRY)
    def patch(self, name: str, parent: Any, shown: str | None, dialect: str, version: str | None, dry: bool) -> None:
        """Move it, or set a member of that name where it is contained in nothing; and set what its parent shows."""
        resource = self.model[name]
        wanted = {} if parent == ABSENT else {"of": parent}
        wanted |= {} if shown is None else {shown: []}
        if not wanted:
            return

        def decide() -> Content:
            if resource.deleted:
                raise RefusalError(410, "gone")
            check_version(version)
            if shown in self.shown_by(name):
                raise RefusalError(422, "immutable-property")
            after = {**resource.content, **wanted}
            if dialect == "merge-patch":
                after = {member: it for member, it in after.items() if member not in wanted or it is not None}
            return after

        body = wanted if dialect == "merge-patch" else [add(*each, plain=dialect == "plain") for each in wanted.items()]
        self.change("PATCH", name, body, decide, version, dry, MEDIA_TYPES[dialect])

    @rule(name=ids, dialect=DIALECTS, dry=DRY)
    def orphan(self, name: str, dialect: str, dry: bool) -> None:
        resource = self.model[name]

        def decide() -> Content:
            if resource.deleted:
                raise RefusalError(410, "gone")
            if "of" not in resource.content and dialect != "merge-patch":
                raise RefusalError(422, "path-not-found")
            return {member: it for member, it in resource.content.items() if member != "of"}

        removal = {"op": "remove", "path": "of" if dialect == "plain" else "/of"}
        body = {"of": None} if dialect == "merge-patch" else [removal]
        self.change("PATCH", name, body, decide, None, dry, MEDIA_TYPES[dialect])

    @rule(name=ids, cascade=st.booleans(), version=VERSIONS, dry=DRY)
    def delete(self, name: str, cascade: bool, version: str | None, dry: bool) -> None:
        resource = self.model[name]

        def decide() -> None:
            if resource.deleted:
                raise RefusalError(410, "gone")
            check_version(version)
            if not cascade and self.contained_in(name):
                raise RefusalError(409, "still-referenced")

        refusal = refusal_of(decide)
        path = f"{self.path(name)}?cascade={json.dumps(cascade)}&dryRun={json.dumps(dry)}"
        status, _, told = self.ask("DELETE", path, if_match=tag_of(resource.version, version))
        assert (status, None if told is None else told["code"]) == (refusal or (204, None))
        if refusal is None and not dry:
            self.let_go(name)

    @rule(name=ids, back=st.integers(0, 4), dry=DRY)
    def revert(self, name: str, back: int, dry: bool) -> None:
        resource = self.model[name]
        version = max(1, resource.version - back)
        content = resource.versions[version - 1].content
        after = None if resource.deleted else resource.content
        refusal = refusal_of(lambda: self.check_content(resource.kind, name, after, content))
        path = f"{self.path(name)}/revert?dryRun={json.dumps(dry)}"
        self.expect_changed(name, content, refusal, self.ask("POST", path, {"version": version}), dry)

    @rule(name=ids)
    def read(self, name: str) -> None:
        resource = self.model[name]
        status, _, shown = self.ask("GET", self.path(name))
        assert self.ask("GET", f"/resources/{name}")[2].get("code") == shown.get("code")
        if resource.deleted:
            assert (status, shown["code"]) == (410, "gone")
            return
        assert (status, without_times(shown)) == (200, self.whole(name))
        assert self.ask("GET", f"/resources/{name}")[2] == shown
        status, _, told = self.ask("GET", self.path(name), if_none_match=f'"{resource.version}"')
        assert (status, told) == ((200, shown) if self.shown_by(name) else (304, None))

    @rule(name=ids, kind=st.sampled_from(list(KINDS)))
    def list_contained(self, name: str, kind: str) -> None:
        status, _, listed = self.ask("GET", f"/v1/{kind}?of={name}")
        expected = [self.whole(each) for each in self.naming(name) if self.model[each].kind == kind]
        assert (status, [without_times(each) for each in listed]) == (200, expected)

    @rule(name=ids)
    def list_what_is_shown(self, name: str) -> None:
        resource = self.model[name]
        shown = self.shown_by(name)
        fields = ",".join(quote(each, safe="") for each in shown) or "none"
        status, _, listed = self.ask("GET", f"/v1/{resource.kind}?id={name}&fields={fields}")
        expected = [] if resource.deleted else [{"id": name, **shown}]
        assert (status, [without_times(each) for each in listed]) == (200, expected)

    @rule(name=ids)
    def read_history(self, name: str) -> None:
        resource = self.model[name]
        status, _, entries = self.ask("GET", f"{self.path(name)}/history")
        assert status == 200
        assert [each["version"] for each in entries] == [*range(resource.version, 0, -1)]
        assert [each["kind"] == "delete" for each in entries][::-1] == [each.deleted for each in resource.versions]
        for number, version in enumerate(resource.versions, 1):
            status, _, shown = self.ask("GET", f"{self.path(name)}?version={number}")
            assert status == (410 if version.deleted else 200)
            assert version.deleted or same(content_of(shown), version.content)

    # --- the model ---

    def made(self, kind: str, parent: Any, members: Content, shown: str | None = None) -> Content:
        content = {**members, **({} if shown is None else {shown: []})}
        return content if parent == ABSENT or kind not in KINDS else {"of": parent, **content}

    def naming(self, name: str) -> list[str]:
        """Those that have it in the member that names parents and are not deleted, oldest first."""
        return [other for other, each in self.model.items() if not each.deleted and same(each.content.get("of"), name)]

    def contained_in(self, name: str) -> list[str]:
        kinds = [kind for kind, each in KINDS.items() if each.parent == self.model[name].kind]
        return [other for other in self.naming(name) if self.model[other].kind in kinds]

    def shown_by(self, name: str) -> Content:
        """The members that show what it contains."""
        members: Content = {}
        for kind, each in KINDS.items():
            if each.parent == self.model[name].kind:
                names = [other for other in self.contained_in(name) if self.model[other].kind == kind]
                found = [{"id": other, **self.model[other].content} for other in names]
                members[each.shown_as] = found if each.many else next(iter(found), None)
        return members

    def whole(self, name: str) -> Content:
        """What is shown of it, without times."""
        return {"id": name, **self.model[name].content, **self.shown_by(name)}

    def check_content(self, kind: str, name: str, before: Content | None, after: Content) -> None:
        """Refuse content that names no parent, or comes to one that is none."""
        if kind not in KINDS or (before is not None and same(before, after)):
            return
        parent = after.get("of")
        if not isinstance(parent, str) or not parent:
            raise RefusalError(422, "schema-violation")
        if before is not None and before.get("of") == parent:
            return
        standing = self.model.get(parent)
        if standing is None or standing.deleted or standing.kind != KINDS[kind].parent:
            raise RefusalError(422, "schema-violation")
        others = [other for other in self.contained_in(parent) if self.model[other].kind == kind and other != name]
        if others and not KINDS[kind].many:
            raise RefusalError(409, "duplicate-identifier")

    def let_go(self, name: str) -> None:
        for other in self.contained_in(name):
            self.let_go(other)
        self.model[name].versions.append(Version(self.model[name].content, deleted=True))

    # --- what the rules are made of ---

    def make(self, kind: str, content: Content, *, name: str = "", dry: bool = False) -> Any:
        """Create in the service and in the model; give the id, if one was made."""

        def decide() -> None:
            if name in self.model:
                there = self.model[name]
                if there.kind != kind:
                    raise RefusalError(409, "duplicate-identifier")
                raise RefusalError(*((410, "gone") if there.deleted else (412, "version-conflict")))
            if any(each.parent == kind and each.shown_as in content for each in KINDS.values()):
                raise RefusalError(422, "immutable-property")
            self.check_content(kind, name, None, content)

        refusal = refusal_of(decide)
        query = f"?dryRun={json.dumps(dry)}"
        if name:
            status, headers, shown = self.ask("PUT", f"/v1/{kind}/{name}{query}", content, if_none_match="*")
        else:
            status, headers, shown = self.ask("POST", f"/v1/{kind}{query}", content, again=not dry)
        if refusal is not None:
            assert (status, shown["code"]) == refusal
            return multiple()
        assert (status, headers["ETag"]) == (201, '"1"')
        assert name in ("", shown["id"])
        self.model[shown["id"]] = Resource(kind, content)
        assert without_times(shown) == self.whole(shown["id"])
        if dry:
            del self.model[shown["id"]]
            return multiple()
        return shown["id"]

    def change(
        self,
        method: str,
        name: str,
        body: Any,
        decide: Callable[[], Content],
        version: str | None,
        dry: bool,
        media_type: str = "application/json",
    ) -> None:
        """Change a resource of the service and of the model in the same way."""
        resource = self.model[name]
        after: list[Content] = []

        def make() -> None:
            after.append(decide())
            self.check_content(resource.kind, name, resource.content, after[0])

        refusal = refusal_of(make)
        answer = self.ask(
            method,
            f"{self.path(name)}?dryRun={json.dumps(dry)}",
            body,
            media_type=media_type,
            if_match=tag_of(resource.version, version),
            again=method == "PATCH" and not dry,
        )
        self.expect_changed(name, after[0] if after else {}, refusal, answer, dry)

    def expect_changed(
        self, name: str, after: Content, refusal: tuple[int, str] | None, answer: tuple[int, Any, Any], dry: bool
    ) -> None:
        resource = self.model[name]
        status, headers, shown = answer
        if refusal is not None:
            assert (status, shown["code"]) == refusal
            return
        if resource.deleted or not same(resource.content, after):
            resource.versions.append(Version(after))
            if dry:
                self.undone.append(resource.versions)
        assert (status, headers["ETag"]) == (200, f'"{resource.version}"')
        assert without_times(shown) == self.whole(name)
        while self.undone:
            self.undone.pop().pop()

    def path(self, name: str) -> str:
        return f"/v1/{self.model[name].kind}/{name}"


def without_times(shown: Content) -> Content:
    """A resource, and those that it shows, without the times of creation and change."""
    return {
        name: [without_times(each) if isinstance(each, dict) else each for each in it]
        if isinstance(it, list)
        else without_times(it)
        if isinstance(it, dict)
        else it
        for name, it in shown.items()
        if name not in ("createdAt", "updatedAt")
    }


def add(member: str, value: Any, *, plain: bool) -> Content:
    """The operation that sets a member."""
    token = member.replace("~", "~0").replace("/", "~1")
    return {"op": "add", "path": token if plain else f"/{token}", "value": value}


@in_many_runs
def test_contained_resources_are_as_a_model_of_them(spawn_service: Spawn, examples: int) -> None:
    hold_to(Machine, spawn_service, examples, prepare)


def prepare() -> None:
    """Define the types; both instances know them within a second."""
    machine = Machine()
    for kind, each in KINDS.items():
        parent = {"type": each.parent, "property": "of", "as": each.shown_as, "many": each.many}
        assert machine.ask("PUT", f"/types/{kind}", {"parent": parent})[0] in (200, 201)
    time.sleep(1.5)
    machine.teardown()
