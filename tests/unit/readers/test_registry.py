import asyncio
from importlib.metadata import EntryPoint

import msgspec
import pytest

from service.errors import InvalidRequestError, SourceTimeoutError, SourceUnreachableError, TooLargeError
from service.model import Document, Reading, Source
from service.readers.inline import InlineReader, InlineSource, RawReader, RawSource
from service.readers.registry import ENTRY_POINT_GROUP, ReaderRegistry, ReaderSetupError, adopt
from service.readers.upload import UploadReader

HERE = "tests.unit.readers.test_registry"
READING = Reading(max_bytes=1000, timeout_s=30)


class EchoSource(Source, frozen=True):
    text: str


class EchoReader:
    types = ("echo", "mirror")
    source = EchoSource

    async def read(self, source: EchoSource, reading: Reading) -> Document:  # noqa: ARG002
        if source.text == "hang":
            await asyncio.Event().wait()
        if source.text == "fail":
            raise OSError("the secret path /srv/x")
        return Document(source.text.encode())


@pytest.fixture(name="registry")
def make_registry() -> ReaderRegistry:
    return ReaderRegistry([InlineReader(), RawReader(), UploadReader(), EchoReader()])


def test_types_are_those_of_all_readers(registry: ReaderRegistry) -> None:
    assert registry.types == ("echo", "inline", "mirror", "raw", "upload")


def test_parse_makes_the_typed_source(registry: ReaderRegistry) -> None:
    source = registry.parse(b'{"value": "1", "type": "raw", "format": "yaml"}', "a")

    assert isinstance(source, RawSource)
    assert (source.value, source.format) == ("1", "yaml")


def test_parse_keeps_an_inline_value_as_the_text_that_was_sent(registry: ReaderRegistry) -> None:
    source = registry.parse(b'{"type": "inline", "value": {"n" : 1.50}}', "a")

    assert isinstance(source, InlineSource)
    assert bytes(source.value) == b'{"n" : 1.50}'


def test_parse_takes_a_slice_of_a_request(registry: ReaderRegistry) -> None:
    source = registry.parse(msgspec.Raw(b'{"type": "mirror", "text": "x"}'), "a")

    assert isinstance(source, EchoSource)


