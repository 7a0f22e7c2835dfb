import asyncio
import errno
import json
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from service.errors import (
    ServiceError,
    SourceForbiddenError,
    SourceNotFoundError,
    SourceUnreachableError,
    TooLargeError,
)
from service.model import Reading
from service.readers.beneath import MAX_LINKS, open_beneath
from service.readers.file import FileReader, FileSource

READING = Reading(max_bytes=1000, timeout_s=30)
SECRET = b'"secret"'
HOSTILE = json.loads((Path(__file__).parents[2] / "cases" / "hostile-paths.json").read_text())["paths"]


@pytest.fixture(name="root")
def build_tree(tmp_path: Path) -> Path:
    """A files root with everything in it that could lead out of it, and secrets around it."""
    (tmp_path / "secret.json").write_bytes(SECRET)
    neighbour = tmp_path / "files-neighbour"
    neighbour.mkdir()
    (neighbour / "secret.json").write_bytes(SECRET)
    root = tmp_path / "files"
    inner = root / "dir" / "inner"
    inner.mkdir(parents=True)
    (root / "ok.json").write_bytes(b'"ok"')
    (inner / "deep.yml").write_bytes(b"deep")
    links = {
        "out-file": "../secret.json",
        "out-dir": "../files-neighbour",
        "parent": "..",
        "dir/up-up": "../..",
        "abs-out": "/etc/passwd",
        "abs-parent": str(tmp_path),
        "abs-neighbour": str(neighbour),
        "abs-back": f"{root}/../secret.json",
        "link-to-out": "out-file",
        "dir/out": "../../secret.json",
        "self": "self",
        "circle-a": "circle-b",
        "circle-b": "circle-a",
        "dangling": "absent.json",
        "to-dir": "dir",
        "to-root": ".",
        "to-proc": "/proc/self/mem",
        "to-device": "/dev/zero",
        "to-fifo": "fifo",
        "to-ok": "ok.json",
        "dir/inner/to-ok": "../../ok.json",
        "abs-ok": f"{root}/ok.json",
        "dir/inner/abs-deep": f"{root}/dir/inner/deep.yml",
    }
    links |= {f"chain-{n}": f"chain-{n + 1}" for n in range(MAX_LINKS)}
    links[f"chain-{MAX_LINKS}"] = "ok.json"
    for name, target in links.items():
        (root / name).symlink_to(target)
    os.mkfifo(root / "fifo")
    make_device(root / "device")
    with socket.socket(socket.AF_UNIX) as server, working_directory(root):
        server.bind("socket")
    return root


def make_device(path: Path) -> None:
    """Make a device as one's rights allow: the null device as root, else a terminal's other end is out of reach."""
    try:
        os.mknod(path, 0o020666, os.makedev(1, 5))
    except PermissionError:
        path.symlink_to("/dev/zero")


@contextmanager
def working_directory(path: Path) -> Iterator[None]:
    """A socket's path is limited to about 100 bytes: bind by a short name."""
    before = Path.cwd()
    os.chdir(path)
    yield
    os.chdir(before)


def read(root: Path | None, path: str, reading: Reading = READING) -> bytes:
    return asyncio.run(FileReader(root).read(FileSource(path), reading)).content


@pytest.mark.parametrize("case", [pytest.param(each, id=each["name"]) for each in HOSTILE])
def test_hostile_path_is_refused(root: Path, case: dict[str, str]) -> None:
    with pytest.raises(ServiceError) as caught:
        read(root, case["path"])

    assert caught.value.code == case["code"]
    assert str(root) not in caught.value.detail


def test_there_are_enough_hostile_paths() -> None:
    assert len({each["path"] for each in HOSTILE}) >= 40


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("ok.json", b'"ok"'),
        ("./ok.json", b'"ok"'),
        ("dir//inner/./deep.yml", b"deep"),
        ("to-ok", b'"ok"'),
        ("to-dir/inner/deep.yml", b"deep"),
        ("to-root/to-root/ok.json", b'"ok"'),
        ("dir/inner/to-ok", b'"ok"'),
        ("abs-ok", b'"ok"'),
        ("dir/inner/abs-deep", b"deep"),
        ("chain-1", b'"ok"'),
    ],
)
def test_files_and_links_inside_the_root_are_read(root: Path, path: str, content: bytes) -> None:
    assert read(root, path) == content


def test_root_that_is_a_link_works(root: Path) -> None:
    link = root.parent / "link-to-files"
    link.symlink_to(root)

    assert read(link, "abs-ok") == b'"ok"'


