import sys
from types import BuiltinFunctionType
from typing import Any

import pytest

from service.core import native
from service.core.native import NativeCore
from service.core.options import DiffOptions
from service.errors import MalformedJsonError

BEFORE, AFTER, PATCH = b'{"a": 1}', b'{"a": 2}', b'[{"op":"replace","path":"/a","value":2}]'


@pytest.fixture(name="without_builtin")
def _without_builtin(core: NativeCore, monkeypatch: pytest.MonkeyPatch) -> NativeCore:
    del core  # which skips where nothing is built
    monkeypatch.setattr(native, "_NEEDED", ("PyNothing_OfTheKind",))
    return NativeCore()


def test_an_interpreter_without_the_functions_that_the_builtin_needs_compares_all_the_same(
    without_builtin: NativeCore,
) -> None:
    assert without_builtin.compare_bytes(BEFORE, AFTER).patch == PATCH


@pytest.mark.usefixtures("core")
def test_here_the_builtin_is_there() -> None:
    core = NativeCore()

    assert isinstance(core._patch, BuiltinFunctionType)
    assert core._patch.__name__ == "compare"


def test_a_refusal_of_small_texts_says_as_much_as_one_of_large_ones(core: NativeCore) -> None:
    with pytest.raises(MalformedJsonError) as refusal:
        core.compare_bytes(BEFORE, b'{"a": 1,\n "b" 2}')

    assert [(each.input, each.line, each.column) for each in refusal.value.violations] == [("after", 2, 6)]


@pytest.mark.parametrize(
    "wrong", ["text", bytearray(b"1"), memoryview(b"1"), None, 1], ids=lambda wrong: type(wrong).__name__
)
def test_what_is_not_bytes_is_a_type_error(core: NativeCore, wrong: Any) -> None:
    for pair in ((wrong, b"1"), (b"1", wrong)):
        with pytest.raises(TypeError):
            core._patch(pair[0], pair[1], b"")


def test_another_number_of_arguments_compares_nothing(core: NativeCore) -> None:
    assert core._patch(BEFORE, AFTER) == b""  # type: ignore[call-arg]
    assert core._patch() == b""  # type: ignore[call-arg]


def test_texts_around_the_size_from_which_the_lock_is_released_give_one_patch(core: NativeCore) -> None:
    for filler in range(native.INLINE_BYTES - 40, native.INLINE_BYTES + 40, 7):
        before = BEFORE + b" " * filler

        assert core.compare_bytes(before, AFTER).patch == PATCH


def test_options_may_change_with_every_call(core: NativeCore) -> None:
    ignoring = DiffOptions(ignored_names=frozenset({"a"}))

    assert [core.compare_bytes(BEFORE, AFTER, each).patch for each in (ignoring, DiffOptions(), ignoring)] == [
        b"[]",
        PATCH,
        b"[]",
    ]


def test_calls_take_no_references(core: NativeCore) -> None:
    before, after = bytes(bytearray(BEFORE)), bytes(bytearray(AFTER))
    counts = sys.getrefcount(before), sys.getrefcount(after), sys.getrefcount(None)

    for _ in range(100):
        core.compare_bytes(before, after)

    assert (sys.getrefcount(before), sys.getrefcount(after)) == counts[:2]
    assert abs(sys.getrefcount(None) - counts[2]) < 50
