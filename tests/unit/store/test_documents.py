"""Content survives its way through BSON, byte for byte of its JSON text. (The database itself: tests/integration.)"""

from typing import Any

import bson
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import NotStorableError
from service.store.documents import MAX_DEPTH, decode_content, decode_name, encode_content, encode_name

NAMES = st.text(st.sampled_from('%$."\\\0\u00e9ai25E'), max_size=4) | st.sampled_from(["%i", "%25", "$ref", "_id", ""])
INTEGERS = st.integers() | st.integers(-(2**70), 2**70) | st.integers(-(10**40), 10**40)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | INTEGERS | FLOATS | NAMES
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3))
CONTENTS = st.dictionaries(NAMES, VALUES, max_size=4)


@given(CONTENTS)
def test_content_comes_back_exactly(content: dict[str, Any]) -> None:
    text = msgspec.json.encode(content)

    stored, is_plain = encode_content(content, text)

    assert msgspec.json.encode(decode_content(bson.decode(stored.raw), is_plain)) == text


@given(NAMES)
def test_name_comes_back_exactly_and_is_one_that_queries_take(name: str) -> None:
    encoded = encode_name(name)

    assert decode_name(encoded) == name
    assert encoded
    assert not encoded.startswith("$")
    assert "." not in encoded
    assert "\0" not in encoded


@given(NAMES, NAMES)
def test_two_names_never_become_one(first: str, second: str) -> None:
    assert (encode_name(first) == encode_name(second)) == (first == second)


def test_ordinary_content_is_stored_as_it_is() -> None:
    content = {"name": "Foot clinic", "phone": [{"value": "5145551234", "use": "main"}], "n": 10**9 - 1, "x": 1.5}

    stored, is_plain = encode_content(content, msgspec.json.encode(content))

    assert is_plain
    assert bson.decode(stored.raw) == content


@pytest.mark.parametrize("wrap", [lambda value: {"a": value}, lambda value: [value]], ids=["objects", "arrays"])
def test_depth_at_the_limit_passes_and_beyond_is_refused_with_its_pointer(wrap: Any) -> None:
    value: Any = 1
    for _ in range(MAX_DEPTH - 1):
        value = wrap(value)
    content = {"root": value}
    deeper = {"root": {"a": value}}

    encode_content(content, msgspec.json.encode(content))
    with pytest.raises(NotStorableError, match="nested deeper than the 99 levels") as caught:
        encode_content(deeper, msgspec.json.encode(deeper))

    assert str(caught.value.violations[0].pointer).count("/") == MAX_DEPTH
