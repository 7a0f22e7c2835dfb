import pytest

from service.core.native import LIBRARY, NativeCore


@pytest.fixture(scope="session")
def core() -> NativeCore:
    if not LIBRARY.exists():
        pytest.skip("the native core is not built here: it needs cargo (`make native`)")
    return NativeCore()
