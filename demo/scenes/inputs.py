"""Inputs from anywhere: a file of the server against a URL, and what is refused."""

import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from demo.running import RunningService
from demo.stage import Stage

TITLE = "A file, a URL, YAML, and what is refused"

_DATA = Path(__file__).parents[1] / "data"
_ROUTE = "/api/json/v1/patch"


def play(stage: Stage) -> None:
    """Start a service that may read a folder and one local server, and send it references instead of documents."""
    with tempfile.TemporaryDirectory(prefix="patchbay-demo-") as folder, _serve_files() as port:
        settings = {
            "PATCHBAY_FILES_ROOT": str(_DATA),
            "PATCHBAY_URL_ALLOW": "127.0.0.1",
            "PATCHBAY_URL_PORTS": f"80,443,{port}",
        }
        with RunningService(Path(folder), **settings) as service:
            _compare(stage.at(service.url), f"http://127.0.0.1:{port}/memory-after.json")


def _compare(stage: Stage, url: str) -> None:
    before = {"type": "file", "path": "memory-before.json"}
    stage.say("A file below PATCHBAY_FILES_ROOT against a URL that PATCHBAY_URL_ALLOW opens.")
    patch = stage.send("POST", _ROUTE, {"a": before, "b": {"type": "http", "uri": url}}).expect(200).json
    same = stage.upload(_ROUTE, {"a": _DATA / "memory-before.json", "b": url}).expect(200).json
    stage.check("a form that mixes an upload with a URL gives the same patch", holds=patch == same)
    stage.say("YAML against JSON.")
    text = {"type": "raw", "format": "yaml", "value": "replicas: 2\nimage: &i app:1\nsidecar: *i\n"}
    value = {"type": "inline", "value": {"replicas": 3, "image": "app:1", "sidecar": "app:1"}}
    answer = stage.send("POST", _ROUTE, {"a": text, "b": value}).expect(200)
    stage.check("one number differs", holds=[each["path"] for each in answer.json] == ["/replicas"])
    stage.say("What leads where it should not is refused, by name and without an address.")
    for source in (
        {"type": "http", "uri": "http://169.254.169.254/latest/meta-data/"},
        {"type": "http", "uri": "http://0x7f000001/"},
        {"type": "file", "path": "../../etc/passwd"},
    ):
        refused = stage.send("POST", _ROUTE, {"a": before, "b": source}).expect(403)
        stage.check("source-forbidden, input b", holds=refused.json["errors"][0]["input"] == "b")


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Leave the screen to the scene."""


@contextmanager
def _serve_files() -> Iterator[int]:
    """Serve the data on a free port of this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(_DATA))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()
