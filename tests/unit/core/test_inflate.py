import gzip
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.inflate import PIECE_BYTES, BrokenEncodingError, Inflater
from service.errors import UnsupportedMediaTypeError

PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "Deflate": lambda data: zlib.compress(data, wbits=-15),
    "identity": bytes,
}


def inflate(encoding: str, *chunks: bytes) -> bytes:
    inflater = Inflater(encoding)
    result = b"".join(piece for chunk in chunks for piece in inflater.feed(chunk))
    inflater.end()
    return result


@given(st.binary(max_size=300), st.sampled_from(list(PACK)), st.integers(1, 50))
def test_what_was_compressed_comes_back_however_it_is_cut(data: bytes, encoding: str, step: int) -> None:
    packed = PACK[encoding](data)

    assert inflate(encoding, *(packed[n : n + step] for n in range(0, len(packed), step))) == data


def test_members_of_a_gzip_file_follow_one_another() -> None:
    packed = gzip.compress(b"ab") + gzip.compress(b"cd")

    assert inflate("gzip", packed[:-3], packed[-3:]) == b"abcd"


def test_nothing_at_all_is_nothing() -> None:
    assert inflate("gzip") == b""


@pytest.mark.parametrize(
    "damaged",
    [
        pytest.param(gzip.compress(b"abc")[:-1], id="cut"),
        pytest.param(b"abc", id="not compressed"),
        pytest.param(gzip.compress(b"a") + b"x", id="more after the end"),
        pytest.param(b"\x1f", id="one byte"),
    ],
)
def test_damaged_data_is_refused(damaged: bytes) -> None:
    with pytest.raises(BrokenEncodingError):
        inflate("gzip", damaged)


def test_pieces_are_bounded_and_made_only_when_asked_for() -> None:
    pieces = Inflater("gzip").feed(gzip.compress(b"\0" * 100_000_000))

    assert [len(next(pieces)) for _ in range(3)] == [PIECE_BYTES] * 3


def test_unknown_encoding_is_refused_by_name() -> None:
    with pytest.raises(UnsupportedMediaTypeError, match="br"):
        Inflater("br")
