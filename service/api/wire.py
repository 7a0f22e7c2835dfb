"""JSON bodies to wire Structs: every violation of a request at once, each naming its member."""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple, TypeVar, get_type_hints

import msgspec
from aiohttp import web
from msgspec.inspect import Metadata, RawType, Type

from service.api.bodies import read_body
from service.api.explanations import explain
from service.api.replies import JSON
from service.core import values
from service.errors import (
    InvalidRequestError,
    MalformedJsonError,
    OverloadedError,
    RequestTimeoutError,
    ServiceError,
    TooDeepError,
    TooLargeError,
    UnsupportedMediaTypeError,
    Violation,
)
from service.keys import ENGINE, SETTINGS

Wire = TypeVar("Wire", bound=msgspec.Struct)
Item = TypeVar("Item")
Parsed = TypeVar("Parsed")

ENVELOPE_DEPTH = 8
"""How many containers a request may put around a document."""
_MOST_VIOLATIONS = 100
"""A body may be wrong in more ways than anybody reads."""
BODY_ERRORS: tuple[type[ServiceError], ...] = (
    InvalidRequestError,
    MalformedJsonError,
    RequestTimeoutError,
    TooLargeError,
    UnsupportedMediaTypeError,
    TooDeepError,
    OverloadedError,
)
"""What reading a JSON body may refuse."""


async def read(request: web.Request, struct: type[Wire], *, absent: Wire | None = None) -> Wire:
    """Read a body of JSON as `struct`; `absent`, where it is given, stands for no body at all.

    Raises what `read_body`, `check_media_type` and `parse` raise.
    """
    body = await read_body(request)
    if absent is not None and not body:
        return absent
    check_media_type(request, (JSON,))
    return parse(body, struct, max_depth=request.app[SETTINGS].max_depth, check=request.app[ENGINE].check)


class Member(NamedTuple):
    """A member of a wire Struct: its attribute, its type, and what reads its text (None keeps it as it is)."""

    attribute: str
    hint: Any
    required: bool
    decoder: msgspec.json.Decoder[Any] | None


@cache
def shape_of(struct: type[msgspec.Struct]) -> Mapping[str, Member]:
    """Return a Struct's members by the names that they have on the wire."""
    hints = get_type_hints(struct, include_extras=True)
    return {
        field.encode_name: Member(field.name, hints[field.name], field.required, _decoder(hints[field.name]))
        for field in msgspec.structs.fields(struct)
    }


def _decoder(hint: Any) -> msgspec.json.Decoder[Any] | None:
    return None if isinstance(_info(hint), RawType) else msgspec.json.Decoder(hint)


def _info(hint: Any) -> Type:
    info = msgspec.inspect.type_info(hint)
    return info.type if isinstance(info, Metadata) else info


def check_media_type(request: web.Request, accepted: tuple[str, ...]) -> str:
    """Return the request's media type; raise `UnsupportedMediaTypeError` naming those that are accepted."""
    given = request.headers.get("Content-Type")
    if given is None:
        raise UnsupportedMediaTypeError(
            f"The request has no Content-Type; send one of: {', '.join(accepted)}.", accepted=accepted
        )
    media_type = given.split(";")[0].strip().lower()
    if media_type not in accepted:
        raise UnsupportedMediaTypeError(
            f"Content-Type {media_type!r} is not understood here; send one of: {', '.join(accepted)}.",
            accepted=accepted,
        )
    return media_type


def parse(
    body: bytes,
    struct: type[Wire],
    *,
    max_depth: int,
    aliases: Mapping[str, str] = {},
    check: Callable[[bytes, int], None] = values.check,
) -> Wire:
    """Read a JSON object as `struct`; where bodies may be large, `check` is the engine's.

    Raises `MalformedJsonError` or `TooDeepError` for a text that is not strict JSON, `InvalidRequestError` with one
    violation for each member that is unknown, missing, repeated under an alias, or of the wrong type.
    """
    check(body, max_depth + ENVELOPE_DEPTH)
    return build(members(body), struct, aliases=aliases)


def members(text: bytes | msgspec.Raw) -> dict[str, msgspec.Raw]:
    """Split the text of an object that has been checked into its members' texts."""
    body = bytes(text).removeprefix(b"\xef\xbb\xbf")
    try:
        return msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except msgspec.ValidationError as error:
        raise InvalidRequestError("The body must be a JSON object.") from error


def build(given: Mapping[str, msgspec.Raw], struct: type[Wire], *, aliases: Mapping[str, str] = {}) -> Wire:
    """Make a Struct of members' texts, collecting every violation before refusing."""
    shape = shape_of(struct)
    found: dict[str, Any] = {}
    violations: list[Violation] = []
    for spelled, raw in given.items():
        if len(violations) == _MOST_VIOLATIONS:
            raise refuse(violations)
        name = aliases.get(spelled, spelled)
        member = shape.get(name)
        if member is None:
            violations.append(fault(spelled, f"unknown member '{spelled}'; known: {', '.join(shape)}"))
        elif member.attribute in found:
            violations.append(fault(spelled, f"member '{name}' comes twice, as '{spelled}' too"))
        else:
            try:
                found[member.attribute] = raw if member.decoder is None else member.decoder.decode(raw)
            except msgspec.ValidationError as error:
                found[member.attribute] = None
                violations.append(fault(name, explain(name, member.hint, error)))
    violations += [
        fault(name, f"member '{name}' is missing")
        for name, member in shape.items()
        if member.required and member.attribute not in found
    ]
    if violations:
        raise refuse(violations)
    return struct(**found)


def fault(field: str, detail: str) -> Violation:
    """Describe one fault of the request's member `field`."""
    return Violation(code=InvalidRequestError.code, detail=detail, field=field)


def refuse(violations: list[Violation]) -> InvalidRequestError:
    """Build the refusal that lists `violations`."""
    listed = "; ".join(each.detail for each in violations[:5])
    more = f"; and {len(violations) - 5} more" if len(violations) > 5 else ""
    return InvalidRequestError(f"{listed[:1].upper()}{listed[1:]}{more}.", violations=tuple(violations))


def parse_all(items: Iterable[Item], parse: Callable[[Item], Parsed]) -> list[Parsed]:
    """Parse all items; what is wrong with several of them is told together."""
    parsed: list[Parsed] = []
    faults: list[InvalidRequestError] = []
    for item in items:
        try:
            parsed.append(parse(item))
        except InvalidRequestError as error:
            faults.append(error)
    if faults:
        raise _together(faults)
    return parsed


def _together(faults: list[InvalidRequestError]) -> InvalidRequestError:
    """Make one refusal of several."""
    if len(faults) == 1:
        return faults[0]
    listed = " ".join(each.detail for each in faults[:5])
    more = f" And {len(faults) - 5} more." if len(faults) > 5 else ""
    return InvalidRequestError(
        f"{listed}{more}", violations=tuple(each for fault in faults for each in fault.violations)
    )
