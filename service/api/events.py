"""`GET /events`: what happened, as a list that waits, or as server-sent events."""

from urllib.parse import urlencode

from aiohttp import web

from service import errors
from service.api import replies
from service.api.guarding import identify
from service.api.hanging_up import has_hung_up
from service.api.paging import limit_of
from service.api.query import only
from service.api.replies import JSON
from service.api.route import Answer, Content, Param, Route
from service.errors import InvalidRequestError, OverloadedError
from service.keys import CALLER, FEED, FEED_WATCH, FOLLOWERS, IS_PATIENT
from service.model import Event
from service.usecases import following
from service.usecases.following import Reader

STREAM = "text/event-stream"
_LONGEST_WAIT_S = 60.0
_HEARTBEAT_S = 15.0
_MOST_FOLLOWERS = 1000


async def list_events(request: web.Request) -> web.StreamResponse:
    """Answer events after a position; as a stream when `Accept` asks for one."""
    feed, media_type = request.app[FEED], replies.choose(request, (JSON, STREAM))
    given = request.headers.get("Last-Event-ID") or only(request, "after")
    position = await following.read_position(given, feed)
    request[IS_PATIENT] = True
    if media_type == STREAM:
        return await _stream(request, position)
    limit = limit_of(request)
    passage = await following.read(
        position,
        limit=limit,
        wait_s=_wait_of(request),
        reader=_reader_of(request),
        feed=feed,
        watch=request.app[FEED_WATCH],
    )
    await identify(request, request.app)
    query = urlencode({**request.query, "after": passage.end})
    return replies.json_reply(passage.events, headers={"Link": f'</events?{query}>; rel="next"'})


async def _stream(request: web.Request, position: int) -> web.StreamResponse:
    followers = request.app[FOLLOWERS]
    if followers.count >= _MOST_FOLLOWERS:
        raise OverloadedError(
            "Too many follow the feed already. Come back, or use the list with ?wait.", retry_after_s=5
        )
    response = web.StreamResponse(headers={"Content-Type": STREAM, "Cache-Control": "no-store"})
    followers.count += 1
    try:
        first = await request.app[FEED].list_after(position, 1)  # a refusal is still an answer of its own
        await response.prepare(request)
        await response.write(b": following from here\n\n" if not first else b"")
        async for events in following.stream(
            position,
            heartbeat_s=_HEARTBEAT_S,
            reader=_reader_of(request),
            feed=request.app[FEED],
            watch=request.app[FEED_WATCH],
        ):
            await identify(request, request.app)
            await response.write(b"".join(map(_to_text, events)) or b": nothing new\n\n")
    except ConnectionResetError:
        pass  # the reader left
    finally:
        followers.count -= 1
    return response


def _reader_of(request: web.Request) -> Reader:
    return Reader(request[CALLER], lambda: has_hung_up(request))


def _to_text(event: Event) -> bytes:
    return f"id: {event.position}\nevent: {event.type}\ndata: ".encode() + replies.encode(event) + b"\n\n"


def _wait_of(request: web.Request) -> float:
    given = only(request, "wait")
    text = "0" if given is None else given
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= _LONGEST_WAIT_S:
        raise InvalidRequestError(f"'wait' is {text!r}; it takes 0 to {_LONGEST_WAIT_S:g} seconds.", field="wait")
    return seconds


ROUTES = (
    Route(
        method="GET",
        path="/events",
        handler=list_events,
        summary="Follow what happens to resources and patches",
        tag="events",
        description=(
            "Events in the order of their positions; those of one resource stand in the order in which they happened, "
            "and none is left out. As a list, which waits up to `wait` seconds for the first event, or with "
            "`Accept: text/event-stream` as server-sent events that go on from `Last-Event-ID`."
        ),
        params=(
            Param(name="after", description="position of the last event seen, or `latest`; absent: the oldest kept"),
            Param(
                name="limit", schema={"type": "integer", "minimum": 1, "maximum": 500}, description="at most so many"
            ),
            Param(
                name="wait",
                schema={"type": "number", "minimum": 0, "maximum": _LONGEST_WAIT_S},
                description="seconds to wait for the first event",
            ),
            Param(name="Last-Event-ID", where="header", description="position of the last event seen"),
        ),
        answers=(
            Answer(
                status=200,
                description="Events",
                content=(
                    Content(schema=list[Event]),
                    Content(schema={"type": "string"}, media_type=STREAM),
                ),
                headers=(
                    Param(name="Link", where="header", description="the next page, to be asked for when it suits"),
                ),
            ),
        ),
        errors=(
            errors.InvalidRequestError,
            errors.NotAcceptableError,
            errors.FeedGoneError,
            errors.OverloadedError,
            errors.StoreUnavailableError,
        ),
    ),
)
