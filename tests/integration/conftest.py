"""Driver-level fixtures: a client and the run's database."""

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
