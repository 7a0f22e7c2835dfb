import asyncio

from service.traffic import Traffic


async def test_a_request_that_arrives_right_after_the_stop_is_waited_for() -> None:
    traffic = Traffic()
    draining = asyncio.create_task(traffic.drain(60))
    await asyncio.sleep(0)
    assert traffic.is_stopping
    request = asyncio.create_task(asyncio.sleep(3600))

    traffic.enter(request)
    done, _ = await asyncio.wait([draining], timeout=1)
    assert not done

    traffic.leave(request)
    assert await draining == 0
    request.cancel()


async def test_requests_that_outlast_the_grace_are_cancelled_and_counted() -> None:
    traffic = Traffic()
    request = asyncio.create_task(asyncio.sleep(3600))
    traffic.enter(request)

    assert await traffic.drain(0.01) == 1
    await asyncio.wait([request])
    assert request.cancelled()
