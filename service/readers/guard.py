"""Which URLs and addresses the service may reach on behalf of others. Pure: judges text and numbers, reaches nothing.

A URL is taken apart once, here, and put together anew from what was judged, so that no second parser can read it
differently.
"""

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from string import punctuation
from urllib.parse import quote

import idna
import msgspec

from service.errors import SourceForbiddenError, StartError
from service.readers.address import Address, carried, is_public

Network = IPv4Network | IPv6Network

MAX_URL_LENGTH = 8192

_URL = re.compile(r"(?P<scheme>https?)://(?P<authority>[^/?#]*)(?P<tail>[^#]*)(?:#.*)?", re.IGNORECASE)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_AUTHORITY = re.compile(r"(?:\[(?P<v6>[^\]]*)\]|(?P<name>[^:\[\]]*))(?::(?P<port>[0-9]{1,5}))?")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_UNSAFE = re.compile(r"[\x00-\x20\x7f\\]")
_LOCAL_SUFFIXES = ("localhost", "local", "internal", "home.arpa", "localdomain")


class Target(msgspec.Struct, frozen=True):
    """A URL taken apart: host in lower-case ASCII, `address` where the host is one, `tail` the path and query."""

    scheme: str
    host: str
    port: int
    tail: str
    address: Address | None = None

    @property
    def url(self) -> str:
        """The URL, put together from its judged parts."""
        host = f"[{self.host}]" if isinstance(self.address, IPv6Address) else self.host
        return f"{self.scheme}://{host}:{self.port}{self.tail}"

    @property
    def origin(self) -> tuple[str, str, int]:
        """What credentials belong to (RFC 6454)."""
        return self.scheme, self.host, self.port


class Guard:
    """The rules of one service: which hosts, networks and ports its operator opens beside what is public."""

    def __init__(self, allow: Iterable[str] = (), ports: Iterable[int] = (80, 443)) -> None:
        """Raise `StartError` for an entry of `allow` that is neither a network nor a host name."""
        self._networks: list[Network] = []
        self._hosts: set[str] = set()
        self._ports = frozenset(ports)
        for entry in allow:
            try:
                self._networks.append(ip_network(entry.strip("[]"), strict=False))
            except ValueError:
                self._hosts.add(_allowed_host(entry))

    def target(self, url: str) -> Target:
        """Take a URL apart and judge what can be judged without looking its host up.

        Raises `SourceForbiddenError`. Where the target has no address, every address that its host turns out to have
        must pass `check_address` before anything is sent.
        """
        match = self._match(url)
        scheme = match["scheme"].lower()
        authority = _AUTHORITY.fullmatch(match["authority"])
        if "@" in match["authority"]:
            raise SourceForbiddenError(
                "The URL holds a user name or password; send credentials as authorizationHeader."
            )
        if authority is None:
            raise SourceForbiddenError("The URL's host or port is malformed.")
        port = int(authority["port"] or (443 if scheme == "https" else 80))
        if port not in self._ports:
            ports = ", ".join(map(str, sorted(self._ports)))
            raise SourceForbiddenError(f"Port {port} may not be named; these may: {ports} (PATCHBAY_URL_PORTS).")
        if authority["v6"] is not None:
            address: Address | None = _parse_v6(authority["v6"])
            host = str(address)
        else:
            host = _checked_name(authority["name"])
            address = _parse_v4(host)
        self._check_host(host, address)
        return Target(scheme, host, port, _tail(match["tail"]), address)

    def check_address(self, host: str, address: Address) -> None:
        """Refuse an address that is not public, unless the operator opened its network or this host."""
        if host in self._hosts or is_public(address):
            return
        faces = (address, carried(address))
        if not any(face in network for face in faces if face is not None for network in self._networks):
            raise _not_public(host)

    def _match(self, url: str) -> re.Match[str]:
        if len(url) > MAX_URL_LENGTH:
            raise SourceForbiddenError(f"The URL is longer than {MAX_URL_LENGTH} characters.")
        if _UNSAFE.search(url):
            raise SourceForbiddenError("The URL has a space, a control character or a backslash; percent-encode it.")
        match = _URL.fullmatch(url)
        if match is None:
            scheme = _SCHEME.match(url)
            named = f"scheme {scheme[1][:20].lower()!r}" if scheme else "text without a scheme"
            raise SourceForbiddenError(f"Only absolute http and https URLs are read; this is a {named}.")
        return match

    def _check_host(self, host: str, address: Address | None) -> None:
        if address is not None:
            self.check_address(host, address)
        elif host not in self._hosts and ("." not in host or host.endswith(tuple("." + s for s in _LOCAL_SUFFIXES))):
            raise _not_public(host)


def _allowed_host(entry: str) -> str:
    try:
        name = _checked_name(entry)
        _parse_v4(name)
    except SourceForbiddenError as error:
        raise StartError(f"PATCHBAY_URL_ALLOW: {entry!r} is neither a host nor a network.") from error
    return name


def _checked_name(text: str) -> str:
    """Return a host name in lower-case ASCII without its trailing dot; letters beyond ASCII by UTS 46."""
    name = text.lower()
    if len(name) > 254:
        raise SourceForbiddenError("The URL's host is longer than any name.")
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True, std3_rules=True).decode()
        except idna.IDNAError as error:
            raise SourceForbiddenError("The URL's host is not a valid international name.") from error
    name = name.removesuffix(".")
    if not all(map(_LABEL.fullmatch, name.split("."))):
        raise SourceForbiddenError("The URL's host is no valid name.")
    return name


def _parse_v4(host: str) -> IPv4Address | None:
    """Read a host that ends in a number as an IPv4 address, in its usual spelling only; None for a name."""
    if not _NUMBER.fullmatch(host.rpartition(".")[2]):
        return None
    try:
        return IPv4Address(host)
    except ValueError as error:
        raise SourceForbiddenError(
            "An IPv4 address is written as four decimal numbers without zeros before."
        ) from error


def _parse_v6(text: str) -> IPv6Address:
    try:
        address = IPv6Address(text)
    except ValueError as error:
        raise SourceForbiddenError("The URL's host is no IPv6 address.") from error
    if address.scope_id is not None:
        raise SourceForbiddenError("An IPv6 address with a zone is never public.")
    return address


def _tail(tail: str) -> str:
    """Return path and query as they are written; what is not ASCII, and bytes that a redirect names, in percent."""
    return quote(tail if tail.startswith("/") else "/" + tail, safe=punctuation, errors="surrogateescape")


def _not_public(host: str) -> SourceForbiddenError:
    return SourceForbiddenError(
        f"The host {host[:80]!r} is not on the public internet; the operator can open it with PATCHBAY_URL_ALLOW."
    )
