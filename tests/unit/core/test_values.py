import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core import values
from service.errors import MalformedJsonError, TooDeepError

DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=20,
)


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


@given(DOCUMENTS)
def test_decode_gives_back_what_was_encoded(value: Any) -> None:
    assert values.equal(values.decode(values.encode(value), max_depth=200), value)


@given(DOCUMENTS)
def test_decode_reads_any_spelling_of_the_text(value: Any) -> None:
    text = json.dumps(value, indent=3).encode()

    assert values.equal(values.decode(text, max_depth=200), value)


def test_a_byte_order_mark_is_accepted() -> None:
    assert values.decode(b"\xef\xbb\xbf[1]", max_depth=1) == [1]


@pytest.mark.parametrize("place", range(0, 9000, 300))
def test_integers_of_4300_digits_are_refused_wherever_they_stand(place: int) -> None:
    text = b"[" + b" " * place + b"%s, 1]"

    assert values.decode(text % (b"9" * 4299), max_depth=1) == [10**4299 - 1, 1]
    with pytest.raises(MalformedJsonError, match="out of range"):
        values.decode(text % (b"9" * 4300), max_depth=1)
    assert values.read_both(b"[]", text % (b"9" * 4300), 1) is None


def test_integers_of_any_size_stay_exact() -> None:
    text = b"[18446744073709551617,-" + b"9" * 400 + b"]"

    assert values.encode(values.decode(text, max_depth=1)) == text


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        pytest.param(b"", 1, 1, "expecting value", id="empty"),
        pytest.param(b"[1,\n 2", 2, 3, "delimiter", id="truncated"),
        pytest.param('["é", x]'.encode(), 1, 7, "expecting value", id="column counts characters"),
        pytest.param(b"[NaN]", 1, 2, "NaN", id="NaN"),
        pytest.param(b"[-Infinity]", 1, 2, "Infinity", id="infinity"),
        pytest.param(b'{"a": 1}\n{}', 2, 1, "extra data", id="trailing"),
        pytest.param(b'["a\xff"]', 1, 4, "UTF-8", id="bytes that are no UTF-8"),
        pytest.param(b'["\xed\xa0\x80"]', 1, 3, "UTF-8", id="a surrogate in UTF-8"),
        pytest.param(b'["ok", "\\ud800"]', 1, 8, "surrogate", id="lone high surrogate"),
        pytest.param(b'["\\ud83d\\ude00", "\\udc00x"]', 1, 18, "surrogate", id="lone low surrogate"),
        pytest.param(b'["\\\\ud800", 1e999]', 1, 13, "out of range", id="beyond doubles"),
        pytest.param(b"[" + b"1" * 5000 + b"]", 1, 2, "out of range", id="five thousand digits"),
        pytest.param(b'{"a": 1,\n "a": 2}', 2, 2, "repeated", id="a repeated name"),
        pytest.param(b"[1}", 1, 3, "delimiter", id="the wrong bracket"),
        pytest.param(b"01", 1, 2, "extra data", id="a leading zero"),
        pytest.param(b'["\n"]', 1, 3, "character in a string must be escaped.", id="a control character"),
        pytest.param(b'["a', 1, 2, "the string is not closed.", id="an open string"),
        pytest.param(b"\xff\xfe[\x00]\x00", 1, 1, "UTF-8", id="UTF-16"),
    ],
)
def test_what_is_not_json_is_refused_with_its_place(text: bytes, line: int, column: int, said: str) -> None:
    with pytest.raises(MalformedJsonError) as refusal:
        values.decode(text, max_depth=200)

    assert (refusal.value.violations[0].line, refusal.value.violations[0].column) == (line, column)
    assert said in refusal.value.detail


@pytest.mark.parametrize(
    ("text", "pointer"),
    [
        pytest.param(b'{"a": 1, "a": 1}', "/a", id="at the root"),
        pytest.param(b'{"x": [{}, {"k/": {"n": 1, "m": 2, "\\u006e": 3}}]}', "/x/1/k~1/n", id="deep, escaped"),
        pytest.param(b'[{"a": {"a": 1}}, {"a": 1, "b": [{"a": 1}], "a": 2}]', "/1/a", id="behind a nested one"),
        pytest.param(b'{"": 1, "b": "\\"", "": 2}', "/", id="the empty name"),
    ],
)
def test_a_repeated_name_is_refused_with_its_pointer(text: bytes, pointer: str) -> None:
    with pytest.raises(MalformedJsonError) as refusal:
        values.decode(text, max_depth=200)

    assert refusal.value.violations[0].pointer == pointer


@given(st.dictionaries(st.text(), DOCUMENTS, min_size=1), st.data())
def test_every_repeated_name_is_found(members: dict[str, Any], data: st.DataObject) -> None:
    repeated = data.draw(st.sampled_from(sorted(members)))
    pairs = [*members.items(), (repeated, data.draw(DOCUMENTS))]
    text = "{" + ",".join(f"{json.dumps(name)}:{json.dumps(value)}" for name, value in pairs) + "}"

    with pytest.raises(MalformedJsonError, match="repeated"):
        values.decode(text.encode(), max_depth=200)


def test_depth_at_the_limit_passes() -> None:
    assert values.decode(nested(200), max_depth=200)
    assert values.decode(b"1", max_depth=0) == 1


@pytest.mark.parametrize(
    ("text", "max_depth", "pointer"),
    [
        pytest.param(nested(201), 200, "/0" * 200, id="one above"),
        pytest.param(b"[" * 100_000, 200, "/0" * 200, id="a hundred thousand brackets"),
        pytest.param(b'["[[", {"a]": [[], "]"], "b": [1, [1, [2]]]}]', 4, "/1/b/1/1", id="brackets in strings"),
        pytest.param(b"[]", 0, "", id="no containers at all"),
    ],
)
def test_depth_above_the_limit_is_refused(text: bytes, max_depth: int, pointer: str) -> None:
    with pytest.raises(TooDeepError) as refusal:
        values.decode(text, max_depth=max_depth)

    assert refusal.value.violations[0].pointer == pointer
    assert refusal.value.violations[0].maximum == max_depth


def test_brackets_in_strings_are_not_depth() -> None:
    assert values.decode(b'["[[[[\\"[[[[", "]]\\\\", [1], "", ""]', max_depth=2)


@pytest.mark.parametrize(
    ("left", "right", "claim"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        ([1], [True], False),
        ({"a": 1, "b": [0]}, {"b": [0.0], "a": 1}, True),
        ({"a": 1, "b": [0]}, {"b": [False], "a": 1}, False),
        (999_999_999_999_999, 999_999_999_999_999.0, True),
        (10**16, 1e16, False),
        (-(10**16), -1e16, False),
        (10**16, 10**16, True),
        (1e16, 1e16, True),
        (-0.0, 0, True),
        (None, False, False),
        ("1", 1, False),
        ([], {}, False),
    ],
)
def test_equality_is_that_of_json(left: Any, right: Any, claim: bool) -> None:
    assert values.equal(left, right) is claim
    assert values.equal(right, left) is claim
