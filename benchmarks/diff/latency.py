"""Small requests while 20 MB are compared: is the event loop free? Run as a module it is the large client."""

import asyncio
import http.client
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from benchmarks.diff import pairs
from demo.running import RunningService
from service.core.native import NativeCore
from service.core.reply import NativeCoreError

SECONDS = 10.0
ITEMS = 160_000
SMALL = json.dumps({"a": {"type": "inline", "value": {"a": 1}}, "b": {"type": "inline", "value": {"a": 2}}})


def measure():
    """Give, by engine, p50 and p99 alone and beside large comparisons, and how many of these were done."""
    found = {}
    for engine in _engines():
        with tempfile.TemporaryDirectory() as name, RunningService(Path(name), PATCHBAY_ENGINE=engine) as service:
            folder = Path(name)
            items = pairs.make_items(ITEMS)
            for side, document in (("a", items), ("b", pairs.edited(items))):
                (folder / side).write_bytes(pairs.to_text(document))
            del items
            alone = _delays(service.url)
            command = [sys.executable, "-m", "benchmarks.diff.latency", service.url, str(folder), str(SECONDS + 4)]
            large = subprocess.Popen(command, stdout=subprocess.PIPE)
            large.stdout.readline()  # one comparison is done, the next has begun
            beside = _delays(service.url)
            done = int(large.communicate()[0])
            found[engine] = alone, beside, done
            print(engine, found[engine], flush=True)
    return found


def _engines():
    try:
        NativeCore()
    except NativeCoreError:
        return ["python"]
    return ["python", "native"]


def _delays(url):
    """Send small requests one after another for a while; give the median and the 99th percentile in milliseconds."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port)
    headers = {"Content-Type": "application/json"}
    delays = []
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        start = time.perf_counter()
        connection.request("POST", "/api/json/v1/patch", SMALL, headers)
        answer = connection.getresponse()
        body = answer.read()
        delays.append((time.perf_counter() - start) * 1000)
        if answer.status != 200:
            raise RuntimeError(body)
    connection.close()
    return statistics.median(delays), statistics.quantiles(delays, n=100)[98]


async def _compare_without_pause(url, folder, seconds):
    done = 0
    texts = {side: (Path(folder) / side).read_bytes() for side in "ab"}
    end = time.perf_counter() + float(seconds)
    async with aiohttp.ClientSession() as session:
        while time.perf_counter() < end:
            form = aiohttp.FormData()
            for side, text in texts.items():
                form.add_field(side, text, filename=f"{side}.json", content_type="application/json")
            async with session.post(f"{url}/api/json/v1/patch", data=form) as answer:
                body = await answer.read()
                if answer.status != 200:
                    raise RuntimeError(body)
            done += 1
            if done == 1:
                print("begun", flush=True)
    print(done - 1)


if __name__ == "__main__":
    asyncio.run(_compare_without_pause(*sys.argv[1:]))
