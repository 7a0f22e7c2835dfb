"""The database for a command: the running service's own, if one runs on the data directory, else started for it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from service.store.deployment import check_deployment, told_to_operator
from service.store.embedded import EmbeddedMongo
from service.store.mongo import Client, connect
from service.store.mongod import check_founded, running_uri


@asynccontextmanager
async def open_client(mongodb_uri: str | None, data_dir: Path, *, founds: bool = False) -> AsyncIterator[Client]:
    """Give a client of the deployment at `mongodb_uri`, or of the embedded server of `data_dir`.

    Raises `StartError` where neither can be had, where `data_dir` has no database unless the command `founds` one, and
    where the database fails the command later.
    """
    async with AsyncExitStack() as stack:
        uri = mongodb_uri or running_uri(data_dir)
        if uri is None:
            if not founds:
                check_founded(data_dir)
            uri = (await stack.enter_async_context(EmbeddedMongo(data_dir))).uri
        client = connect(uri)
        stack.callback(client.close)
        await check_deployment(client)
        with told_to_operator():
            yield client
