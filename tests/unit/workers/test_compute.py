import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from service.core.assignment import CompareAssignment
from service.core.engine import choose
from service.core.options import ArrayRule, DiffOptions
from service.errors import ArrayKeyError, MalformedJsonError, OverloadedError, TooComplexError
from service.workers import compute as module
from service.workers.compute import Compute
from tests.processes import is_alive

LARGE = json.dumps([{"id": place, "name": f"item {place}"} for place in range(5000)]).encode()
CHANGED = LARGE.replace(b'item 77"', b'another"')


@pytest.fixture(name="compute")
async def compute_fixture() -> AsyncIterator[Compute]:
    compute = Compute(choose("python"), slots=1, max_waiting=1)
    yield compute
    await compute.close()


async def test_small_and_large_documents_are_compared_alike(compute: Compute) -> None:
    small = await compute.compare(b"[1]", b"[2]", DiffOptions())
    large = await compute.compare(LARGE, CHANGED, DiffOptions())

    assert small.patch == b'[{"op":"replace","path":"/0","value":2}]'
    assert large.patch == b'[{"op":"replace","path":"/77/name","value":"another"}]'
    assert not large.bounded


async def test_errors_come_back_whole_from_a_process(compute: Compute) -> None:
    with pytest.raises(MalformedJsonError) as malformed:
        await compute.compare(LARGE, LARGE[:-1], DiffOptions())
    with pytest.raises(ArrayKeyError) as keys:
        await compute.compare(LARGE, CHANGED, DiffOptions(arrays=(ArrayRule("keyed", keys=("no",)),)))

    assert malformed.value.violations[0].input == "after"
    assert malformed.value.violations[0].line == 1
    assert malformed.value.within("b").detail.startswith("Input 'b': Not valid JSON")
    assert len(keys.value.violations) == 100


async def test_the_compare_family_is_carried_out(compute: Compute) -> None:
    product = await compute.run(CompareAssignment(), {"a": LARGE, "b": CHANGED})

    assert json.loads(product.text)["dx_deltaJSON"]["dx_data_sets"] == "A!=B"


async def test_work_that_takes_too_long_is_given_up_and_the_next_is_done(compute: Compute) -> None:
    compute._timeout_s = 0.5

    with pytest.raises(TooComplexError) as refusal:
        await compute.call(time.sleep, 600, size=10**6)
    compute._timeout_s = 60

    assert refusal.value.violations[0].maximum == 0.5
    assert await compute.call(json.loads, b"[1]", size=10**6) == [1]


async def test_a_process_that_dies_is_replaced(compute: Compute) -> None:
    with pytest.raises(TooComplexError, match="died"):
        await compute.call(os._exit, 3, size=10**6)

    assert await compute.call(json.loads, b"[1]", size=10**6) == [1]


async def test_a_caller_that_leaves_frees_the_place(compute: Compute) -> None:
    task = asyncio.create_task(compute.call(time.sleep, 600, size=10**6))
    pid = await started(compute)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await compute.call(json.loads, b"[1]", size=10**6) == [1]
    await gone(pid)


async def test_what_waits_is_bounded_in_number(compute: Compute) -> None:
    tasks = [asyncio.create_task(compute.call(time.sleep, 600, size=10**6)) for _ in range(2)]
    await started(compute)

    with pytest.raises(OverloadedError) as refusal:
        await compute.call(json.loads, b"[1]", size=10**6)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    assert refusal.value.retry_after_s > 0
    assert await compute.call(json.loads, b"[1]", size=10**6) == [1]


async def test_what_waits_is_bounded_in_bytes() -> None:
    compute = Compute(choose("python"), slots=1, max_waiting=9, max_bytes=10**7)
    task = asyncio.create_task(compute.call(time.sleep, 600, size=9 * 10**6))
    await started(compute)

    with pytest.raises(OverloadedError):
        await compute.call(json.loads, b"[1]", size=2 * 10**6)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    alone = await compute.call(json.loads, b"[1]", size=10**9)
    await compute.close()

    assert alone == [1]


