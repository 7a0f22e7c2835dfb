"""Headers of answers that follow from the route and the status, as the contract describes them."""

from service.api.idempotency import KEY_PARAM
from service.api.route import Param, Route

REQUEST_ID_HEADER = Param(name="X-Request-Id", where="header", description="the caller's own if it sent a sane one")
_SAID = {
    each.name: each
    for each in (
        Param(name="Patchbay-Dry-Run", where="header", description="`true` where nothing was written"),
        Param(name="Idempotency-Replayed", where="header", description="`true` where this is the first answer again"),
        Param(name="Preference-Applied", where="header", description="which preferences were followed"),
    )
}
_ETAG = Param(name="ETag", where="header", description="the version that stands, where there is one")
ALLOWED = Param(name="Allow", where="header", description="the methods that there are")
POSTED = Param(name="Accept-Post", where="header", description="the content types that are understood")
PATCHED = Param(name="Accept-Patch", where="header", description="the content types that are understood")
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_HEADERS: dict[int, dict[str, tuple[Param, ...]]] = {
    412: dict.fromkeys(_METHODS, (_ETAG,)),
    415: {**dict.fromkeys(_METHODS, (POSTED,)), "PATCH": (PATCHED,)},
}
"""Headers that problems of a status have, by method."""


def headers_of(route: Route) -> list[Param]:
    """List the headers that every answer of the route may have."""
    asked = {param.name for param in route.params}
    names = ["Patchbay-Dry-Run"] * route.takes_dry_run
    names += ["Idempotency-Replayed"] * (KEY_PARAM in route.params) + ["Preference-Applied"] * ("Prefer" in asked)
    return [REQUEST_ID_HEADER, *(_SAID[name] for name in names)]


def problem_headers_of(route: Route, status: int) -> tuple[Param, ...]:
    """List the headers that problems of a status say what to do next by."""
    replayed = (_SAID["Idempotency-Replayed"],) if KEY_PARAM in route.params and 400 <= status < 500 else ()
    return _HEADERS.get(status, {}).get(route.method, ()) + replayed
