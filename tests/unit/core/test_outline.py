import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.outline import may_be_deeper, outline_of, without_escapes
from service.core.values import is_deeper

TEXTS = st.text(alphabet='[]{}"\\a', max_size=6)
DOCUMENTS = st.recursive(
    st.integers(0, 1) | TEXTS, lambda children: st.lists(children) | st.dictionaries(TEXTS, children), max_leaves=40
)


def strings_in(value: Any) -> int:
    if isinstance(value, dict):
        return len(value) + sum(map(strings_in, value.values()))
    return sum(map(strings_in, value)) if isinstance(value, list) else isinstance(value, str)


@given(DOCUMENTS)
def test_an_outline_has_two_quotes_for_every_string(value: Any) -> None:
    assert outline_of(json.dumps(value).encode()).count(b'"') == 2 * strings_in(value)


@given(DOCUMENTS, st.integers(0, 6))
def test_what_is_deeper_is_always_told(value: Any, max_depth: int) -> None:
    outline = outline_of(json.dumps(value, indent=1).encode())

    assert may_be_deeper(outline, max_depth) or not is_deeper(value, max_depth)


@pytest.mark.parametrize(
    "text", [b'["]]]]"]', b'{"a": [[1], [2], {"b": []}]}' * 500, b'["[[[", "\\"[[", "\\\\"]' * 200]
)
def test_what_is_plainly_flat_is_not_suspected(text: bytes) -> None:
    assert not may_be_deeper(outline_of(text), 200)


@given(TEXTS)
def test_without_escapes_only_the_delimiting_quotes_are_left(text: str) -> None:
    assert without_escapes(json.dumps(text).encode()).count(b'"') == 2
