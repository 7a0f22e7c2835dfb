"""The laws of the diff over the native core, by an applier that shares no code, on texts spelled in many ways."""

import json
import random
import threading
from pathlib import Path
from typing import Any

import pytest

from service.core.diff import compare_bytes
from service.core.native import Cancellation, NativeCore
from service.core.options import DEFAULT, DiffOptions
from service.errors import MalformedJsonError, TooComplexError, TooDeepError
from tests.unit.core.applier import apply, strictly_equal
from tests.unit.core.random_documents import Documents

SAMPLE = json.loads(Path("tests/cases/compare-sample.json").read_text())
SPELLINGS: list[dict[str, Any]] = [
    {},
    {"separators": (",", ":"), "ensure_ascii": False},
    {"indent": 2},
    {"separators": (" ,\t", "\r\n: "), "ensure_ascii": False},
]


def broken_law(core: NativeCore, seed: int, count: int) -> tuple[bytes, bytes, Any] | None:
    """Compare random pairs; give the first for which a law does not hold."""
    documents, draw = Documents(seed), random.Random(seed)
    for _ in range(count):
        before, after = documents.pair()
        texts = [json.dumps(each, **draw.choice(SPELLINGS)).encode() for each in (before, after)]
        options = draw.choice([DEFAULT, DiffOptions(shorten_above=0), DiffOptions(shorten_above=100)])
        patch = json.loads(core.compare_bytes(texts[0], texts[1], options).patch)
        if not strictly_equal(apply(before, patch), after) or (patch == []) != strictly_equal(before, after):
            return texts[0], texts[1], patch
    return None


def test_the_patch_gives_the_second_document(core: NativeCore) -> None:
    assert broken_law(core, 1, 10_000) is None


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_the_patch_gives_the_second_document_a_million_times(core: NativeCore) -> None:
    assert broken_law(core, 2, 1_000_000) is None


def test_the_documented_sample_is_met_exactly(core: NativeCore) -> None:
    before, after = json.dumps(SAMPLE["a"]).encode(), json.dumps(SAMPLE["b"], indent=1).encode()

    outcome = core.compare_bytes(before, after)

    assert json.loads(outcome.patch) == SAMPLE["aToB"]
    assert not outcome.bounded


def test_an_item_that_is_another_altogether_is_replaced_whole(core: NativeCore) -> None:
    one = {"id": 1, "name": "Ann", "address": {"street": "A Street 1", "city": "Aville"}, "active": True, "tags": []}
    two = {"id": 2, "name": "Bob", "address": {"street": "B Street 2", "city": "Bville"}, "active": True, "tags": []}
    turned = dict(reversed(two.items()))

    def diff(before: Any, after: Any) -> Any:
        return json.loads(core.compare_bytes(json.dumps(before).encode(), json.dumps(after).encode()).patch)

    assert diff([one], [two]) == [{"op": "replace", "path": "/0", "value": two}]
    assert diff([one], [turned]) == [{"op": "replace", "path": "/0", "value": turned}]
    assert len(diff([one], [turned | {"id": 1}])) == 3
    assert len(diff([one], [one | {"id": 2}])) == 1
    assert len(diff({"x": one}, {"x": two})) == 4


def test_equal_documents_give_the_empty_patch_whatever_their_spelling(core: NativeCore) -> None:
    before = b'{"a": [1, 2.50, "x\\u00e9"], "b": {"c": 1e2, "d": -0}}'
    after = '{"b":{"d":0,"c":100.0},"a":[1.0,25e-1,"xé"]}'.encode()

    assert core.compare_bytes(before, after).patch == b"[]"


def test_values_are_copied_as_they_are_spelled_without_white_space(core: NativeCore) -> None:
    after = b'{"big": 123456789012345678901234567890, "f": 1.50e+01,\n "s": "a \\u0041 b", "n": {"x" : [ 1 , 2 ]}}'

    patch = core.compare_bytes(b'{"n": 1}', after).patch

    assert b'"value":123456789012345678901234567890}' in patch
    assert b'"value":1.50e+01}' in patch
    assert b'"value":"a \\u0041 b"}' in patch
    assert b'"value":{"x":[1,2]}}' in patch


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"a/b": 1, "~": 2}, {"a/b": 2, "~": 3}),
        ({'"\\\n': 1}, {'"\\\n': 2}),
        ({"": {"": 1}}, {"": {"": [1]}}),
        ([[[]]], [[[[]]]]),
        (True, 1),
        ("1", 1),
        ([True, 1, "1", None], [1, True, None, "1"]),
        ([10**30, 1e16], [10**30 + 1, 10**16]),
    ],
)
def test_odd_pairs(core: NativeCore, before: Any, after: Any) -> None:
    for spelling in SPELLINGS:
        texts = [json.dumps(each, **spelling).encode() for each in (before, after)]
        patch = json.loads(core.compare_bytes(texts[0], texts[1]).patch)
        assert patch
        assert strictly_equal(apply(before, patch), after)


