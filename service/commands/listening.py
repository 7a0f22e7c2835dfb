"""The socket the service listens on, and what it says when it does."""

import ipaddress
import logging
import socket

from service import __version__
from service.commands import output
from service.core.engine import choose
from service.errors import StartError
from service.settings import Settings

_LOG = logging.getLogger("patchbay")
_BACKLOG = 1024
_NEAR = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where a client here reaches who listens everywhere


def listen(settings: Settings) -> socket.socket:
    """Open the listening socket; raise `StartError` when the address cannot be had or may not be."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((settings.host, settings.port))
        _check_exposure(settings, made.getsockname()[0])
        made.listen(_BACKLOG)
    except (OSError, TypeError, ValueError) as error:  # the last two: text that no name or zone can be
        made.close()
        reason = "no such host here" if isinstance(error, socket.gaierror) else getattr(error, "strerror", None)
        raise StartError(
            f"cannot listen on {settings.host}:{settings.port} ({reason or 'no host name'}). "
            "Choose another address with PATCHBAY_HOST and PATCHBAY_PORT."
        ) from error
    except StartError:
        made.close()
        raise
    return made


def _check_exposure(settings: Settings, address: str) -> None:
    """Nothing listens beyond loopback without authentication."""
    if settings.auth == "none" and not ipaddress.ip_address(address).is_loopback:
        raise StartError(
            f"PATCHBAY_HOST is {settings.host}, which others can reach, and PATCHBAY_AUTH is none. "
            "Set PATCHBAY_AUTH=keys (`patchbay keys create` makes one) or jwt, or listen on 127.0.0.1."
        )


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def greet(listening: socket.socket, database: str, settings: Settings) -> None:
    """Say where the service listens and what to try; it serves also where nobody can be told."""
    host, port = listening.getsockname()[:2]
    url = _url(host, port)
    near = _url(_NEAR.get(host, host), port)
    key = "" if settings.auth == "none" else " -H 'Authorization: Bearer …'"
    make_key = "\n  Key:   patchbay keys create --name you --role admin" if settings.auth == "keys" else ""
    engine = choose(settings.engine).name
    where = "your deployment" if settings.mongodb_uri else f"embedded, data in {settings.data_dir}"
    try:
        print(
            f"""Patchbay {__version__} listens on {url} (MongoDB {database}, {where}; {engine} diff engine)
{make_key}
  Try:   curl {near}/api/json/v1/patch{key} -H 'Content-Type: application/json' \\
           -d '{{"a": {{"type": "inline", "value": {{"x": 1}}}}, "b": {{"type": "inline", "value": {{"x": 2}}}}}}'
         curl {near}/api/json/v1/patch{key} -F a=@old.json -F b=@new.json
  Read:  {near}/docs
  Stop:  Ctrl+C""",
            flush=True,
        )
    except OSError as error:
        _LOG.warning("listens on %s; standard output cannot be written: %s", url, error.strerror)
        output.discard()
