"""Jobs in MongoDB: one instance at a time, claims that are lost change nothing, and a killed instance loses no job."""

import asyncio
import signal
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import msgspec
import pytest

from service.app import SystemClock
from service.core.assignment import CompareAssignment
from service.core.timestamp import format_timestamp
from service.core.work import encode_work
from service.model import Job, JobFailure, Owed
from service.store.jobs import MongoJobs
from service.store.mongo import Database
from tests.clocks import ShiftedClock
from tests.loopback import Server, answer
from tests.processes import Spawn


def a_job() -> Job:
    return Job(
        id=str(uuid.uuid4()),
        status="QUEUED",
        work=encode_work(CompareAssignment()),
        fingerprint="",
        inputs=("a", "b"),
        created_by="anonymous",
        created_at=format_timestamp(datetime.now(UTC)),
    )


@pytest.fixture(name="instances")
def make_instances(own: Database) -> list[MongoJobs]:
    """Two instances on one database."""
    return [MongoJobs(own, SystemClock()) for _ in range(2)]


async def test_a_job_is_claimed_by_one_instance_and_only_once(instances: list[MongoJobs]) -> None:
    made = [a_job() for _ in range(20)]
    for job in made:
        await instances[0].insert(job, {"a": b"1", "b": b"2"})

    claimed = [each for each in await asyncio.gather(*(store.claim(30) for store in instances * 20)) if each]
    while (more := await instances[0].claim(30)) is not None:
        claimed.append(more)

    assert sorted(job.id for job in claimed) == sorted(job.id for job in made)
    assert {(job.status, job.attempt) for job in claimed} == {("STARTED", 1)}
    assert await instances[1].read_inputs(claimed[0]) == {"a": b"1", "b": b"2"}


async def test_a_claim_that_ran_out_is_another_instances_and_changes_nothing(instances: list[MongoJobs]) -> None:
    first, second = instances
    job = a_job()
    await first.insert(job, {"a": b"1", "b": b"2"})
    lost = await first.claim(0.05)
    assert lost is not None
    await asyncio.sleep(0.1)

    taken = await second.claim(30)

    assert taken is not None
    assert (taken.id, taken.attempt) == (job.id, 2)
    assert not await first.renew(lost, 1, 30)
    assert not await first.succeed(lost, b"late", bounded=False)
    assert not await first.fail(lost, JobFailure("x", "x", "x", b"[]"))  # type: ignore[arg-type]
    assert await second.succeed(taken, b"right", bounded=True)
    found = await first.find(job.id)
    assert found is not None
    assert (found.status, found.bounded, await first.read_result(found)) == ("SUCCESS", True, b"right")


async def test_a_released_job_waits_again_and_the_attempt_does_not_count(instances: list[MongoJobs]) -> None:
    job = a_job()
    await instances[0].insert(job, {"a": b"1", "b": b"2"})
    held = await instances[0].claim(30)
    assert held is not None

    await instances[0].release(held)

    again = await instances[1].claim(30)
    assert again is not None
    assert (again.id, again.attempt) == (job.id, 1)


async def test_a_cancelled_job_is_not_finished_by_who_held_it(instances: list[MongoJobs]) -> None:
    job = a_job()
    await instances[0].insert(job, {"a": b"1", "b": b"2"})
    held = await instances[0].claim(30)
    assert held is not None

    assert await instances[1].cancel(job.id)

    assert not await instances[0].renew(held, 1, 30)
    assert not await instances[0].succeed(held, b"late", bounded=False)
    assert not await instances[1].cancel(job.id)
    assert await instances[1].claim(30) is None


