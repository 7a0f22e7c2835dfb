"""`graft`: the changes of a delta carried to another document."""

from typing import Annotated, Any

from aiohttp import web
from msgspec import Meta

from service.api import family, family_examples
from service.api.flags import Flag, is_set
from service.api.jobs import Deferrable
from service.api.orders import Input, Order
from service.api.route import Content, Route
from service.core.assignment import GraftAssignment
from service.core.graft import Mode
from service.core.options import DiffOptions, FamilyOptions


class GraftRequest(Deferrable, frozen=True, rename="camel", kw_only=True):
    """A changeset (an answer of `compare` of full context) and the document it is carried to."""

    changeset: Input
    target: Input
    graft_resolution_mode: Mode = "changesetPriority"
    metadata: Annotated[Flag, Meta(description="answer an envelope that lists the changes that found no place")] = False


async def graft_changeset(request: web.Request) -> web.Response:
    """Carry the changeset to the target and answer the target."""
    return await family.carry_out(request, GraftRequest, ("changeset", "target"), _assign)


def _assign(request: web.Request, asked: Order[GraftRequest]) -> GraftAssignment:
    return GraftAssignment(
        options=FamilyOptions(DiffOptions(max_depth=family.max_depth(request))),
        metadata=is_set(asked.options.metadata),
        input_format=family.input_format(request, asked.sources),
        mode=asked.options.graft_resolution_mode,
    )


ROUTES = family.every_version(
    Route(
        method="POST",
        path="graft",
        handler=graft_changeset,
        name="graft_changeset",
        summary="Carry changes to another document",
        tag="compare",
        description=(
            "Answers the target with the changes of the changeset, as far as it has what they change; applied again, "
            "nothing more changes. In arrays items are recognised by their values, whatever their order."
        ),
        answers=family.answered("The target with the changes", Content(schema=Any, examples=family_examples.GRAFTED)),
    ),
    GraftRequest,
    ("changeset", "target"),
    family_examples.GRAFT,
)
