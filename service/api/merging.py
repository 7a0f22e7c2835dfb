"""The two-way and three-way merges."""

from dataclasses import replace
from typing import Annotated, Any, Literal

import msgspec
from aiohttp import web
from msgspec import Meta

from service.api import family, family_examples, wire
from service.api.family import FamilyRequest
from service.api.flags import is_set
from service.api.orders import Input, Order
from service.api.route import Content, Route
from service.core.assignment import ThreeWayAssignment, ThreeWayMode, TwoWayAssignment
from service.core.conflict import Choice
from service.errors import AmbiguousDocumentError

Priority = Literal["a", "b", "A", "B"]


class TwoWayMergeRequest(FamilyRequest, frozen=True, rename="camel", kw_only=True):
    """Which two documents to merge. `metadata` is accepted and without effect: the answer is the merged document."""

    a: Input
    b: Input
    merge_priority: Annotated[Priority, Meta(description="whose value is taken where both have one")] = "a"


class Resolution(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one conflict is resolved. `path` is that of the conflict in the metadata, `use` the document to take."""

    path: str
    use: Choice


class ThreeWayMergeRequest(FamilyRequest, frozen=True, rename="camel", kw_only=True):
    """An ancestor and two edits of it."""

    ancestor: Input
    edit1: Input
    edit2: Input
    three_way_merge_mode: ThreeWayMode = "showConflicts"
    resolutions: tuple[Resolution, ...] = ()


async def merge_two_way(request: web.Request) -> web.Response:
    """Merge two documents."""
    return await family.carry_out(request, TwoWayMergeRequest, ("a", "b"), _assign_two_way)


async def merge_three_way(request: web.Request) -> web.Response:
    """Merge two edits of an ancestor."""
    return await family.carry_out(request, ThreeWayMergeRequest, ("ancestor", "edit1", "edit2"), _assign_three_way)


def _assign_two_way(request: web.Request, asked: Order[TwoWayMergeRequest]) -> TwoWayAssignment:
    return TwoWayAssignment(
        options=family.to_options(asked.options, family.max_depth(request)),
        priority="a" if asked.options.merge_priority in ("a", "A") else "b",
    )


def _assign_three_way(request: web.Request, asked: Order[ThreeWayMergeRequest]) -> ThreeWayAssignment:
    return ThreeWayAssignment(
        options=family.to_options(asked.options, family.max_depth(request)),
        metadata=is_set(asked.options.metadata),
        input_format=family.input_format(request, asked.sources),
        mode=asked.options.three_way_merge_mode,
        resolutions=_choices(asked.options.resolutions),
    )


def _choices(resolutions: tuple[Resolution, ...]) -> dict[str, Choice]:
    """Give what is to be taken by path; raise `InvalidRequestError` for paths that are told to go two ways."""
    chosen: dict[str, Choice] = {}
    faults = [
        wire.fault(f"resolutions[{index}]", f"the conflict at '{each.path}' is resolved by '{known}' already")
        for index, each in enumerate(resolutions)
        if (known := chosen.setdefault(each.path, each.use)) != each.use
    ]
    if faults:
        raise wire.refuse(faults)
    return chosen


_TWO_WAY = Route(
    method="POST",
    path="two-way-merge",
    handler=merge_two_way,
    name="merge_two_way",
    summary="Merge two documents",
    tag="compare",
    description=(
        "Answers one document with what either has; where both have a value, that of `mergePriority`. Arrays are "
        "joined by their alignment, with `wordByWord` strings too."
    ),
    answers=family.answered("The merged document", Content(schema=Any, examples=family_examples.MERGED)),
)
_THREE_WAY = Route(
    method="POST",
    path="three-way-merge",
    handler=merge_three_way,
    name="merge_three_way",
    summary="Merge two edits of an ancestor",
    tag="compare",
    description=(
        "In the mode `showConflicts` answers a delta whose A is edit1 and B edit2 wherever they disagree, with the "
        "list `conflicts` in the metadata; in the other modes the document with every conflict resolved. "
        "`resolutions` settle single conflicts first."
    ),
    answers=family.answered(
        "The delta, or the merged document", Content(schema=Any, examples=family_examples.THREE_WAY_ANSWERS)
    ),
    errors=(AmbiguousDocumentError,),
)

ROUTES = (
    *family.every_version(
        replace(_TWO_WAY, path="merge", name="merge"), TwoWayMergeRequest, ("a", "b"), family_examples.TWO_WAY
    ),
    *family.every_version(_TWO_WAY, TwoWayMergeRequest, ("a", "b"), family_examples.TWO_WAY),
    *family.every_version(_THREE_WAY, ThreeWayMergeRequest, ("ancestor", "edit1", "edit2"), family_examples.THREE_WAY),
)
