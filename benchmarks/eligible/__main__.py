"""`python -m benchmarks.eligible`: pages of eligible resources among 100,000, beside pages of a plain list.

Starts a MongoDB of its own and the service in this process, fills the collection as the resource store would, and
asks over HTTP. Writes RESULTS.md beside this file.
"""

import asyncio
import platform
import random
import statistics
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from service.app import create_app
from service.settings import Settings
from service.store.documents import encode_content
from service.store.mongo import connect
from service.store.mongod import MongodProcess

RESOURCES = 100_000 - 1  # and the one that the patches are recorded against
ROUNDS = 15
LIMIT = 50
RESULTS = Path(__file__).with_name("RESULTS.md")
HEAD = f"""# Eligible resources

`python -m benchmarks.eligible`: {RESOURCES + 1:,} clinics of about 1 KB, pages of {LIMIT} over HTTP, {ROUNDS} rounds,
one connection; service, client and MongoDB on one machine, no index on content. Milliseconds for one page.

| constraints | found | next page | median | least | most |
|---|---|---|---|---|---|
"""
TAIL = f"""

A page looks at no more than 100,000 resources and judges no more than 2,000 of those that the query selects; it may
then end with fewer than it was asked for, and the next one goes on from there.

Measured with Python {platform.python_version()} on {platform.machine()}, MongoDB 6.0.5. Trust the ratios only.
"""
CASES: dict[str, list[tuple[str, str, Any]]] = {
    "every resource fits": [("beds", ">=", 0)],
    "1 in 2 fits, by version order (`engine >= 13.5`)": [("engine", ">=", "13.5")],
    "1 in 100 fits (`beds == 7`)": [("beds", "==", 7)],
    "1 in 2,000 fits (`beds == 7`, `city in [3 of 60]`)": [("beds", "==", 7), ("city", "in", ["c1", "c2", "c3"])],
    "none fits, the query tells (`beds == 700`)": [("beds", "==", 700)],
    "none fits, only evaluation tells (`engine > 99`)": [("engine", ">", "99")],
    "20 constraints, 1 in 100 fits": [("beds", "==", 7), *((f"m{index}", "<=", 1000) for index in range(19))],
}


def clinic(number: int, rng: random.Random) -> dict:
    return {
        "name": f"Clinic {number}",
        "engine": f"{rng.randrange(10, 17)}.{rng.randrange(10)}",
        "beds": rng.randrange(100),
        "city": f"c{rng.randrange(60)}",
        "phone": [{"id": f"phone-{uuid.UUID(int=rng.getrandbits(128))}", "value": str(number), "use": "main"}],
        "openingHours": [{"day": day, "from": "08:00", "to": "17:00"} for day in ("mon", "tue", "wed", "thu", "fri")],
        **{f"m{index}": rng.randrange(1000) for index in range(19)},
    }


async def fill(uri: str) -> None:
    client = connect(uri)
    rng = random.Random(7)
    at = "2026-01-02T03:04:05.000000Z"
    for start in range(0, RESOURCES, 2000):
        records = []
        for number in range(start, min(start + 2000, RESOURCES)):
            content, plain = encode_content(clinic(number, rng))
            shared = {
                "type": "clinic",
                "v": 1,
                "created": at,
                "updated": at,
                "deleted": False,
                "log": [],
                "logBytes": 0,
            }
            records.append(
                {"_id": str(uuid.UUID(int=rng.getrandbits(128))), "content": content, "plain": plain} | shared
            )
        await client.benchmark["resources"].insert_many(records, ordered=False)
    client.close()


async def measure(session: aiohttp.ClientSession, path: str) -> tuple[list[float], int, bool]:
    times, found, more = [], 0, False
    for _ in range(ROUNDS):
        start = time.perf_counter()
        async with session.get(path) as response:
            assert response.status == 200, await response.text()
            found = len(await response.json())
            more = "next" in response.links
        times.append((time.perf_counter() - start) * 1000)
    return times, found, more


async def run(uri: str, folder: Path) -> list[str]:
    await fill(uri)
    settings = Settings(port=0, data_dir=folder, mongodb_uri=uri, mongodb_database="benchmark")
    runner = web.AppRunner(create_app(settings))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    rows = []
    async with aiohttp.ClientSession(f"http://{host}:{port}") as session:
        async with session.post("/v1/clinic", json={"name": "mine"}) as response:
            own = (await response.json())["id"]
        rows.append(
            row("a page of the plain list (`GET /v1/clinic`)", *await measure(session, f"/v1/clinic?limit={LIMIT}"))
        )
        for number, (name, constraints) in enumerate(CASES.items()):
            listed = [{"field": field, "operator": operator, "value": value} for field, operator, value in constraints]
            definition = {"patch_id": f"p{number}", "constraints": listed}
            async with session.post(f"/resources/{own}/patches", json={"definition": definition}) as response:
                assert response.status == 201
            path = f"/resources/{own}/patches/p{number}/eligible?limit={LIMIT}"
            rows.append(row(name, *await measure(session, path)))
    await runner.cleanup()
    return rows


def row(name: str, times: list[float], found: int, more: bool) -> str:
    ordered = sorted(times)
    middle = statistics.median(times)
    line = f"| {name} | {found} | {'yes' if more else 'no'} | {middle:.1f} | {ordered[0]:.1f} | {ordered[-1]:.1f} |"
    print(line, flush=True)
    return line


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="pb-") as folder, MongodProcess(Path(folder) / "mongo") as server:
        rows = asyncio.run(run(server.uri, Path(folder) / "data"))
    RESULTS.write_text(HEAD + "\n".join(rows) + TAIL)


if __name__ == "__main__":
    main()