def test_without_a_root_files_are_refused() -> None:
    with pytest.raises(SourceForbiddenError, match="PATCHBAY_FILES_ROOT"):
        read(None, "ok.json")


def test_document_carries_its_name_and_format(root: Path) -> None:
    document = asyncio.run(FileReader(root).read(FileSource(uri="dir/inner/deep.yml", format="json"), READING))

    assert (document.name, document.format) == ("deep.yml", "json")


def test_file_at_the_limit_is_read(root: Path) -> None:
    assert read(root, "ok.json", Reading(max_bytes=4, timeout_s=30)) == b'"ok"'


def test_file_above_the_limit_is_refused(root: Path) -> None:
    with pytest.raises(TooLargeError):
        read(root, "ok.json", Reading(max_bytes=3, timeout_s=30))


def test_file_that_grows_while_it_is_read_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.readers.file.os.fstat", lambda _descriptor: os.stat_result([0o100644] + [0] * 9))

    with pytest.raises(TooLargeError):
        read(root, "ok.json", Reading(max_bytes=3, timeout_s=30))


def test_fault_while_reading_is_told_without_its_text(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: Any) -> bytes:
        raise OSError(5, "Input/output error on /dev/sda1")

    monkeypatch.setattr("service.readers.file.os.read", fail)

    with pytest.raises(SourceUnreachableError) as caught:
        read(root, "ok.json")

    assert "sda1" not in caught.value.detail


@pytest.mark.parametrize("content", [b"{}", b'{"path": "a", "uri": "b"}'])
def test_source_takes_one_spelling_of_its_path(content: bytes) -> None:
    with pytest.raises(msgspec.ValidationError, match="one of `path` and `uri`"):
        msgspec.json.decode(content, type=FileSource)


def test_reading_a_queue_does_not_wait_for_a_writer(root: Path) -> None:
    """A name that was a file when it was looked at and is a queue when it is opened."""
    queue = root / "swap"

    def look(_name: str, **_: Any) -> os.stat_result:
        return os.stat_result([0o100644] + [0] * 9)

    os.mkfifo(queue)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("service.readers.beneath.os.stat", look)
        with pytest.raises(SourceForbiddenError):
            open_beneath(root, "swap")


def test_renames_while_opening_never_lead_out(root: Path) -> None:
    """One thread turns a directory into a link to the outside and back, as fast as it can; the other opens files."""
    (root / "dir" / "secret.json").write_bytes(b'"ok"')
    (root / "trap").symlink_to("../files-neighbour")
    done = threading.Event()

    def swap() -> None:
        while not done.is_set():
            (root / "dir").rename(root / "aside")
            (root / "trap").rename(root / "dir")
            (root / "dir").rename(root / "trap")
            (root / "aside").rename(root / "dir")

    swapper = threading.Thread(target=swap)
    swapper.start()
    outcomes: Counter[str] = Counter()
    until = time.monotonic() + 60
    while outcomes.total() < 2000 or (
        len(outcomes) < 2 and time.monotonic() < until
    ):  # threads take turns as they like
        outcomes[outcome_of(root, "dir/secret.json")] += 1
    done.set()
    swapper.join()

    assert {"read", "refused"} == set(outcomes)


def outcome_of(root: Path, path: str) -> str:
    try:
        descriptor = open_beneath(root, path)
    except ServiceError:
        return "refused"
    content = os.read(descriptor, 100)
    os.close(descriptor)
    return "leaked" if content == SECRET else "read"


def count_descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_opening_leaves_no_descriptor_behind(root: Path) -> None:
    before = count_descriptors()

    outcomes = {outcome_of(root, case["path"]) for case in HOSTILE}

    assert (outcomes, count_descriptors()) == ({"refused"}, before)


@pytest.mark.parametrize(
    ("number", "code"),
    [(errno.EACCES, "source-forbidden"), (errno.EIO, "source-unreachable"), (errno.ELOOP, "source-forbidden")],
)
def test_fault_while_opening_is_told_without_its_text(
    root: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: str
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(number, "on /dev/sda1")

    monkeypatch.setattr("service.readers.beneath.os.stat", fail)
    with pytest.raises(ServiceError) as caught:
        open_beneath(root, "ok.json")

    assert (caught.value.code, "sda1" in caught.value.detail) == (code, False)


def test_name_that_no_file_system_has_is_not_found(root: Path) -> None:
    with pytest.raises(SourceNotFoundError):
        open_beneath(root, "\ud800.json")
