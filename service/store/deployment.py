"""What a MongoDB deployment must be for the service to stand on it; asked once at start and by the readiness probe."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError

from service.errors import StartError
from service.store.mongo import Client, translated, unavailable

_OLDEST = (5, 0)
_UNAUTHORIZED = 13
_AUTHENTICATION_FAILED = 18
_OTHER_CASE = 13297
_URI = "PATCHBAY_MONGODB_URI"


@contextmanager
def told_to_operator() -> Iterator[None]:
    """Turn the driver's errors into `StartError`, without their text: it quotes commands, and documents with them."""
    try:
        yield
    except ConnectionFailure as error:
        raise StartError(f"No MongoDB primary answers at {_URI}: is it running, and reachable from here?") from error
    except OperationFailure as error:
        if error.code == _UNAUTHORIZED:
            raise StartError(
                f"The account in {_URI} lacks a right (code {error.code}): grant it readWrite on the database."
            ) from error
        if error.code == _AUTHENTICATION_FAILED:
            raise StartError(f"The MongoDB deployment at {_URI} refuses this account (code {error.code}).") from error
        if error.code == _OTHER_CASE:
            raise StartError(
                "PATCHBAY_MONGODB_DATABASE differs from a database that is there only in capital and small letters; "
                "MongoDB takes one of the two: spell it like that one, or choose another."
            ) from error
        raise StartError(f"The MongoDB deployment at {_URI} refused a command (code {error.code}).") from error
    except PyMongoError as error:
        raise StartError(f"The MongoDB deployment at {_URI} cannot be used: {type(error).__name__}.") from error


async def check_deployment(client: Client) -> str:
    """Return the server's version; raise `StartError` where it is away, too old, or neither a set nor mongos."""
    with told_to_operator():
        hello = await client.admin.command("hello")
        build = await client.admin.command("buildInfo")
    version = str(build["version"])
    if tuple(build["versionArray"][:2]) < _OLDEST:
        raise StartError(f"The MongoDB deployment at {_URI} is version {version}; 5.0 or newer is needed.")
    if not _has_transactions(hello):
        raise StartError(
            f"The MongoDB server at {_URI} stands alone; a replica set is needed (one member is enough): start it "
            "with --replSet and run rs.initiate()."
        )
    return version


def _has_transactions(hello: dict[str, Any]) -> bool:
    return "setName" in hello or hello.get("msg") == "isdbgrid"


class MongoProbe:
    """Tells whether the deployment takes writes."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def ping(self) -> str:
        """Return the server's version; raise `StoreUnavailableError` when no primary answers."""
        with translated():
            hello = await self._client.admin.command("hello")
            build = await self._client.admin.command("buildInfo")
        if not hello.get("isWritablePrimary"):
            raise unavailable()
        return str(build["version"])
