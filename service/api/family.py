"""What the requests of `compare`, the merges and `graft` share: their members, their options, their answers."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from aiohttp import web
from msgspec import UNSET, Meta, UnsetType

from service.api import dxconfig, examples, replies
from service.api.comparing import COMPARE_ERRORS
from service.api.flags import Flag, is_set
from service.api.hanging_up import while_awaited
from service.api.jobs import ACCEPTED, KEY, Deferrable, accept, wish_of
from service.api.orders import FORM, Order, order, read_inputs
from service.api.resource_examples import DRY_RUN
from service.api.route import Answer, Content, Route
from service.core.assignment import AnyAssignment
from service.core.options import FamilyAlignment, FamilyOptions
from service.keys import RUNNER, SETTINGS
from service.model import Source
from service.usecases import merging

DxConfig = Annotated[msgspec.Raw, Meta(extra_json_schema={"$ref": "#/components/schemas/FamilyDxConfig"})]
VERSIONS = ("v1", "v2")


class FamilyRequest(Deferrable, frozen=True, rename="camel", kw_only=True):
    """Members that `compare` and the merges share."""

    array_alignment: FamilyAlignment = "orderless"
    keys: tuple[str, ...] = ()
    on_key_error: Literal["refuse", "inOrder"] = "refuse"
    tolerance: dxconfig.Distance | UnsetType = UNSET
    word_by_word: Flag = False
    metadata: Flag = True
    dx_config: DxConfig | UnsetType = UNSET


Wire = TypeVar("Wire", bound=Deferrable)


def to_options(asked: FamilyRequest, max_depth: int) -> FamilyOptions:
    """Make the options of the comparison; what holds for the whole comes first, so that instructions with a place win.

    Raises `InvalidRequestError`.
    """
    dxconfig.check_keys(asked.array_alignment, asked.keys)
    whole: list[dxconfig.Instruction] = [
        dxconfig.FamilyArrayInstruction(
            array_alignment=asked.array_alignment, keys=asked.keys, on_key_error=asked.on_key_error
        )
    ]
    if asked.tolerance is not UNSET:
        whole.append(dxconfig.ToleranceInstruction(tolerance=asked.tolerance))
    given = [] if asked.dx_config is UNSET else dxconfig.parse_instructions(asked.dx_config, dxconfig.FAMILY_KINDS)
    options = dxconfig.to_options(whole + given, max_depth=max_depth)
    return FamilyOptions(options, asked.array_alignment, is_set(asked.word_by_word))


def input_format(request: web.Request, sources: Mapping[str, Source]) -> str:
    """Say in the words of the metadata how the inputs came; `mixed` where they came in several ways."""
    is_form = request.content_type == FORM
    found = {_format(str(source.__struct_config__.tag), is_form=is_form) for source in sources.values()}
    return found.pop() if len(found) == 1 else "mixed"


def _format(kind: str, *, is_form: bool) -> str:
    match kind:
        case "inline" | "raw":
            return "inline"
        case "resource":
            return "resources"
        case "upload":
            return "multi_part_strings"
        case _:
            return "multi_part_uris" if is_form else "json_uris"


async def carry_out(
    request: web.Request,
    struct: type[Wire],
    inputs: tuple[str, ...],
    assign: Callable[[web.Request, Order[Wire]], AnyAssignment],
) -> web.Response:
    """Read the request and its inputs, do what it asks for, and answer."""
    async with order(request, struct, inputs) as asked:
        assignment = assign(request, asked)
        texts = await read_inputs(request, asked)
    wish = wish_of(asked.options)
    if wish is not None:
        return await accept(request, assignment, texts, wish)
    async with while_awaited(request):
        product = await merging.carry_out(assignment, texts, request.app[RUNNER])
    headers = {"Patchbay-Diff": "bounded" if product.bounded else "exact"}
    return replies.json_reply(product.text, headers=headers)


def max_depth(request: web.Request) -> int:
    """Return the deepest nesting of documents."""
    return request.app[SETTINGS].max_depth


def answered(description: str, *content: Content) -> tuple[Answer, ...]:
    """Describe the answer of a route of the family."""
    return (
        Answer(status=200, description=description, content=content, headers=(examples.DIFF_HEADER,)),
        ACCEPTED,
    )


def every_version(
    template: Route, struct: type[msgspec.Struct], inputs: tuple[str, ...], requests: dict[str, Any]
) -> tuple[Route, ...]:
    """Make the rows of the route table for a route of the family: below each version, in JSON and as form data."""
    encoding = dict.fromkeys(inputs, examples.FORM_ENCODING["a"])
    body = (
        Content(schema=struct, examples=requests),
        Content(schema=examples.form_schema(struct, inputs), media_type=FORM, encoding=encoding),
    )
    return tuple(
        replace(
            template,
            path=f"/api/json/{version}/{template.path}",
            name=f"{template.name}_{version}",
            body=body,
            params=(*template.params, DRY_RUN, KEY),
            errors=(*COMPARE_ERRORS, *template.errors),
        )
        for version in VERSIONS
    )