@pytest.mark.parametrize(
    ("text", "field", "says"),
    [
        pytest.param(b"3", "type", "echo, inline, mirror, raw, upload", id="not an object"),
        pytest.param(b"[]", "type", "echo, inline, mirror, raw, upload", id="array"),
        pytest.param(b"{}", "type", "echo, inline, mirror, raw, upload", id="no type"),
        pytest.param(b'{"type": 3}', "type", "echo, inline, mirror, raw, upload", id="type not a string"),
        pytest.param(b'{"type": "ftp"}', "type", "'ftp'; known are echo, inline, mirror, raw, upload", id="unknown"),
        pytest.param(b'{"type": "Raw", "value": ""}', "type", "'Raw'; known are", id="case counts"),
        pytest.param(b'{"type": "raw"}', "value", "type 'raw'", id="member missing"),
        pytest.param(b'{"type": "raw", "value": "", "size": 1}', "size", "'size'", id="member unknown"),
        pytest.param(b'{"type": "raw", "value": 1}', "value", "got 'int'", id="member of another type"),
        pytest.param(b'{"type": "raw", "value": "", "format": "xml"}', "format", "'xml'", id="format unknown"),
        pytest.param(b'{"type": "upload", "part": null}', "part", "type 'upload'", id="null"),
    ],
)
def test_parse_refuses_and_names_input_and_member(registry: ReaderRegistry, text: bytes, field: str, says: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        registry.parse(text, "b")

    assert (caught.value.violations[0].input, caught.value.violations[0].field) == ("b", field)
    assert caught.value.detail.startswith("Input 'b': ")
    assert says in caught.value.detail


def test_refusal_of_a_long_type_stays_short(registry: ReaderRegistry) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        registry.parse(b'{"type": "' + b"x" * 100_000 + b'"}', "a")

    assert len(caught.value.detail) < 300


async def test_read_picks_the_reader_of_the_source(registry: ReaderRegistry) -> None:
    document = await registry.read(EchoSource("hello"), READING)

    assert document.content == b"hello"


async def test_read_bounds_the_time_of_every_reader(registry: ReaderRegistry) -> None:
    with pytest.raises(SourceTimeoutError):
        await registry.read(EchoSource("hang"), Reading(max_bytes=10, timeout_s=0.01))


async def test_read_accepts_an_input_at_the_limit(registry: ReaderRegistry) -> None:
    document = await registry.read(EchoSource("x" * 1000), READING)

    assert len(document.content) == 1000


async def test_read_refuses_an_input_above_the_limit(registry: ReaderRegistry) -> None:
    with pytest.raises(TooLargeError) as caught:
        await registry.read(EchoSource("x" * 1001), READING)

    assert (caught.value.violations[0].limit, caught.value.violations[0].maximum) == ("max_input_bytes", 1000)


async def test_read_json_converts_other_formats(registry: ReaderRegistry) -> None:
    source = registry.parse(b'{"type": "raw", "value": "a: [1, yes]", "format": "yaml"}', "a")

    assert await registry.read_json(source, READING) == b'{"a":[1,"yes"]}'


async def test_read_json_hands_json_on_as_it_is(registry: ReaderRegistry) -> None:
    source = registry.parse(b'{"type": "inline", "value": {"a" :1}}', "a")

    assert await registry.read_json(source, READING) == b'{"a" :1}'


def test_two_readers_of_one_type_are_refused() -> None:
    with pytest.raises(ReaderSetupError, match="'raw'"):
        ReaderRegistry([RawReader(), RawReader()])


def offered(value: str) -> list[EntryPoint]:
    return [EntryPoint("mine", value, ENTRY_POINT_GROUP)]


class NotAReader:
    """Offered as a reader, and answers to no type."""

    types: tuple[str, ...] = ()
    source = EchoSource
    read = EchoReader.read


@pytest.mark.parametrize(
    "value",
    ["no_such_module:Reader", "json:no_such_name", "json:dumps", "collections:Counter", f"{HERE}:NotAReader"],
)
def test_a_plugin_that_cannot_be_used_is_refused_by_name(value: str) -> None:
    with pytest.raises(ReaderSetupError, match="'mine'"):
        adopt(offered(value))


async def test_faults_of_a_plugin_are_those_of_a_source() -> None:
    registry = ReaderRegistry(adopt(offered(f"{HERE}:EchoReader")))

    with pytest.raises(SourceUnreachableError) as caught:
        await registry.read(registry.parse(b'{"type": "echo", "text": "fail"}', "a"), READING)

    assert "/srv" not in caught.value.detail


@pytest.mark.parametrize(("text", "error"), [("hang", SourceTimeoutError), ("huge", TooLargeError)])
async def test_bounds_hold_for_a_plugin(text: str, error: type[Exception]) -> None:
    registry = ReaderRegistry(adopt(offered(f"{HERE}:EchoReader")))

    with pytest.raises(error):
        await registry.read(
            registry.parse(b'{"type": "echo", "text": "%s"}' % text.encode(), "a"), Reading(max_bytes=3, timeout_s=0.05)
        )


async def test_what_a_plugin_reads_is_held_and_what_formats_add() -> None:
    registry = ReaderRegistry([*adopt(offered(f"{HERE}:EchoReader")), RawReader()])
    held: list[int] = []
    reading = Reading(max_bytes=1000, timeout_s=30, hold=held.append)

    await registry.read_json(registry.parse(b'{"type": "echo", "text": "[1]"}', "a"), reading)
    await registry.read_json(
        registry.parse(b'{"type": "raw", "value": "[&a xyz, *a]", "format": "yaml"}', "a"), reading
    )

    assert held == [3, 1]
