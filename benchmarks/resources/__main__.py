"""`python -m benchmarks.resources [most]`: version reads, list pages and parents, as histories and types grow.

Starts a MongoDB of its own and the service in this process, and asks over HTTP. `most` is how many resources the
largest type has, 1,000,000 unless said. Writes RESULTS.md beside this file.
"""

import asyncio
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path

import aiohttp
import msgspec
from aiohttp import web

from service import keys
from service.api.paging import write_cursor
from service.app import create_app
from service.core.listing import Place
from service.model import Attribution, Change
from service.settings import Settings
from service.store.documents import encode_content
from service.store.mongo import connect
from service.store.mongod import MongodProcess
from service.store.resources import MongoResources

ROUNDS = 25
VERSIONS = (10, 100, 1_000, 10_000)
CHILDREN = (10, 100, 1_000)
RESULTS = Path(__file__).with_name("RESULTS.md")
CLINIC = {
    "name": "Foot clinic",
    "phone": [{"id": f"phone-{number}", "value": "3333333", "use": "main", "system": "phone"} for number in range(3)],
    "openingHours": [{"day": day, "from": "08:00", "to": "17:00"} for day in ("mon", "tue", "wed", "thu", "fri")],
    "description": "d" * 200,
}


class Table:
    def __init__(self, title: str, sizes: tuple[int, ...]) -> None:
        self.title, self.sizes = title, sizes
        self.rows: dict[str, dict[int, float]] = {}

    def note(self, what: str, size: int, milliseconds: float) -> None:
        self.rows.setdefault(what, {})[size] = milliseconds
        print(f"{what}, {size:,}: {milliseconds:.1f} ms", flush=True)

    def text(self) -> str:
        head = f"| {self.title} | " + " | ".join(f"{size:,}" for size in self.sizes) + " |"
        lines = [head, "|---" * (len(self.sizes) + 1) + "|"]
        for what, found in self.rows.items():
            lines.append(f"| {what} | " + " | ".join(f"{found[size]:.1f}" for size in self.sizes) + " |")
        return "\n".join(lines)


async def ask(session: aiohttp.ClientSession, urls: list[str]) -> float:
    times = []
    for number in range(ROUNDS + 3):
        start = time.perf_counter()
        async with session.get(urls[number % len(urls)]) as answer:
            await answer.read()
            assert answer.status == 200, await answer.text()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.quantiles(times[3:], n=4)[0]


