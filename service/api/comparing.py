"""`patch`: two documents in, the patch between them out; and comparisons kept on request."""

from typing import Annotated, Any, Literal

import msgspec
from aiohttp import web
from msgspec import UNSET, Meta, UnsetType

from service import errors
from service.api import dxconfig, examples, replies
from service.api.flags import flag
from service.api.hanging_up import while_awaited
from service.api.idempotency import key_of
from service.api.jobs import ACCEPTED, KEY, Deferrable, accept, wish_of
from service.api.orders import FORM, Input, order, read_inputs
from service.api.page.answering import CONTENT, HTML, answer_page
from service.api.replies import JSON
from service.api.resource_examples import DRY_RUN
from service.api.route import Answer, Content, Param, Route
from service.core.changes import Change
from service.core.options import Alignment, DiffOptions, FamilyOptions
from service.core.work import PatchWork
from service.errors import InvalidRequestError
from service.keys import CALLER, CLOCK, COMPARER, COMPARISONS, RUNNER, SETTINGS
from service.model import Comparison, Direction
from service.usecases import comparing, rendering
from service.usecases.comparing import Inputs

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
CHANGES = "application/vnd.patchbay.changes+json"
PATCH_TYPES = (JSON, JSON_PATCH, MERGE_PATCH, CHANGES, HTML)
FORMS: dict[str, rendering.Form] = {MERGE_PATCH: rendering.as_merge, CHANGES: rendering.as_changes}


class PatchRequest(Deferrable, frozen=True, rename="camel", kw_only=True):
    """Which two documents to compare, and how. `A` and `B` are accepted as spellings of `a` and `b`."""

    a: Input
    b: Input
    patch_direction: Annotated[Direction, Meta(description="`aToB`: the answer turns A into B")] = "aToB"
    dx_config: Annotated[msgspec.Raw, Meta(extra_json_schema={"$ref": "#/components/schemas/DxConfig"})] | UnsetType = (
        UNSET
    )
    array_alignment: Alignment | UnsetType = UNSET
    keys: tuple[str, ...] = ()
    on_key_error: Literal["refuse", "inOrder"] = "refuse"
    tolerance: dxconfig.Distance | UnsetType = UNSET
    moves: bool = False
    invertible: bool = False


class JsonPatchOperation(msgspec.Struct, rename="camel", omit_defaults=True):
    """One operation of a JSON Patch (RFC 6902)."""

    op: Literal["add", "remove", "replace", "move", "copy", "test"]
    path: str
    from_: Annotated[str, Meta(description="where `move` and `copy` take the value")] | UnsetType = msgspec.field(
        default=UNSET, name="from"
    )
    value: Any = UNSET


async def create_patch(request: web.Request) -> web.Response:
    """Compare the inputs and answer the patch; with `store=true`, keep a record of it."""
    store, is_dry = flag(request, "store"), flag(request, "dryRun")
    media_type = replies.choose(request, PATCH_TYPES)
    async with order(request, PatchRequest, ("a", "b")) as asked:
        options = to_options(asked.options, request.app[SETTINGS].max_depth)
        texts = await read_inputs(request, asked)
    inputs, direction = Inputs(**texts), asked.options.patch_direction
    wish = wish_of(asked.options)
    if wish is not None:
        if store:
            raise InvalidRequestError("An asynchronous comparison is not recorded: leave 'store' out.", field="store")
        if media_type not in (JSON, JSON_PATCH):
            raise InvalidRequestError(f"A job has a JSON Patch for its result, not {media_type}.", field="async")
        return await accept(request, PatchWork(direction=direction, options=options), texts, wish)
    if media_type == HTML:
        if store:
            raise InvalidRequestError("A page is not recorded: leave 'store' out, or ask for JSON.", field="store")
        before, after = inputs.directed(direction)
        return await answer_page(request, FamilyOptions(options, "inOrder"), {"a": before, "b": after})
    async with while_awaited(request):
        outcome = await comparing.compare(inputs, direction, options, request.app[COMPARER])
    headers = {"Patchbay-Diff": "bounded" if outcome.bounded else "exact"}
    body = outcome.patch
    if form := FORMS.get(media_type):
        before = inputs.directed(direction)[0]
        size = len(before) + len(body)
        body = await request.app[RUNNER].call(form, before, body, options.max_depth, size=size)
    if not store:
        return replies.json_reply(body, headers=headers, content_type=media_type)
    if not is_dry:
        kept = await comparing.record(
            inputs,
            direction,
            replies.encode([msgspec.to_builtins(each) for each in instructions_of(asked.options)]),
            outcome,
            key=key_of(request),
            caller=request[CALLER],
            clock=request.app[CLOCK],
            store=request.app[COMPARISONS],
        )
        headers["Location"] = f"/api/json/v1/comparisons/{kept.id}"
    return replies.json_reply(body, status=201, headers=headers, content_type=media_type)


