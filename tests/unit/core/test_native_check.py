"""The native core refuses what the reference refuses, at the same place."""

import json
import random
from collections.abc import Iterator

import pytest

from service.core import values
from service.core.native import NativeCore
from service.errors import MalformedJsonError, ServiceError, TooDeepError

PIECES = [
    *(
        rb'{ } [ ] , : " \ \u0041 \ud83d \ude00 \n 1 0 - 1.5 e5 1e400 1e-400 . true false null nul "a" "b" "a":1 '
        rb'"\ud800" "\ud83d\ude00" "\u00e9" [] {} 01 12345678901234567890 NaN Infinity'
    ).split(),
    *(b" ", b"\n", b"\t", b"\x00", b"\x1f", b"\x7f", b"\xc3\xa9", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf"),
]
DOCUMENT = (
    '{"name": "Zoë \\u00e9\\n", "items": [1, -2.5e3, 0, true, false, null, "", {"a": {}, "b": []}],\n'
    ' "long": "' + "x" * 40 + '\\"", "emoji": "😀\\ud83d\\ude00", "n": 123456789012345678901234567890}'
).encode()


def refusal(check: object, text: bytes, max_depth: int = 200) -> ServiceError | None:
    try:
        check(text, max_depth)  # type: ignore[operator]
    except ServiceError as error:
        return error
    return None


def mutated(seed: int, count: int) -> Iterator[bytes]:
    """Edit a document at random: bytes changed, cut, doubled, pieces put in."""
    draw = random.Random(seed)
    for _ in range(count):
        text = bytearray(DOCUMENT if draw.random() < 0.7 else b" ".join(draw.choices(PIECES, k=draw.randint(1, 6))))
        for _ in range(draw.randint(1, 3)):
            at, end = sorted(draw.randrange(len(text) + 1) for _ in range(2))
            match draw.randrange(4):
                case 0:
                    text[at : at + 1] = bytes([draw.randrange(256)])
                case 1:
                    del text[at : min(end, at + draw.randint(1, 20))]
                case 2:
                    text[at:at] = text[at : min(end, at + 12)]
                case _:
                    text[at:at] = draw.choice(PIECES)
        yield bytes(text)


def first_difference(core: NativeCore, texts: Iterator[bytes]) -> tuple[bytes, str, str] | None:
    for text in texts:
        native, reference = refusal(core.check, text), refusal(values.check, text)
        if type(native) is not type(reference):
            return text, repr(native), repr(reference)
    return None


def test_mutated_texts_are_refused_alike(core: NativeCore) -> None:
    assert first_difference(core, mutated(1, 10_000)) is None


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_a_million_mutated_texts_are_refused_alike(core: NativeCore) -> None:
    assert first_difference(core, mutated(2, 1_000_000)) is None


def test_a_document_cut_short_anywhere_is_refused(core: NativeCore) -> None:
    core.check(DOCUMENT, 200)

    accepted = [end for end in range(len(DOCUMENT)) if refusal(core.check, DOCUMENT[:end]) is None]

    assert accepted == []


@pytest.mark.parametrize(
    ("text", "line", "column", "pointer"),
    [
        pytest.param(b'{"a": 1,\n "b" 2}', 2, 6, None, id="colon"),
        pytest.param('{"é": x}'.encode(), 1, 7, None, id="columns-count-characters"),
        pytest.param(b'[{"a": 1, "b/~": 2, "b/~": 3}]', 1, 21, "/0/b~1~0", id="duplicate"),
        pytest.param(b'{"a": 1, "\\u0061": 2}', 1, 10, "/a", id="duplicate-by-meaning"),
        pytest.param(b'{"a": ["\\ud800"]}', 1, 8, "/a/0", id="surrogate"),
        pytest.param(b"[1e400]", 1, 2, "/0", id="range"),
        pytest.param(b"", 1, 1, None, id="empty"),
    ],
)
def test_a_refusal_says_where(core: NativeCore, text: bytes, line: int, column: int, pointer: str | None) -> None:
    error = refusal(core.check, text)

    assert isinstance(error, MalformedJsonError)
    violation = error.violations[0]
    assert (violation.line, violation.column) == (line, column)
    assert (violation.pointer or None) == pointer
    assert f"line {line}, column {column}" in error.detail


def test_refusals_of_meaning_are_at_the_reference_s_place(core: NativeCore) -> None:
    for text in (
        b'{"x": [1, {"a": 1, "b": 2, "a": 3}]}',
        b'["\\udc00"]',
        b'{"a": {"b": 1e999}}',
        b"[-Infinity]",
        b'{"a": NaN}',
    ):
        native, reference = refusal(core.check, text), refusal(values.check, text)
        assert native is not None
        assert reference is not None
        places = [(each.line, each.column, each.pointer) for each in (native.violations[0], reference.violations[0])]
        assert places[0] == places[1]


@pytest.mark.parametrize(
    "text", [b"NaN", b"[1, Infinity]", b'{"a": [-Infinity,}', b"[NaN", b"[NaNx]", b'{"a": NaN, "b"']
)
def test_numbers_that_are_not_finite_are_one_error_with_both_engines(core: NativeCore, text: bytes) -> None:
    native, reference = refusal(core.check, text), refusal(values.check, text)

    assert isinstance(native, MalformedJsonError)
    assert isinstance(reference, MalformedJsonError)
    assert native.detail == reference.detail
    assert native.violations == reference.violations


def test_depth_at_the_limit_passes_and_beyond_is_refused_with_its_pointer(core: NativeCore) -> None:
    core.check(b"[" * 5 + b"]" * 5, 5)

    error, reference = (refusal(check, b'{"a":[[[[[1]]]]]}', 5) for check in (core.check, values.check))

    assert isinstance(error, TooDeepError)
    assert isinstance(reference, TooDeepError)
    assert error.violations == reference.violations
    assert error.violations[0].pointer == "/a/0/0/0/0"


@pytest.mark.parametrize(
    "text",
    [b"[" * 100_000, b'{"a":' * 100_000, b"1" * 1_000_000, b"-" * 1_000_000, b'"' + b"\\" * 1_000_001 + b'"'],
    ids=["brackets", "members", "digits", "minus", "backslashes"],
)
def test_hostile_texts_are_refused(core: NativeCore, text: bytes) -> None:
    assert refusal(core.check, text) is not None


def test_large_objects_find_duplicates_and_only_those(core: NativeCore) -> None:
    members = {f"name {number}": number for number in range(5000)}
    text = json.dumps(members).encode()

    core.check(text, 200)
    error = refusal(core.check, text[:-1] + b', "name 77": 0}')

    assert error is not None
    assert error.violations[0].pointer == "/name 77"
