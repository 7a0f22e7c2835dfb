from pathlib import Path

import pytest

from service.errors import SourceNotFoundError, TooLargeError
from service.model import Document, Reading, Upload
from service.readers.upload import UploadReader, UploadSource


def reading_of(upload: Upload) -> Reading:
    return Reading(max_bytes=10, timeout_s=30, uploads={"a": upload})


async def test_upload_in_memory_is_read() -> None:
    upload = Upload(b"{}", 2, "application/json", "utf-8", "x.json")

    document = await UploadReader().read(UploadSource("a"), reading_of(upload))

    assert document == Document(b"{}", "application/json", "utf-8", None, "x.json")


async def test_upload_on_disk_is_read(tmp_path: Path) -> None:
    spooled = tmp_path / "part"
    spooled.write_bytes(b"a: 1")

    document = await UploadReader().read(UploadSource("a", format="yaml"), reading_of(Upload(spooled, 4)))

    assert document == Document(b"a: 1", format="yaml")


async def test_unknown_part_lists_those_that_are_there() -> None:
    with pytest.raises(SourceNotFoundError, match=r"'b'.*Parts: 'a'") as caught:
        await UploadReader().read(UploadSource("b"), reading_of(Upload(b"", 0)))

    assert caught.value.violations[0].part == "b"


async def test_request_without_form_is_told_to_send_one() -> None:
    with pytest.raises(SourceNotFoundError, match="multipart/form-data"):
        await UploadReader().read(UploadSource("a"), Reading(max_bytes=10, timeout_s=30))


async def test_upload_above_the_limit_is_refused_unread() -> None:
    with pytest.raises(TooLargeError):
        await UploadReader().read(UploadSource("a"), reading_of(Upload(Path("nowhere"), 11)))
