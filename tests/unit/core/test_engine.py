import pytest

from service.core import diff, native
from service.core.engine import Engine, EngineMissingError, choose
from service.core.native import NativeCore
from service.core.reply import NativeCoreError
from service.errors import MalformedJsonError


@pytest.mark.parametrize("preference", ["python", "auto"])
def test_an_engine_compares_and_checks(preference: str) -> None:
    fallbacks: list[None] = []
    engine = choose(preference, on_fallback=lambda: fallbacks.append(None))  # type: ignore[arg-type]

    assert engine.compare_bytes(b"[1]", b"[2]").patch == b'[{"op":"replace","path":"/0","value":2}]'
    assert engine.compare_both_ways(b"[1]", b"[2]") == (
        b'[{"op":"replace","path":"/0","value":2}]',
        b'[{"op":"replace","path":"/0","value":1}]',
    )
    with pytest.raises(MalformedJsonError):
        engine.check(b"[", 10)
    assert not fallbacks


def test_python_is_python_even_where_the_core_is_built() -> None:
    assert choose("python").name == "python"


def test_native_is_native(core: NativeCore) -> None:
    assert Engine(core).name == "native"
    assert choose("auto").name == "native"


def test_without_a_library_auto_falls_back_and_native_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(native.NativeCore.__init__, "__defaults__", (native.LIBRARY.with_name("_nothing.so"),))

    assert choose("auto").name == "python"
    with pytest.raises(EngineMissingError, match="make native"):
        choose("native")


def test_what_the_core_cannot_do_goes_to_the_reference_and_is_counted() -> None:
    class Unable(NativeCore):
        def __init__(self) -> None:
            pass

        def compare_bytes(self, *_: object) -> diff.Outcome:
            raise NativeCoreError("no")

        def compare_both_ways(self, *_: object) -> tuple[diff.Outcome, bytes]:
            raise NativeCoreError("no")

        def check(self, *_: object) -> None:
            raise NativeCoreError("no")

    fallbacks: list[None] = []
    engine = Engine(Unable(), lambda: fallbacks.append(None))

    assert engine.compare_bytes(b"1", b"2").patch == b'[{"op":"replace","path":"","value":2}]'
    assert engine.compare_both_ways(b"1", b"2").inverse == b'[{"op":"replace","path":"","value":1}]'
    engine.check(b"1", 1)
    assert len(fallbacks) == 3
