"""Changes of resources, as functions of the version they meet: pure, so that the store may call them again."""

import uuid
from collections.abc import Iterable, Iterator

import msgspec

from service.core import dialect, identified, owned, values
from service.core.coarse import diff_members
from service.core.engine import BothWays, Engine
from service.core.history import apply_with_inverse
from service.core.identified import Given
from service.core.merge import apply_merge
from service.core.operation import Operation
from service.core.values import Json
from service.errors import PathNotAllowedError
from service.model import Change, ChangeKind, Companion, Draft, Resource
from service.ports import Changing
from service.usecases.asked import Asked, Content, Limits, Rules, admit, taken

_DIFFED_BYTES = 256 * 1024
_DIFFED_BYTES_NATIVE = 2 * 1024 * 1024
"""Above this, before and after together, changes are kept member by member: the event loop waits for them."""


def creating(asked: Asked, content: Content) -> Changing:
    """Make a resource where there is none."""

    def change(draft: Draft | None) -> Change | None:
        if draft is not None:
            raise taken(asked, draft)
        asked.conditions.check(None)
        document = owned.take_off(values.copy(content), {"id": asked.id}, all_present=False)
        owned.refuse_computed(document, asked.rules.computed, {})
        _give_ids(document, asked.rules)
        asked.rules.check(document)
        return Change(kind="create", content=document, companions=asked.rules.accompany(asked.id, None, document))

    return change


def replacing(asked: Asked, content: Content) -> Changing:
    """Replace the content of a resource."""

    def change(draft: Draft | None) -> Change | None:
        standing = admit(asked, draft)
        document = owned.take_off(values.copy(content), _owned_by(standing), all_present=False)
        return succeed(asked, standing, standing.content, document, "replace")

    return change


def merging(asked: Asked, patch: Json) -> Changing:
    """Apply a JSON Merge Patch (RFC 7396)."""

    def change(draft: Draft | None) -> Change | None:
        standing = admit(asked, draft)
        own = _owned_by(standing)
        owned.refuse_computed_members(patch, standing.content, asked.rules.computed)
        merged = _as_object(apply_merge(owned.show(values.copy(standing.content), own), patch))
        document = owned.take_off(merged, own, all_present=True)
        return succeed(asked, standing, standing.content, document, "patch")

    return change


def patching(asked: Asked, operations: list[Operation], limits: Limits, *, plain: bool) -> Changing:
    """Apply a JSON Patch (RFC 6902), or one of the plain dialect."""

    def change(draft: Draft | None) -> Change | None:
        standing = admit(asked, draft)
        owned.refuse_computed_paths(operations, asked.rules.computed)
        own = _owned_by(standing)
        shown = owned.show(standing.content, own)
        done: list[Operation] = []
        step = apply_with_inverse(
            shown,
            _noted(dialect.resolve_items(shown, operations) if plain else operations, done),
            max_depth=limits.max_depth,
            max_copied_bytes=limits.max_copied_bytes,
        )
        is_rooted = any(not each["path"] for each in done)
        document = owned.take_off(_as_object(step.document), own, all_present=not is_rooted)
        if any(map(owned.touches_owned, done)):  # these operations mean nothing to the content alone
            return succeed(asked, standing, msgspec.json.decode(standing.text), document, "patch")
        earlier = msgspec.json.decode(standing.text)
        owned.refuse_computed(document, asked.rules.computed, earlier)
        if values.equal(earlier, document):
            return None
        given = _give_ids(document, asked.rules)
        asked.rules.check(document)
        return Change(
            kind="patch",
            content=document,
            forward=values.encode([each for each in (*done, *given.forward) if each["op"] != "test"]),
            inverse=values.encode([*given.inverse, *step.inverse]),
            companions=asked.rules.accompany(standing.id, earlier, document),
        )

    return change


def deleting(asked: Asked, more: tuple[Companion, ...] = ()) -> Changing:
    """Delete a resource, and write `more` with it; its last content is kept, so that it can be reverted to."""

    def change(draft: Draft | None) -> Change | None:
        standing = admit(asked, draft)
        companions = asked.rules.accompany(standing.id, standing.content, None)
        return Change(kind="delete", content=standing.content, deleted=True, companions=(*companions, *more))

    return change


def reverting(asked: Asked, content: Content) -> Changing:
    """Make a version whose content is that of an earlier one; a deleted resource comes back by it."""

    def change(draft: Draft | None) -> Change | None:
        standing = admit(asked, draft, even_deleted=True)
        document = values.copy(content)
        if not standing.deleted:
            return succeed(asked, standing, standing.content, document, "revert")
        asked.rules.check(document)
        found = _compare(asked.engine, standing.text, standing.content, document)
        return Change(
            kind="revert",
            content=document,
            forward=found.patch,
            inverse=found.inverse,
            companions=asked.rules.accompany(standing.id, None, document),
        )

    return change


def content_of(resource: Resource) -> Content:
    """Decode the content of a resource."""
    content: Content = msgspec.json.decode(resource.text)
    return content


def draft_of(resource: Resource) -> Draft:
    """Take a resource in hand as if it were to be changed."""
    return Draft(
        id=resource.id,
        type=resource.type,
        version=resource.version,
        text=resource.text,
        content=content_of(resource),
        created_at=resource.created_at,
        updated_at=resource.updated_at,
        deleted=resource.deleted,
    )


def succeed(asked: Asked, standing: Draft, before: Content, document: Content, kind: ChangeKind) -> Change | None:
    """Make the change from the old content to the new by comparing them; None when they are equal.

    What comes back from an earlier version stays as it was there: items are given no ids.
    """
    owned.refuse_computed(document, asked.rules.computed, before)
    if values.equal(before, document):
        return None
    if kind != "revert":
        _give_ids(document, asked.rules)
    asked.rules.check(document)
    found = _compare(asked.engine, standing.text, before, document)
    return Change(
        kind=kind,
        content=document,
        forward=found.patch,
        inverse=found.inverse,
        companions=asked.rules.accompany(standing.id, before, document),
    )


def _compare(engine: Engine, text: bytes, before: Content, after: Content) -> BothWays:
    """Find the patches that are kept: the real ones, or for large content such as are found at once.

    `text` is that of `before`.
    """
    texts = text, values.encode(after)
    if sum(map(len, texts)) <= (_DIFFED_BYTES_NATIVE if engine.name == "native" else _DIFFED_BYTES):
        return engine.compare_both_ways(*texts)
    return BothWays(values.encode(diff_members(before, after)), values.encode(diff_members(after, before)))


def _owned_by(draft: Draft) -> dict[str, Json]:
    return {"id": draft.id, "createdAt": draft.created_at, "updatedAt": draft.updated_at}


def _noted(operations: Iterable[Operation], done: list[Operation]) -> Iterator[Operation]:
    """Pass the operations on, and keep them as they were passed on."""
    for operation in operations:
        done.append(operation)
        yield operation


def _give_ids(document: Content, rules: Rules) -> Given:
    return identified.give_ids(document, rules.identified_lists, lambda: str(uuid.uuid4()))


def _as_object(document: Json) -> Content:
    if not isinstance(document, dict):
        raise PathNotAllowedError("A resource is an object; its root cannot become anything else.", path="")
    return document