async def measure_versions(session: aiohttp.ClientSession, app: web.Application) -> Table:
    table = Table("versions of one resource", VERSIONS)
    for versions in VERSIONS:
        async with session.post("/v1/clinic", json=CLINIC) as answer:
            path = answer.headers["Location"]
        await write_versions(app, path.rpartition("/")[2], versions - 1)
        store = app[keys.SHELF].resources
        assert isinstance(store, MongoResources)
        await store.relay.drain([path.rpartition("/")[2]])
        async with session.get(f"{path}?version={versions // 2}") as answer:
            moment = (await answer.json())["updatedAt"]
        step = max(1, versions // 17)
        table.note("the newest", versions, await ask(session, [path]))
        anywhere = [f"{path}?version={version}" for version in range(1, versions + 1, step)]
        table.note("any version", versions, await ask(session, anywhere))
        table.note("the first version", versions, await ask(session, [f"{path}?version=1"]))
        table.note("at a time in the middle", versions, await ask(session, [f"{path}?at={moment}"]))
        table.note("a page of history (50)", versions, await ask(session, [f"{path}/history"]))
        table.note("first to newest, as a diff", versions, await ask(session, [f"{path}/diff?from=1&to={versions}"]))
    return table


async def write_versions(app: web.Application, resource_id: str, versions: int) -> None:
    def count(draft):
        n = draft.content.get("n", 0) + 1
        forward = msgspec.json.encode([{"op": "add", "path": "/n", "value": n}])
        old = [{"op": "replace", "path": "/n", "value": n - 1}] if n > 1 else [{"op": "remove", "path": "/n"}]
        content = {**draft.content, "n": n}
        return Change(kind="patch", content=content, forward=forward, inverse=msgspec.json.encode(old))

    for at in range(0, versions, 20):  # small updates, as single writers would make
        writes = [
            app[keys.SHELF].resources.write(resource_id, "clinic", count, Attribution(by="bench"))
            for _ in range(min(20, versions - at))
        ]
        await asyncio.gather(*writes)


async def measure_lists(session: aiohttp.ClientSession, uri: str, sizes: tuple[int, ...]) -> Table:
    table = Table("resources of the type", sizes)
    for size in sizes:
        kind = f"l{size}"
        async with session.put(f"/types/{kind}", json={"indexes": ["group"]}) as answer:
            assert answer.status in (200, 201)
        await fill(uri, kind, size)
        middle = deep(kind, size // 2)
        table.note("first page (50)", size, await ask(session, [f"/v1/{kind}"]))
        table.note("a page in the middle", size, await ask(session, [f"/v1/{kind}?cursor={middle}"]))
        table.note("newest changes first", size, await ask(session, [f"/v1/{kind}?sort=-updatedAt"]))
        table.note("by an indexed member", size, await ask(session, [f"/v1/{kind}?group=7"]))
        table.note("one resource", size, await ask(session, [f"/v1/{kind}/{kind}-{size // 2}"]))
    return table


def deep(kind: str, number: int) -> str:
    """The cursor of a page behind the resource of that number."""
    listed = msgspec.json.encode(["list", kind, []]).decode()
    return write_cursor(listed, Place((stamp(number),), f"{kind}-{number}"))


def stamp(number: int) -> str:
    seconds, rest = divmod(number, 1_000_000)
    return f"2026-01-{1 + seconds % 28:02d}T00:00:00.{rest:06d}Z"


async def fill(uri: str, kind: str, size: int) -> None:
    client = connect(uri)
    resources = client["patchbay"]["resources"]
    for at in range(0, size, 2_000):
        records = []
        for number in range(at, min(at + 2_000, size)):
            stored, is_plain = encode({**CLINIC, "group": number % max(1, size // 40)})
            moment = stamp(number)
            record = {"_id": f"{kind}-{number}", "type": kind, "v": 1, "content": stored, "plain": is_plain}
            records.append({**record, "created": moment, "updated": moment, "deleted": False, "log": [], "logBytes": 0})
        await resources.insert_many(records, ordered=False)
    client.close()


def encode(content):
    return encode_content(content, msgspec.json.encode(content))


async def measure_contained(session: aiohttp.ClientSession) -> Table:
    table = Table("contained resources of one parent", CHILDREN)
    definition = {"parent": {"type": "house", "property": "house", "as": "rooms"}}
    async with session.put("/types/room", json=definition) as answer:
        assert answer.status in (200, 201)
    for children in CHILDREN:
        async with session.post("/v1/house", json=CLINIC) as answer:
            path, house = answer.headers["Location"], (await answer.json())["id"]
        start = time.perf_counter()
        for at in range(0, children, 32):
            await asyncio.gather(*(make_room(session, house) for _ in range(min(32, children - at))))
        table.note("making one of them", children, (time.perf_counter() - start) * 1000 / children)
        table.note("the parent with all of them", children, await ask(session, [path]))
        rooms = f"/v1/room?house={house}&limit=50"
        table.note("a page of them (50)", children, await ask(session, [rooms]))
    return table


async def make_room(session: aiohttp.ClientSession, house: str) -> None:
    async with session.post("/v1/room", json={"house": house, "name": "a room"}) as answer:
        assert answer.status == 201, await answer.text()


async def main(most: int) -> None:
    sizes = tuple(size for size in (1_000, 10_000, 100_000, 1_000_000) if size <= most)
    with tempfile.TemporaryDirectory() as folder, MongodProcess(Path(folder)) as server:
        app = create_app(Settings(mongodb_uri=server.uri, data_dir=Path(folder)))
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        async with aiohttp.ClientSession(f"http://127.0.0.1:{runner.addresses[0][1]}") as session:
            tables = [
                await measure_versions(session, app),
                await measure_contained(session),
                await measure_lists(session, server.uri, sizes),
            ]
        await runner.cleanup()
    RESULTS.write_text(
        "# Resources as they grow\n\n"
        "`python -m benchmarks.resources`: milliseconds for one request over HTTP, lower quartile of\n"
        f"{ROUNDS} (the machine had other work); one connection, clinics of about 700 bytes; service, client\n"
        "and MongoDB on one machine.\n\n"
        + "\n\n".join(table.text() for table in tables)
        + f"\n\nMeasured with Python {platform.python_version()} on {platform.machine()}. Trust the ratios only.\n"
    )


asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
