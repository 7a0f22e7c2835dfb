"""A second opinion: RFC 6902 and RFC 7396 by the letter, on plain Python, sharing no code with the service."""

import copy
import json
from typing import Any


def apply(document: Any, patch: list[dict[str, Any]]) -> Any:
    """Apply the patch to a copy; any fault is an exception."""
    root = [copy.deepcopy(document)]
    for operation in patch:
        apply_one(root, operation)
    return root[0]


def merged(target: Any, merge: Any) -> Any:
    """Give what a merge patch makes of the target (RFC 7396, section 2); both stay as they are."""
    if not isinstance(merge, dict):
        return merge
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in merge.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def apply_one(root: list[Any], operation: dict[str, Any]) -> None:
    kind = operation["op"]
    if kind in {"add", "replace"}:
        put(root, operation["path"], copy.deepcopy(operation["value"]), insert=kind == "add")
    elif kind == "remove":
        take(root, operation["path"])
    elif kind == "move":
        assert not operation["path"].startswith(operation["from"] + "/")
        put(root, operation["path"], take(root, operation["from"]), insert=True)
    elif kind == "copy":
        put(root, operation["path"], copy.deepcopy(find(root, operation["from"])), insert=True)
    elif kind == "test":
        assert strictly_equal(find(root, operation["path"]), operation["value"]), operation
    else:
        raise AssertionError(kind)


def tokens_of(path: str) -> list[str]:
    assert path == "" or path[0] == "/"
    return [token.replace("~1", "/").replace("~0", "~") for token in path.split("/")[1:]]


def container_of(root: list[Any], path: str) -> tuple[Any, Any]:
    container: Any = root
    key: Any = 0
    for token in tokens_of(path):
        container = container[key]
        if isinstance(container, list):
            assert token == "-" or token == str(int(token))
            key = len(container) if token == "-" else int(token)
            assert 0 <= key <= len(container)
        else:
            assert isinstance(container, dict)
            key = token
    return container, key


def find(root: list[Any], path: str) -> Any:
    container, key = container_of(root, path)
    return container[key]


def take(root: list[Any], path: str) -> Any:
    container, key = container_of(root, path)
    return container.pop(key)


def put(root: list[Any], path: str, value: Any, *, insert: bool) -> None:
    container, key = container_of(root, path)
    if isinstance(container, list) and insert and container is not root:
        container.insert(key, value)
    else:
        assert insert or (container[key], True)[1]
        container[key] = value


def strictly_equal(left: Any, right: Any) -> bool:
    """Equal as JSON: types of scalars count, but 1 is 1.0; decided on the text of the standard library."""
    return canonical(left) == canonical(right)


def canonical(value: Any) -> str:
    return json.dumps(plain(value), sort_keys=True)


def plain(value: Any) -> Any:
    """Write integral floats that every reader agrees on as integers."""
    if isinstance(value, dict):
        return {name: plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 10**15:
        return int(value)
    return value
