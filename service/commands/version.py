"""`patchbay --version`: which release, and which diff engine runs."""

from service import __version__
from service.core.engine import EngineMissingError, choose
from service.errors import StartError
from service.settings import Settings


def show(settings: Settings) -> int:
    """Write one line; return the exit code. Raises `StartError`."""
    try:
        engine = choose(settings.engine)
    except EngineMissingError as error:
        raise StartError(str(error)) from error
    print(f"patchbay {__version__}, {engine.name} diff engine")
    return 0
