"""`patchbay` or `patchbay serve`: listen until a signal says stop."""

import asyncio
import logging
import os
import signal

from aiohttp import web

from service import __version__, keys, logs
from service.app import create_app
from service.errors import StartError
from service.settings import Settings

_LOG = logging.getLogger("patchbay")
_LINGER_S = 2.0
"""How long a refused upload may go on before the connection is closed under it."""


def serve(settings: Settings) -> int:
    """Run the service until it is told to stop; return the exit code. Raises `StartError`."""
    logs.set_up(settings.log_level)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(settings))
    return 0


async def _serve(settings: Settings) -> None:
    runner = web.AppRunner(
        create_app(settings),
        access_log=None,
        handle_signals=False,
        shutdown_timeout=settings.shutdown_grace_s,
        lingering_time=_LINGER_S,
    )
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await runner.setup()
    try:
        site = web.TCPSite(runner, settings.host, settings.port)
        try:
            await site.start()
        except OSError as error:
            raise StartError(
                f"cannot listen on {settings.host}:{settings.port} ({os.strerror(error.errno or 0)}). "
                "Choose another port with PATCHBAY_PORT."
            ) from error
        host, port = runner.addresses[0][:2]
        _greet(f"http://{host}:{port}", await runner.app[keys.PROBE].ping(), settings)
        await stop.wait()
        _LOG.info("stopping: requests in flight may finish")
    finally:
        await runner.cleanup()


def _loop_factory() -> type | None:
    try:
        import uvloop  # noqa: PLC0415 - not there on every platform
    except ImportError:
        return None
    return uvloop.new_event_loop  # type: ignore[return-value]


def _greet(url: str, database: str, settings: Settings) -> None:
    where = "your deployment" if settings.mongodb_uri else f"embedded, data in {settings.data_dir}"
    print(
        f"""Patchbay {__version__} listens on {url} (MongoDB {database}, {where})

  Try:   curl {url}/api/json/v1/patch -H 'Content-Type: application/json' \\
           -d '{{"a": {{"type": "inline", "value": {{"x": 1}}}}, "b": {{"type": "inline", "value": {{"x": 2}}}}}}'
         curl {url}/api/json/v1/patch -F a=@old.json -F b=@new.json
  Read:  {url}/docs
  Stop:  Ctrl+C""",
        flush=True,
    )
