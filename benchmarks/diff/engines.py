"""Everything that is measured, behind one shape: a pair of texts in, milliseconds of processor time and a patch out."""

import json
import select
import subprocess
import tempfile
import time
from pathlib import Path

import jsonpatch
import msgspec

from service.core import diff
from service.core.native import NativeCore
from service.core.options import DEFAULT, DiffOptions, Scoped
from service.core.reply import NativeCoreError

HERE = Path(__file__).parent
PACKAGES = ["fast-json-patch@3.1", "rfc6902@5", "jsondiffpatch@0.7", "json-joy@17"]
NODE_PEERS = ["fast-json-patch", "rfc6902", "jsondiffpatch", "json-joy"]
MOVES = DiffOptions(moves=(Scoped(enabled=True),))


class GaveUpError(Exception):
    pass


class InProcess:
    """An engine in this process: a function from two texts to a patch."""

    def __init__(self, name, function):
        self.name = name
        self._function = function

    def load(self, before, after):
        self._texts = before, after

    def run(self, times, _budget_s):
        before, after = self._texts
        start = time.process_time()
        for _ in range(times):
            patch = self._function(before, after)
        return (time.process_time() - start) * 1000 / times, patch

    def close(self):
        pass


class InNode:
    """A peer in Node, in a process that is killed when it takes too long, and started anew."""

    def __init__(self, name, packages):
        self.name = name
        self._packages = packages
        self._folder = Path(tempfile.mkdtemp(dir=packages))
        self._process = None

    def load(self, before, after):
        paths = [self._folder / f"{side}.json" for side in "ab"]
        for path, text in zip(paths, (before, after), strict=True):
            path.write_bytes(text)
        self._load = {"load": [str(path) for path in paths]}
        self._is_loaded = False

    def run(self, times, budget_s):
        if self._process is None:
            command = ["node", "--max-old-space-size=4096", str(HERE / "peers.mjs")]
            self._process = subprocess.Popen(
                command, cwd=self._packages, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        if not self._is_loaded:
            self._ask(self._load, 60)
            self._is_loaded = True
        out = self._folder / "patch.json"
        answer = self._ask({"peer": self.name, "times": times, "out": str(out)}, budget_s)
        return answer["ms"], out.read_bytes()

    def _ask(self, command, budget_s):
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        self._process.stdin.flush()
        if not select.select([self._process.stdout], [], [], budget_s)[0]:
            self.close()
            raise GaveUpError(f"more than {budget_s:g} s")
        line = self._process.stdout.readline()
        if not line:
            self.close()
            raise GaveUpError("crashed")
        return json.loads(line)

    def close(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process.stdin.close()
            self._process.stdout.close()
            self._process = None
        self._is_loaded = False


def with_jsonpatch(before, after):
    patch = jsonpatch.make_patch(json.loads(before), json.loads(after)).patch
    return json.dumps(patch, separators=(",", ":"), ensure_ascii=False).encode()


def decode_both(before, after):
    msgspec.json.decode(before)
    msgspec.json.decode(after)
    return b""


def ours():
    """The engines of the service: the reference and, where it was built, the native core."""
    engines = [
        InProcess("python", lambda a, b: diff.compare_bytes(a, b, DEFAULT).patch),
        InProcess("python, moves", lambda a, b: diff.compare_bytes(a, b, MOVES).patch),
    ]
    try:
        core = NativeCore()
    except NativeCoreError as error:
        print(f"the native core is not measured: {error}")
        return engines
    return [
        *engines,
        InProcess("native", lambda a, b: core.compare_bytes(a, b, DEFAULT).patch),
        InProcess("native, moves", lambda a, b: core.compare_bytes(a, b, MOVES).patch),
    ]


def peers(folder):
    """The peers; those of Node are installed into the folder, or left out with a word."""
    python = [InProcess("jsonpatch", with_jsonpatch), InProcess("decode both", decode_both)]
    (folder / "package.json").write_text('{"private": true}')
    try:
        subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--silent", *PACKAGES], cwd=folder, check=True, timeout=300
        )
    except (OSError, subprocess.SubprocessError) as error:
        print(f"the peers in Node are not measured: {error}")
        return python, {}
    versions = {
        name: json.loads((folder / "node_modules" / name / "package.json").read_text())["version"]
        for name in NODE_PEERS
    }
    return [*python, *(InNode(name, folder) for name in NODE_PEERS)], versions
