import msgspec

from service.model import Document, Reading
from service.readers.inline import InlineReader, InlineSource, RawReader, RawSource

READING = Reading(max_bytes=1000, timeout_s=30)


async def test_inline_gives_the_slice_of_the_request() -> None:
    document = await InlineReader().read(InlineSource(msgspec.Raw(b"[1, 2]")), READING)

    assert document == Document(b"[1, 2]", format="json")


async def test_raw_gives_the_text_as_utf8() -> None:
    document = await RawReader().read(RawSource('"é"', format="yaml"), READING)

    assert document == Document('"é"'.encode(), format="yaml")
