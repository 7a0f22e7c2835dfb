"""Imports point inwards: every module of `service` imports only from the layers its own layer may know."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INNER = {
    "errors",
    "model",
    "patches",
    "delivery",
    "rollouts",
    "ports",
    "core",
    "metrics",
    "room",
    "tasks",
    "traffic",
    "__init__",
}
ALLOWED = {
    "__init__": set[str](),
    "errors": set[str](),
    "core": {"errors", "core"},
    "model": {"model", "errors"},
    "patches": {"core", "model", "errors"},
    "delivery": {"core", "model", "errors"},
    "rollouts": {"core", "model", "errors"},
    "ports": {"ports", "rollouts", "core", "model", "patches", "delivery", "errors"},
    "settings": set[str](),
    "logs": set[str](),
    "metrics": set[str](),
    "room": {"errors"},
    "tasks": set[str](),
    "traffic": set[str](),
    "telemetry": INNER | {"store"},
    "usecases": INNER | {"usecases"},
    "readers": INNER | {"readers"},
    "store": INNER | {"store"},
    "access": INNER | {"access", "settings"},
    "providers": INNER | {"providers", "logs"},
    "workers": INNER | {"usecases", "workers", "logs"},
    "keys": INNER | {"usecases", "settings"},
    "api": INNER | {"usecases", "keys", "api", "settings", "logs"},
    "app": INNER
    | {"lifetime", "readers", "access", "providers", "workers", "api", "keys", "settings", "telemetry", "logs"},
    "lifetime": INNER | {"usecases", "store", "access", "providers", "workers", "keys"},
    "commands": INNER | {"app", "store", "access", "api", "settings", "commands", "logs", "keys"},
    "__main__": {"settings", "commands", "errors", "__init__"},
}
HOMES = {
    "motor": {"store"},
    "pymongo": {"store"},
    "bson": {"store"},
    "gridfs": {"store"},
    "aiohttp.web": {"api", "app", "lifetime", "keys", "commands"},
}
PURE = {"asyncio", "time", "logging", "socket", "subprocess", "threading"}
MODULES = sorted((ROOT / "service").rglob("*.py"))


def layer_of(module: Path) -> str:
    return module.relative_to(ROOT / "service").with_suffix("").parts[0]


def imports_of(module: Path) -> Iterator[str]:
    """Yield every imported module, and every name imported from a package, as dotted names."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative imports hide the direction"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_module_imports_only_inwards(module: Path) -> None:
    layer = layer_of(module)

    targets = {name.split(".")[1] for name in imports_of(module) if name.startswith("service.")} - {"__version__"}

    assert targets <= ALLOWED[layer], f"{layer} may not import {sorted(targets - ALLOWED[layer])}"


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_driver_and_framework_stay_in_their_homes(module: Path) -> None:
    layer = layer_of(module)

    strays = [
        name
        for name in imports_of(module)
        for package, homes in HOMES.items()
        if (name == package or name.startswith(package + ".")) and layer not in homes
    ]

    assert strays == []


@pytest.mark.parametrize("module", [m for m in MODULES if layer_of(m) == "core"], ids=lambda path: path.name)
def test_core_is_pure(module: Path) -> None:
    assert PURE.isdisjoint(name.split(".")[0] for name in imports_of(module))
    assert not [node for node in ast.walk(ast.parse(module.read_text())) if isinstance(node, ast.AsyncFunctionDef)]


def test_every_layer_is_listed() -> None:
    assert {layer_of(module) for module in MODULES} <= set(ALLOWED)