async def test_calls_with_the_same_key_at_the_same_time_do_not_mix_their_inputs(instances: list[MongoJobs]) -> None:
    """Both may have kept their inputs before either has kept its record; one record wins."""
    one, other = (msgspec.structs.replace(a_job(), id="same", fingerprint=each) for each in ("one", "other"))

    names = [f"more-{number}" for number in range(30)] + ["a", "b"]

    late = asyncio.create_task(instances[1].insert(other, dict.fromkeys(names, b"other")))
    await asyncio.sleep(0)  # it has looked for the record before there is one
    await instances[0].insert(one, dict.fromkeys("ab", b"one"))
    await late

    held = await instances[0].claim(60)
    assert held is not None
    assert set((await instances[0].read_inputs(held)).values()) == {held.fingerprint.encode()}


async def test_large_inputs_and_results_are_kept_whole(instances: list[MongoJobs]) -> None:
    job = a_job()
    text = b"x" * (20 * 1024 * 1024)
    await instances[0].insert(job, {"a": text, "b": b""})
    held = await instances[0].claim(60)
    assert held is not None

    assert await instances[0].read_inputs(held) == {"a": text, "b": b""}
    assert await instances[0].succeed(held, text, bounded=False)
    found = await instances[0].find(job.id)
    assert found is not None
    assert await instances[1].read_result(found) == text
    dropped = await asyncio.gather(*(store.drop_result(found) for store in instances * 4))
    assert sorted(dropped) == [*[False] * 7, True]
    assert await instances[1].read_result(found) is None


async def test_a_result_that_is_going_is_gone(instances: list[MongoJobs], own: Database) -> None:
    """Its parts go one by one."""
    job = a_job()
    await instances[0].insert(job, {"a": b"1", "b": b"2"})
    held = await instances[0].claim(60)
    assert held is not None
    await instances[0].succeed(held, b"x" * (20 * 1024 * 1024), bounded=False)
    found = await instances[0].find(job.id)
    assert found is not None
    await own["job_parts"].delete_one({"_id": f"{found.result}:2"})

    assert await instances[1].read_result(found) is None
    assert await instances[1].drop_result(found)


async def test_a_cancelled_job_leaves_no_inputs(instances: list[MongoJobs], own: Database) -> None:
    job = a_job()
    await instances[0].insert(job, {"a": b"1", "b": b"2"})

    assert await instances[1].cancel(job.id)

    assert await own["job_parts"].count_documents({"_id": {"$regex": f"^{job.id}"}}) == 0


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(hours=-1)])
async def test_an_instance_whose_clock_is_wrong_delays_no_job(own: Database, ahead: timedelta) -> None:
    wrong, right = MongoJobs(own, ShiftedClock(ahead)), MongoJobs(own, SystemClock())
    earlier, later = a_job(), a_job()
    await right.insert(earlier, {})
    await wrong.insert(later, {})

    claimed = [await right.claim(60), await right.claim(60)]

    assert [each and each.id for each in claimed] == [earlier.id, later.id]


async def test_the_callback_is_given_out_once_and_only_when_the_job_is_over(instances: list[MongoJobs]) -> None:
    job = msgspec.structs.replace(a_job(), callback="http://Example.org/")
    await instances[0].insert(job, {"a": b"1", "b": b"2"})
    held = await instances[0].claim(30)
    assert held is not None

    early = await instances[0].take_callback([])
    await instances[0].succeed(held, b"1", bounded=False)
    elsewhere = await instances[0].take_callback(["example.org"])
    given = await asyncio.gather(*(store.take_callback([]) for store in instances))

    assert early is None
    assert elsewhere is None
    assert [each for each in given if each] == [Owed(job.id, "http://Example.org/", "example.org")]


async def test_the_callback_of_a_cancelled_job_is_not_given_out(instances: list[MongoJobs]) -> None:
    job = msgspec.structs.replace(a_job(), callback="http://example.org/")
    await instances[0].insert(job, {"a": b"1", "b": b"2"})
    assert await instances[0].claim(30) is not None

    assert await instances[1].cancel(job.id)

    assert await instances[1].take_callback([]) is None


