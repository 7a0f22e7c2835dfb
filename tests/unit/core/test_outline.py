import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core import values
from service.core.outline import has_more_strings, may_be_deeper, outline_of, without_escapes
from service.core.values import is_deeper

TEXTS = st.text(alphabet='[]{}"\\a', max_size=6)
DOCUMENTS = st.recursive(
    st.integers(0, 1) | TEXTS, lambda children: st.lists(children) | st.dictionaries(TEXTS, children), max_leaves=40
)


@given(DOCUMENTS, st.booleans())
def test_strings_are_counted_whatever_their_escapes(value: Any, as_numbers: bool) -> None:
    text = json.dumps(value).encode()
    if as_numbers:
        text = re.sub(rb"\\(.)", lambda match: rb"\u0022" if match[1] == b'"' else match[0], text)
    more = b'["x", ' + text + b"]"

    assert not has_more_strings(text, outline_of(text), values.encode(json.loads(text)))
    assert has_more_strings(more, outline_of(more), values.encode(value))


@given(DOCUMENTS, st.integers(0, 6))
def test_what_is_deeper_is_always_told(value: Any, max_depth: int) -> None:
    text = json.dumps(value, indent=1).encode()

    assert may_be_deeper(text, outline_of(text), max_depth) or not is_deeper(value, max_depth)


@pytest.mark.parametrize("text", [b'["]]]]"]', b'{"a": [[1], [2], {"b": []}]}' * 500, b'[["[[a\\"", "\\\\"]]' * 500])
def test_what_is_plainly_flat_is_not_suspected(text: bytes) -> None:
    assert not may_be_deeper(text, outline_of(text), 200)


@given(TEXTS)
def test_without_escapes_only_the_delimiting_quotes_are_left(text: str) -> None:
    assert without_escapes(json.dumps(text).encode()).count(b'"') == 2
