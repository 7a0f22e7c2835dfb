"""A patch carried out by somebody else's provider, the feed that tells of it, and a rollout to many resources."""

import http.client
import json
import os
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any
from urllib.parse import urlsplit

from standardwebhooks import Webhook

from demo.running import RunningService
from demo.stage import Stage

TITLE = "Delivery: a provider by webhook, the feed, a rollout"

RESOURCES = int(os.environ.get("DEMO_RESOURCES", "10000"))
_AT_ONCE = 16


def play(stage: Stage) -> None:
    """Start a provider and a service that may call it; dispatch, confirm, follow, roll out."""
    with tempfile.TemporaryDirectory(prefix="patchbay-demo-") as folder, _listen() as (port, arrived):
        settings = {"PATCHBAY_URL_ALLOW": "127.0.0.1", "PATCHBAY_URL_PORTS": str(port), "PATCHBAY_LOG_LEVEL": "error"}
        with RunningService(Path(folder), **settings) as service:
            own = stage.at(service.url)
            _dispatch(own, f"http://127.0.0.1:{port}/hook", arrived)
            _roll_out(own)


def _dispatch(stage: Stage, hook: str, arrived: "Queue[tuple[dict[str, str], bytes]]") -> None:
    stage.say("A provider, and a type whose resources belong to it. The secret is shown once.")
    secret = stage.send("PUT", "/providers/erp", {"url": hook, "deadline_s": 600}).expect(201).json["secret"]
    stage.send("PUT", "/types/database", {"provider": "erp"}).expect(201)
    resource = stage.send("POST", "/v1/database", {"name": "orders", "engine": "9.6"}).expect(201).json["id"]

    stage.say("A patch that only the provider can carry out: it is dispatched, and the event arrives signed.")
    definition = {"patch_id": "upgrade", "payload": {"script": "upgrade-to-16.sql"}}
    patch = stage.send("POST", f"/resources/{resource}/patches", {"definition": definition}).expect(201)
    stage.send("POST", f"{patch.headers['Location']}/apply", {}).expect(202)
    headers, body = arrived.get(timeout=30)
    event = Webhook(secret).verify(body, headers)
    stage.check("the independent library believes the signature", holds=event["type"] == "patch.dispatched")

    stage.say("The provider did it, and says what the database is now.")
    confirm = event["data"]["confirm"]
    said = {"success": True, "modified_content": {"name": "orders", "engine": "16"}}
    done = stage.send("POST", confirm["url"], said, {"Patchbay-Token": confirm["token"]}).expect(200).json
    stage.check("applied: it made version 2", holds=(done["status"], done["result_version"]) == ("applied", 2))
    stage.send("POST", confirm["url"], said, {"Patchbay-Token": confirm["token"]}).expect(200)
    now = stage.send("GET", f"/v1/database/{resource}").expect(200)
    stage.check("said twice, done once", holds=(now.json["engine"], now.headers["ETag"]) == ("16", '"2"'))

    stage.say("Whoever follows the feed saw all of it, in order.")
    seen, position = [], 0
    while "resource.patched" not in seen and "resource.replaced" not in seen:
        page = stage.send("GET", f"/events?after={position}&wait=10").expect(200).json
        seen += [event["type"] for event in page]
        position = page[-1]["position"] if page else position
    stage.check("created first", holds=seen[0] == "resource.created")


def _roll_out(stage: Stage) -> None:
    stage.say(f"{RESOURCES:,} shops, and a patch for all of them that are open.")
    ids = _create_shops(stage.url)
    definition = {
        "patch_id": "sale",
        "constraints": [{"field": "open", "operator": "==", "value": True}],
        "payload": {"operations": [{"op": "add", "path": "/sale", "value": True}]},
    }
    patch = stage.send("POST", f"/resources/{ids[0]}/patches", {"definition": definition}).expect(201)
    order = {"type": "shop", "batch_size": 250}
    rollout = stage.send("POST", f"{patch.headers['Location']}/rollouts", order).expect(202).headers["Location"]
    last: dict[str, Any] = {}
    for last in _progress(stage.url, rollout):
        stage.progress(last["done"] + last["failed"] + last["skipped"], last["total"] or RESOURCES, last["rate"])
    stage.check(
        f"{last['done']:,} applied at {last['rate']:,.0f} a second, none failed",
        holds=(last["state"], last["done"], last["failed"]) == ("finished", last["total"], 0),
    )


def _create_shops(url: str) -> list[str]:
    """Create the shops over a few connections at once; return their ids."""

    def create(numbers: range) -> list[str]:
        with closing(_connect(url, 60)) as connection:
            return [_create_shop(connection, number) for number in numbers]

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        parts = pool.map(create, (range(first, RESOURCES, _AT_ONCE) for first in range(_AT_ONCE)))
        return [each for part in parts for each in part]


def _create_shop(connection: http.client.HTTPConnection, number: int) -> str:
    body = json.dumps({"number": number, "open": number % 10 != 9})
    connection.request("POST", "/v1/shop", body, {"Content-Type": "application/json"})
    return str(json.loads(connection.getresponse().read())["id"])


def _connect(url: str, timeout_s: float) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout_s)


def _progress(url: str, rollout: str) -> Iterator[dict[str, Any]]:
    """Follow a rollout by its server-sent events, to its end."""
    with closing(_connect(url, 600)) as connection:
        connection.request("GET", rollout, headers={"Accept": "text/event-stream"})
        with closing(connection.getresponse()) as response:
            for line in response:
                if line.startswith(b"data: "):
                    yield json.loads(line[6:])


@contextmanager
def _listen() -> Iterator[tuple[int, "Queue[tuple[dict[str, str], bytes]]"]]:
    """Run a provider on a free port of this machine, which hands on what it gets."""
    arrived: Queue[tuple[dict[str, str], bytes]] = Queue()

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            arrived.put((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(202)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Leave the screen to the scene."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_port, arrived
        finally:
            server.shutdown()
            thread.join()
