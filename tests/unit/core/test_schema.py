"""Schemas: violations with pointers, and schemas that are refused before they harm."""

from typing import Any

import pytest

from service.core.schema import MAX_SCHEMA_BYTES, Schema
from service.errors import InvalidRequestError, SchemaViolationError, TooLargeError

DOUBLING = {
    **{f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}, {"$ref": f"#/$defs/d{n + 1}"}]} for n in range(60)},
    "d60": {},
}


def test_all_violations_are_listed_with_pointers() -> None:
    schema = Schema(
        {
            "required": ["name"],
            "properties": {
                "phone": {"items": {"properties": {"value": {"type": "string"}}}},
                "mail": {"format": "email"},
                "a/b": {"maximum": 3},
            },
        }
    )

    with pytest.raises(SchemaViolationError) as caught:
        schema.check({"phone": [{"value": "1"}, {"value": 2}], "mail": "nobody", "a/b": 4})

    assert sorted(str(each.pointer) for each in caught.value.violations) == ["", "/a~1b", "/mail", "/phone/1/value"]


def test_values_are_not_shown_in_messages() -> None:
    with pytest.raises(SchemaViolationError) as caught:
        Schema({"properties": {"pin": {"maxLength": 1}}}).check({"pin": "secret"})

    assert "secret" not in caught.value.detail
    assert "secret" not in caught.value.violations[0].detail


def test_recursive_schemas_work() -> None:
    schema = Schema({"properties": {"next": {"$ref": "#"}, "size": {"type": "integer"}}})

    schema.check({"next": {"next": {"size": 1}}})
    with pytest.raises(SchemaViolationError) as caught:
        schema.check({"next": {"next": {"size": "1"}}})

    assert caught.value.violations[0].pointer == "/next/next/size"


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        pytest.param({"type": "nope"}, "/type", id="unknown type"),
        pytest.param({"properties": {"x": {"minimum": "1"}}}, "/properties/x/minimum", id="bad keyword"),
        pytest.param(5, "object, true or false", id="no schema"),
        pytest.param({"$ref": "https://example.com/x"}, "none is fetched", id="remote reference"),
        pytest.param({"$ref": "file:///etc/passwd"}, "none is fetched", id="file reference"),
        pytest.param({"$ref": "#/$defs/none"}, "does not exist", id="dangling reference"),
        pytest.param({"format": "nope"}, "unknown format", id="unknown format"),
        pytest.param({"pattern": "(?=a)"}, "linear time", id="look-ahead"),
        pytest.param({"pattern": "(((a{1,1000}){1,1000}){1,1000})"}, "linear time", id="enormous pattern"),
        pytest.param({"$ref": "#/$defs/d0", "$defs": DOUBLING}, "multiply", id="doubling references"),
    ],
)
def test_unusable_schemas_are_refused(schema: Any, said: str) -> None:
    with pytest.raises(InvalidRequestError, match=said.replace("$", "\\$")):
        Schema(schema)


def test_patterns_that_trap_backtrackers_are_linear_here() -> None:
    with pytest.raises(SchemaViolationError):
        Schema({"properties": {"x": {"pattern": "^(a+)+$"}}}).check({"x": "a" * 50_000 + "b"})


def test_enormous_schemas_are_refused() -> None:
    with pytest.raises(TooLargeError):
        Schema({"description": "x" * MAX_SCHEMA_BYTES})


def test_deep_schemas_are_refused() -> None:
    schema: dict[str, Any] = {}
    for _ in range(180):
        schema = {"properties": {"a": schema}}

    with pytest.raises(InvalidRequestError):
        Schema(schema)


def test_big_integers_are_compared_exactly() -> None:
    schema = Schema({"properties": {"n": {"const": 10**40}}})

    schema.check({"n": 10**40})
    with pytest.raises(SchemaViolationError):
        schema.check({"n": 10**40 + 1})