async def test_who_waits_too_long_is_told_to_come_back() -> None:
    compute = Compute(choose("python"), slots=1, timeout_s=60)
    compute._gate._patience_s = 0.2
    task = asyncio.create_task(compute.call(time.sleep, 600, size=10**6))
    await started(compute)

    with pytest.raises(OverloadedError, match="others wait"):
        await compute.call(json.loads, b"[1]", size=10**6)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await compute.close()


async def test_the_event_loop_stays_free_during_a_large_comparison(compute: Compute) -> None:
    text = json.dumps([{"id": place, "name": f"item {place}", "more": [place] * 5} for place in range(60_000)]).encode()
    await compute.call(json.loads, b"[1]", size=10**6)
    comparing = asyncio.create_task(compute.compare(text, text[:-1] + b",1]", DiffOptions()))
    turns = 0
    while not comparing.done():
        await asyncio.sleep(0.005)
        turns += 1

    assert len(json.loads((await comparing).patch)) == 1
    assert turns >= 5


async def test_closing_ends_every_process_at_work() -> None:
    compute = Compute(choose("python"), slots=2)
    task = asyncio.create_task(compute.call(time.sleep, 600, size=10**6))
    pid = await started(compute)

    await compute.close()

    await asyncio.gather(task, return_exceptions=True)
    await gone(pid)


async def test_processes_do_not_outlive_a_service_that_is_killed() -> None:
    program = """
import asyncio, json, os, sys
from service.core.engine import choose
from service.workers.compute import Compute

async def main():
    compute = Compute(choose("python"), slots=1)
    print(await compute.call(os.getpid, size=10**6), flush=True)
    await asyncio.sleep(600)

if __name__ == "__main__":
    asyncio.run(main())
"""
    service = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)  # noqa: ASYNC220 - to be killed
    assert service.stdout is not None
    pid = int(await asyncio.to_thread(service.stdout.readline))
    assert is_alive(pid)

    service.send_signal(signal.SIGKILL)
    service.wait()
    service.stdout.close()

    await gone(pid)


@pytest.mark.skipif(
    choose("auto").name != "native", reason="the native core is not built here: it needs cargo (`make native`)"
)
async def test_the_native_core_works_in_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "NATIVE_INLINE_BYTES", 0)
    compute = Compute(choose("native"), slots=2)

    outcomes = await asyncio.gather(*(compute.compare(LARGE, CHANGED, DiffOptions()) for _ in range(8)))
    with pytest.raises(MalformedJsonError):
        await compute.compare(LARGE, LARGE[:-1], DiffOptions())
    await compute.close()

    assert {outcome.patch for outcome in outcomes} == {b'[{"op":"replace","path":"/77/name","value":"another"}]'}


async def test_a_comparison_in_a_thread_that_takes_too_long_is_cancelled() -> None:
    class Slow:
        name = "native"
        releases_lock = True

        def compare_bytes(self, _before: bytes, _after: bytes, _options: DiffOptions, cancellation: Any) -> None:
            while not cancellation._flag.value:
                time.sleep(0.01)
            raise TooComplexError("stopped")

    compute = Compute(Slow(), slots=1, timeout_s=0.2, limit="job_timeout_s")  # type: ignore[arg-type]

    for _ in range(2):
        with pytest.raises(TooComplexError, match="did not end") as refusal:
            await compute.compare(LARGE * 4, LARGE, DiffOptions())
        assert refusal.value.violations[0].limit == "job_timeout_s"
    await compute.close()


async def started(compute: Compute) -> int:
    """Wait until a process is at work and give its id."""
    while True:
        for lane in compute._lanes:
            if lane._pid is not None:
                return lane._pid
        await asyncio.sleep(0.01)


async def gone(pid: int) -> None:
    while is_alive(pid):
        await asyncio.sleep(0.05)
