"""`compare`: two documents in, a delta that holds both out."""

from typing import Annotated, Any, Literal

import msgspec
from aiohttp import web
from msgspec import UNSET, Meta, UnsetType

from service.api import family, family_examples, replies
from service.api.family import FamilyRequest
from service.api.flags import is_set
from service.api.jobs import wish_of
from service.api.orders import Input, Order, order, read_inputs
from service.api.page.answering import CONTENT, HTML, answer_page
from service.api.replies import JSON
from service.api.route import Content, Route
from service.core.assignment import CompareAssignment, Output
from service.errors import AmbiguousDocumentError, InvalidRequestError


class CompareRequest(FamilyRequest, frozen=True, rename="camel", kw_only=True):
    """Which two documents to lay over one another, and how. `A` and `B` are accepted as spellings of `a` and `b`."""

    a: Input
    b: Input
    output: Annotated[Output, Meta(description="`changesOnly` leaves out what did not change")] = "fullContext"


class Delta(msgspec.Struct, frozen=True):
    """What an envelope holds: unchanged values stand as they are, changed ones as `{"dx_delta": {"A": …, "B": …}}`."""

    kind: Literal["diff", "update"] = msgspec.field(name="dx_deltaJSON_type")
    dx_data_sets: Literal["A=B", "A!=B"]
    delta: Any = msgspec.field(name="dx_deltaJSON_delta")
    metadata: dict[str, Any] | UnsetType = msgspec.field(default=UNSET, name="dx_deltaJSON_metadata")


class DeltaEnvelope(msgspec.Struct, frozen=True):
    """The answer of `compare`."""

    content: Delta = msgspec.field(name="dx_deltaJSON")


async def compare_documents(request: web.Request) -> web.Response:
    """Compare the inputs and answer the delta."""
    if replies.choose(request, (JSON, HTML)) == HTML:
        return await _show(request)
    return await family.carry_out(request, CompareRequest, ("a", "b"), _assign)


async def _show(request: web.Request) -> web.Response:
    async with order(request, CompareRequest, ("a", "b")) as asked:
        options = family.to_options(asked.options, family.max_depth(request))
        texts = await read_inputs(request, asked)
    if wish_of(asked.options) is not None:
        raise InvalidRequestError("An asynchronous call answers JSON: leave 'async' out, or text/html.", field="async")
    return await answer_page(request, options, texts)


def _assign(request: web.Request, asked: Order[CompareRequest]) -> CompareAssignment:
    return CompareAssignment(
        options=family.to_options(asked.options, family.max_depth(request)),
        metadata=is_set(asked.options.metadata),
        input_format=family.input_format(request, asked.sources),
        output=asked.options.output,
    )


ROUTES = family.every_version(
    Route(
        method="POST",
        path="compare",
        handler=compare_documents,
        name="compare_documents",
        summary="Lay two documents over one another",
        tag="compare",
        description=(
            "Answers a delta: one document in which what changed stands as `dx_delta` with the values of A and B. "
            "Both documents can be rebuilt from it; where arrays are compared without regard to order (`orderless`, "
            "`keyed`), B comes in the order of A."
        ),
        answers=family.answered(
            "The delta, or a page that shows it",
            Content(schema=DeltaEnvelope, examples=family_examples.DELTAS),
            CONTENT,
        ),
        errors=(AmbiguousDocumentError,),
    ),
    CompareRequest,
    ("a", "b"),
    family_examples.COMPARE,
)
