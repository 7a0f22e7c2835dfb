"""Documents of other servers, obtained over HTTP by the guarded client."""

from urllib.parse import unquote

from aiohttp.helpers import parse_mimetype
from msgspec import UNSET, UnsetType

from service.errors import SourceNotFoundError, SourceUnreachableError
from service.model import Document, Format, Reading, Source
from service.readers.client import MAX_REDIRECTS, Exchange, GuardedClient
from service.readers.revalidation import Revalidation

_ACCEPT = "application/json, application/*+json, application/yaml;q=0.9, */*;q=0.5"
_MAX_HEADER = 8000


class UrlSource(Source, frozen=True):
    """A URL (`uri` or `url`), and the value of an Authorization header for its host alone."""

    uri: str | UnsetType = UNSET
    url: str | UnsetType = UNSET
    authorization_header: str | UnsetType = UNSET
    format: Format | None = None

    def __post_init__(self) -> None:
        """Refuse both spellings at once and neither, and a header that is not one line of ASCII."""
        if (self.uri is UNSET) == (self.url is UNSET):
            raise ValueError("it takes one of `uri` and `url`")
        header = self.authorization_header
        if isinstance(header, str) and not (
            header.isascii() and header.isprintable() and 0 < len(header) <= _MAX_HEADER
        ):
            raise ValueError(f"`authorizationHeader` is one line of ASCII, at most {_MAX_HEADER} characters")

    def __repr__(self) -> str:
        """Show nothing: a URL may hold a secret, and the header is one."""
        return "UrlSource(…)"

    @property
    def location(self) -> str:
        """The URL, however the member was spelt."""
        return str(self.url if self.uri is UNSET else self.uri)


class UrlReader:
    """Fetches documents with GET, following redirects under the guard."""

    types = ("http", "url")
    source = UrlSource

    def __init__(self, client: GuardedClient, *, kept_bytes: int = 16 * 1024 * 1024) -> None:
        """`kept_bytes` bounds the answers that are kept for the next time their URL is asked for."""
        self._client = client
        self._before = Revalidation(kept_bytes)

    async def read(self, source: UrlSource, reading: Reading) -> Document:
        """Return the body of a successful answer."""
        header = source.authorization_header
        if isinstance(header, str):
            exchange = await self._get(source.location, reading, {}, {"Authorization": header})
        else:
            exchange = await self._get_anew(source.location, reading)
        _check_status(exchange.status)
        return _document(exchange, source.format)

    async def _get_anew(self, url: str, reading: Reading) -> Exchange:
        """Get what is not kept, or has changed. Only what needs no credentials is kept."""
        before = self._before.find(url)
        if before is None or len(before.content) > reading.max_bytes:
            exchange = await self._get(url, reading, {})
        else:
            exchange = await self._get(url, reading, {"If-None-Match": before.headers["ETag"]})
            if exchange.status == 304:
                return before
        self._before.keep(url, exchange)
        return exchange

    async def _get(
        self, url: str, reading: Reading, headers: dict[str, str], credentials: dict[str, str] | None = None
    ) -> Exchange:
        return await self._client.request(
            "GET",
            url,
            max_bytes=reading.max_bytes,
            timeout_s=reading.timeout_s,
            headers={"Accept": _ACCEPT} | headers,
            credentials=credentials,
            max_redirects=MAX_REDIRECTS,
            hold=reading.hold,
        )


def _check_status(status: int) -> None:
    if status in {404, 410}:
        raise SourceNotFoundError(f"The source answers {status}: there is no such document.")
    if status in {401, 403}:
        raise SourceUnreachableError(f"The source answers {status}; send credentials for it as authorizationHeader.")
    if status != 200:
        raise SourceUnreachableError(f"The source answers {status}, not a document.")


def _document(exchange: Exchange, asked: Format | None) -> Document:
    kind = parse_mimetype(exchange.headers.get("Content-Type", ""))
    media_type = f"{kind.type}/{kind.subtype}" + (f"+{kind.suffix}" if kind.suffix else "")
    name = unquote(exchange.target.tail.partition("?")[0].rpartition("/")[2])
    return Document(
        exchange.content,
        media_type=media_type if kind.type else None,
        charset=kind.parameters.get("charset"),
        format=asked,
        name=name or None,
    )