@pytest.mark.parametrize("count", [1_000, 20_000])
def test_arrays_of_every_kind_of_edit(core: NativeCore, count: int) -> None:
    draw = random.Random(count)
    objects = [{"id": draw.randrange(10**9), "name": f"n{place}", "tags": [place % 7]} for place in range(count)]
    numbers = [draw.random() for _ in range(count)]
    digits = [draw.randrange(10) for _ in range(count)]
    shuffled = draw.sample(objects, count)
    edited = [each | {"name": "new"} if draw.random() < 0.01 else each for each in objects]
    other = [draw.randrange(10) if draw.random() < 0.05 else digit for digit in digits if draw.random() > 0.02]
    pairs: list[tuple[Any, Any]] = [
        (objects, [{"id": 0}, *objects]),
        (objects, shuffled),
        (objects, edited[::2]),
        (numbers, [each + (draw.random() < 0.01) for each in numbers]),
        (numbers, [draw.random() for _ in range(count)]),
        (digits, other),
        (objects, [{"key": each["id"]} for each in objects]),
    ]
    for before, after in pairs:
        texts = [json.dumps(each).encode() for each in (before, after)]
        patch = core.compare_bytes(texts[0], texts[1]).patch
        assert strictly_equal(apply(before, json.loads(patch)), after)
        assert len(patch) <= len(texts[1]) + 100


def test_one_object_more_at_the_head_is_one_operation(core: NativeCore) -> None:
    objects = [{"id": place, "text": "x" * (place % 50)} for place in range(10_000)]
    before, after = json.dumps(objects).encode(), json.dumps([{"id": -1}, *objects]).encode()

    assert core.compare_bytes(before, after).patch == b'[{"op":"add","path":"/0","value":{"id":-1}}]'


def test_a_refusal_names_the_input(core: NativeCore) -> None:
    with pytest.raises(MalformedJsonError) as caught:
        core.compare_bytes(b"[1]", b"[1,\n]")

    violation = caught.value.violations[0]
    assert (violation.input, violation.line, violation.column) == ("after", 2, 1)
    with pytest.raises(TooDeepError) as too_deep:
        core.compare_bytes(b"[[[1]]]", b"1", DiffOptions(max_depth=2))
    assert too_deep.value.violations[0].input == "before"


def test_deep_documents_on_a_small_stack(core: NativeCore) -> None:
    depth = 10_000
    before, after = (b'{"a":[' * depth + leaf + b"]}" * depth for leaf in (b"1", b"2"))
    results = []

    def compare() -> None:
        results.append(core.compare_bytes(before, after, DiffOptions(max_depth=2 * depth)).patch)

    previous = threading.stack_size(128 * 1024)
    thread = threading.Thread(target=compare)
    thread.start()
    threading.stack_size(previous)
    thread.join()

    assert results == [b'[{"op":"replace","path":"' + b"/a/0" * depth + b'","value":2}]']


def test_a_cancelled_comparison_stops(core: NativeCore) -> None:
    text = b"[" + b"1," * 200_000 + b"1]"
    cancellation = Cancellation()
    cancellation.cancel()

    with pytest.raises(TooComplexError):
        core.compare_bytes(text, text[:-1] + b",2]", DEFAULT, cancellation)


def test_threads_do_not_disturb_each_other(core: NativeCore) -> None:
    documents = Documents(5)
    pairs = [tuple(json.dumps(each).encode() for each in documents.pair()) for _ in range(300)]
    expected = [core.compare_bytes(before, after).patch for before, after in pairs]
    results: dict[int, list[bytes]] = {}

    def work(number: int) -> None:
        results[number] = [core.compare_bytes(before, after).patch for before, after in pairs]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert all(results[number] == expected for number in range(4))


def test_patches_are_about_as_small_as_the_reference_s(core: NativeCore) -> None:
    documents = Documents(9)
    native = reference = 0
    for _ in range(1_000):
        before, after = (json.dumps(each, separators=(",", ":")).encode() for each in documents.pair())
        native += len(core.compare_bytes(before, after).patch)
        reference += len(compare_bytes(before, after).patch)

    assert native <= reference * 1.05