async def get_comparison(request: web.Request) -> web.Response:
    """Answer a recorded comparison."""
    comparison_id, store = request.match_info["comparison_id"], request.app[COMPARISONS]
    return replies.json_reply(await comparing.find(comparison_id, request[CALLER], store))


def instructions_of(asked: PatchRequest) -> list[dxconfig.Instruction]:
    """List what the request asks for as instructions: its own members first, so that those with a place win."""
    whole: list[dxconfig.Instruction] = []
    dxconfig.check_keys(asked.array_alignment, asked.keys)
    if asked.array_alignment is not UNSET:
        whole.append(
            dxconfig.ArrayInstruction(
                array_alignment=asked.array_alignment, keys=asked.keys, on_key_error=asked.on_key_error
            )
        )
    if asked.tolerance is not UNSET:
        whole.append(dxconfig.ToleranceInstruction(tolerance=asked.tolerance))
    if asked.moves:
        whole.append(dxconfig.MovesInstruction(moves=True))
    if asked.invertible:
        whole.append(dxconfig.InvertibleInstruction(invertible=True))
    given = [] if asked.dx_config is UNSET else dxconfig.parse_instructions(asked.dx_config)
    return whole + given


def to_options(asked: PatchRequest, max_depth: int) -> DiffOptions:
    """Make the options of the comparison that the request asks for."""
    return dxconfig.to_options(instructions_of(asked), max_depth=max_depth)


COMPARE_ERRORS: tuple[type[errors.ServiceError], ...] = (
    errors.MalformedJsonError,
    errors.InvalidRequestError,
    errors.InvalidMultipartError,
    errors.UnsupportedMediaTypeError,
    errors.NotAcceptableError,
    errors.RequestTimeoutError,
    errors.TooLargeError,
    errors.TooDeepError,
    errors.TooComplexError,
    errors.OverloadedError,
    errors.ArrayKeyError,
    errors.NotExpressibleError,
    errors.IdempotencyKeyReusedError,
    errors.SourceForbiddenError,
    errors.SourceNotFoundError,
    errors.SourceUnreachableError,
    errors.SourceTimeoutError,
    errors.StoreUnavailableError,
)
"""What every route of the compare family may refuse."""


PATCH_CONTENTS = (
    Content(schema=list[JsonPatchOperation], media_type=JSON, examples=examples.PATCHES),
    Content(schema=list[JsonPatchOperation], media_type=JSON_PATCH, examples=examples.PATCHES),
    Content(schema=examples.MERGE_SCHEMA, media_type=MERGE_PATCH, examples={"sample": examples.MERGE}),
    Content(schema=list[Change], media_type=CHANGES, examples={"sample": examples.CHANGES}),
)


def _patch_route(version: str) -> Route:
    return Route(
        path=f"/api/json/{version}/patch",
        name=f"create_patch_{version}",
        handler=create_patch,
        method="POST",
        summary="Compute the patch between two documents",
        tag="compare",
        access="reader",
        description=(
            "Answers an RFC 6902 array that turns A into B (or B into A). Operations follow the members of B; in an "
            "array they run from the last index to the first. Equal inputs answer `[]`. The header `Patchbay-Diff` is "
            "`bounded` where a bound was met and the patch, though right, is coarser than it could be. With `Accept` "
            "the same change is said as a merge patch (RFC 7396; 422 where a member becomes null, which it cannot "
            "say) or as a list of changes, each with the value before and after."
        ),
        params=(
            DRY_RUN,
            Param(
                name="store",
                schema=bool,
                description="keep a record of the comparison and answer 201 with its Location",
            ),
            KEY,
        ),
        body=(
            Content(schema=PatchRequest, examples=examples.PATCH_REQUESTS),
            Content(
                schema=examples.form_schema(PatchRequest, ("a", "b")),
                media_type=FORM,
                encoding=examples.FORM_ENCODING,
            ),
        ),
        answers=(
            Answer(
                status=200,
                description="The patch, or a page that shows what changed",
                content=(*PATCH_CONTENTS, CONTENT),
                headers=(examples.DIFF_HEADER,),
            ),
            Answer(
                status=201,
                description="The patch, and a record of the comparison at `Location`",
                content=PATCH_CONTENTS,
                headers=(examples.DIFF_HEADER, examples.LOCATION_HEADER),
            ),
            ACCEPTED,
        ),
        errors=COMPARE_ERRORS,
    )


ROUTES = tuple(_patch_route(version) for version in ("v1", "v2")) + tuple(
    Route(
        method="GET",
        path=f"/api/json/{version}/comparisons/{{comparison_id}}",
        name=f"get_comparison_{version}",
        handler=get_comparison,
        summary="Read a recorded comparison",
        tag="compare",
        answers=(Answer(status=200, description="The record", content=(Content(schema=Comparison),)),),
        params=(
            Param(name="comparison_id", where="path", required=True, description="from the `Location` of the patch"),
        ),
        errors=(errors.NotFoundError, errors.StoreUnavailableError),
    )
    for version in ("v1", "v2")
)