def request(index: int) -> dict[str, Any]:
    """A comparison that takes about a second, and whose result tells which it was."""
    before = [{"id": n, "text": f"one{n % 90} two{n % 70} three{n % 50}"} for n in range(3000)]
    after = [{"id": -n - 1, "text": each["text"], "new": index} for n, each in enumerate(reversed(before))]
    return {
        "a": {"type": "inline", "value": {"index": index, "items": before}},
        "b": {"type": "inline", "value": {"index": index, "items": after}},
        "output": "changesOnly",
        "metadata": False,
        "async": {},
    }


async def states(session: aiohttp.ClientSession, url: str, paths: list[str]) -> list[str]:
    return [(await (await session.get(url + path)).json())["jobStatus"] for path in paths]


@pytest.mark.faults
@pytest.mark.timeout(400)
async def test_jobs_survive_the_death_of_their_instance_and_run_once_otherwise(
    spawn_service: Spawn, own: Database
) -> None:
    given = {"job_lease_s": 3, "mongodb_database": own.name}
    doomed = await asyncio.to_thread(lambda: spawn_service(**given))
    async with aiohttp.ClientSession() as session, asyncio.timeout(300):
        paths = []
        for index in range(8):
            async with session.post(f"{doomed.url}/api/json/v1/compare", json=request(index)) as accepted:
                assert accepted.status == 202
                paths.append(accepted.headers["Location"])
        while "STARTED" not in await states(session, doomed.url, paths):
            await asyncio.sleep(0.05)

        doomed.stop(signal.SIGKILL)

        heirs = [await asyncio.to_thread(lambda: spawn_service(**given)) for _ in range(2)]
        while set(await states(session, heirs[0].url, paths)) != {"SUCCESS"}:
            await asyncio.sleep(0.2)
        for path in paths:
            async with session.get(f"{heirs[1].url}{path}/result") as result:
                assert (await result.json())["dx_deltaJSON"]["dx_data_sets"] == "A!=B"
    attempts = [record["attempt"] async for record in own["jobs"].find({"status": "SUCCESS"})]
    # Only what the killed instance had in hand, two jobs at most, was begun again.
    assert sum(attempts) <= len(attempts) + 2


@pytest.mark.faults
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_callbacks_not_begun_when_an_instance_ends_are_made_by_the_next_one(
    spawn_service: Spawn, own: Database, number: signal.Signals
) -> None:
    async with aiohttp.ClientSession() as session, asyncio.timeout(300), Server("127.0.0.1", hang_first) as server:
        allowed = {"url_allow": "127.0.0.1", "url_ports": server.port, "url_timeout_s": 3600}
        given = {**allowed, "mongodb_database": own.name}
        ended = await asyncio.to_thread(lambda: spawn_service(**given))
        paths: list[str] = []
        for count, name in enumerate(("hang1", "hang2", "hang3", "hang4", "later")):
            while len(server.heads) < count:  # two at a time could overtake each other
                await asyncio.sleep(0.05)
            body = {"a": {"type": "inline", "value": 1}, "b": {"type": "inline", "value": 2}}
            body["async"] = {"callback": server.url + name}
            async with session.post(f"{ended.url}/api/json/v1/compare", json=body) as accepted:
                paths.append(accepted.headers["Location"])
        while set(await states(session, ended.url, paths)) != {"SUCCESS"}:
            await asyncio.sleep(0.05)

        await asyncio.to_thread(ended.stop, number)
        before = list(server.heads)
        await asyncio.to_thread(lambda: spawn_service(**given))
        while len(server.heads) == len(before):
            await asyncio.sleep(0.05)

    called = [head.split()[1] for head in server.heads]
    assert sorted(called) == ["/hang1", "/hang2", "/hang3", "/hang4", "/later"]


def hang_first(head: str) -> bytes | list[bytes | float]:
    """Hang where the path says so."""
    return [3600.0] if "hang" in head.splitlines()[0] else answer()
