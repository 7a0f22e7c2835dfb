"""Driver-level fixtures: a client and the run's database."""

import uuid
from collections.abc import AsyncIterator

import pytest

from service.store.mongo import Client, Database, connect
from service.store.mongod import MongodProcess


@pytest.fixture(name="mongo")
async def connect_client(mongod: MongodProcess) -> AsyncIterator[Client]:
    client = connect(mongod.uri)
    yield client
    client.close()


@pytest.fixture(name="database")
def choose_database(mongo: Client, database_name: str) -> Database:
    return mongo[database_name]


@pytest.fixture(name="own")
async def make_database(database: Database) -> AsyncIterator[Database]:
    """A database of the test's own: a service in the run's would take the work."""
    own = database.client[f"{database.name}-{uuid.uuid4().hex[:8]}"]
    yield own
    await database.client.drop_database(own.name)
