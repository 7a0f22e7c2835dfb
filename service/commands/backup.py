"""`patchbay backup FILE` and `patchbay restore FILE`."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from service.commands.progress import make_bar
from service.core.timestamp import format_timestamp
from service.errors import StartError, StoreUnavailableError
from service.settings import Settings
from service.store import backup, restoring
from service.store.session import open_client


def back_up(settings: Settings, file: Path) -> int:
    """Copy the database, which may be serving, to a file; return the exit code."""

    async def run() -> int:
        async with open_client(settings.mongodb_uri, settings.data_dir) as client:
            now = format_timestamp(datetime.now(UTC))
            return await backup.back_up(client, settings.mongodb_database, file, now, make_bar("backing up"))

    try:
        count = asyncio.run(run())
    except StoreUnavailableError as error:
        raise StartError(f"The backup broke off: {error.detail}") from error
    print(f"{count} documents in {file} ({file.stat().st_size:,} bytes). Put back with: patchbay restore {file}")
    return 0


def restore(settings: Settings, file: Path) -> int:
    """Put a backup into an empty database; return the exit code."""

    async def run() -> int:
        async with open_client(settings.mongodb_uri, settings.data_dir, founds=True) as client:
            return await restoring.restore(client, settings.mongodb_database, file, make_bar("restoring"))

    try:
        count = asyncio.run(run())
    except StoreUnavailableError as error:
        raise StartError(
            "The restore broke off: the database went away, or its disk is full. Mend that, and restore into another "
            "PATCHBAY_MONGODB_DATABASE or PATCHBAY_DATA_DIR."
        ) from error
    print(f"{count} documents are back. Look over them with: patchbay check")
    return 0
