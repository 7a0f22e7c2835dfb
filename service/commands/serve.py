"""`patchbay` or `patchbay serve`: one process that listens until a signal says stop."""

import asyncio
import gc
import logging
import signal
from collections.abc import Callable

from aiohttp import web

from service import keys, logs
from service.app import create_app, stop_waiting
from service.commands import workers
from service.commands.listening import greet, listen
from service.settings import Settings

_LOG = logging.getLogger("patchbay")
_GC_THRESHOLDS = (20_000, 20, 20)
"""Requests leave few cycles behind, and looking for them after every 700 objects takes a tenth of a write's time."""
_LINGER_S = 2.0
"""How long a refused upload may go on before the connection is closed under it."""


def serve(settings: Settings, *, inherited: workers.Inherited | None = None) -> int:
    """Run the service until it is told to stop; return the exit code. Raises `StartError`."""
    logs.set_up(settings.log_level)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        if inherited is None and settings.workers > 1:
            runner.run(workers.supervise(settings))
        else:
            runner.run(_serve(settings, inherited))
    return 0


async def _serve(settings: Settings, inherited: workers.Inherited | None) -> None:
    listening = inherited.listening() if inherited else listen(settings)
    app = create_app(settings)
    runner = web.AppRunner(
        app,
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
        site = web.SockSite(runner, listening)
        await site.start()
        gc.freeze()  # what the service is made of never becomes garbage: collections need not look at it
        gc.set_threshold(*_GC_THRESHOLDS)
        if inherited:
            inherited.tell_ready()
        else:
            greet(listening, await app[keys.PROBE].ping(), settings)
        await stop.wait()
        _LOG.info("stopping: requests in flight may finish")
        await site.stop()
        await stop_waiting(app)
        if cut := await app[keys.TRAFFIC].drain(settings.shutdown_grace_s):
            _LOG.warning("stopping: %d requests did not finish in time", cut)
    finally:
        await runner.cleanup()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 - not there on every platform
    except ImportError:
        return None
    return uvloop.new_event_loop
