"""Schemas: violations with pointers, and schemas that are refused before they harm."""

from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.pointer import format_pointer
from service.core.schema import MAX_SCHEMA_BYTES, Schema
from service.errors import InvalidRequestError, SchemaViolationError, TooLargeError

DOUBLING = {
    **{f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}, {"$ref": f"#/$defs/d{n + 1}"}]} for n in range(15)},
    "d15": {},
}
CHAIN = {**{f"c{n}": {"$ref": f"#/$defs/c{n + 1}"} for n in range(3_000)}, "c3000": {}}
NAMED_CHAIN = {f"c{n}": {"$id": f"urn:{n}", "allOf": [{"$ref": f"urn:{n + 1}"}]} for n in range(40)} | {
    "last": {"$id": "urn:40"}
}
NODE = {"$ref": "#/$defs/node"}


def breaches(schema: Any, document: Any) -> list[tuple[Any, str]]:
    """Give the pointers and details of what a document breaks."""
    with pytest.raises(SchemaViolationError) as caught:
        Schema(schema).check(document)
    return [(each.pointer, each.detail) for each in caught.value.violations]


def nested(levels: int, leaf: Any) -> Any:
    """Nest a value in so many objects."""
    for _ in range(levels):
        leaf = {"c": leaf}
    return leaf


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
        pytest.param({"$ref": "#/$defs/c0", "$defs": CHAIN}, "more than 32 schemas", id="a chain of references"),
        pytest.param({"$ref": "urn:0", "$defs": NAMED_CHAIN}, "more than 32 schemas", id="a chain of named schemas"),
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


@pytest.mark.parametrize("keyword", ["const", "default", "examples"])
def test_values_within_a_schema_are_no_schemas(keyword: str) -> None:
    Schema({keyword: [{"allOf": 5, "$ref": 1, "properties": 2}]})


@pytest.mark.parametrize("levels", [3, 190])
@pytest.mark.parametrize(
    "reference",
    [
        pytest.param(("$ref", "#/$defs/node", {}), id="by pointer"),
        pytest.param(("$ref", "#node", {"$anchor": "node"}), id="by anchor"),
        pytest.param(("$dynamicRef", "#node", {"$dynamicAnchor": "node"}), id="dynamic"),
        pytest.param(("$ref", "urn:node", {"$id": "urn:node"}), id="by identifier"),
    ],
)
@pytest.mark.parametrize("keywords", [("properties", "patternProperties"), ("properties", "properties")])
def test_what_applies_twice_at_every_level_is_told_once(
    keywords: tuple[str, str], reference: tuple[str, str, dict[str, str]], levels: int
) -> None:
    keyword, target, name = reference
    twice = [{each: {"c": {keyword: target}}} for each in keywords]
    schema = {keyword: target, "$defs": {"node": {**name, "type": "object", "allOf": twice}}}

    found = breaches(schema, nested(levels, 1))

    assert found == [("/c" * levels, 'the value is not of type "object"')]


def test_alternatives_that_apply_at_every_level_are_refused_as_a_whole() -> None:
    node = {"type": "object", "anyOf": [{"properties": {"c": NODE}}, {"properties": {"c": NODE, "d": True}}]}

    found = breaches({**NODE, "$defs": {"node": node}}, nested(190, 1))

    assert found == [("", "the value does not hold to the schema's part #/$defs/node")]


def test_chains_of_references_at_every_level_end() -> None:
    chain = {f"c{n}": {"$ref": f"#/$defs/c{n + 1}"} for n in range(30)}
    node = {"type": "object", "properties": {"c": {"$ref": "#/$defs/c0"}}}

    found = breaches({"$ref": "#/$defs/c0", "$defs": {**chain, "c30": node}}, nested(199, 1))

    assert len(found) == 1
    assert found[0][1].startswith("the value does not hold to the schema's part #/$defs/c")


def test_of_many_violations_the_first_hundred_are_told() -> None:
    schema = {
        "properties": {"a/b": {"prefixItems": [{"type": "null"}], "items": {"properties": {"n": {"minimum": 1}}}}}
    }

    found = breaches(schema, {"a/b": [1, *({"n": number % 2} for number in range(1_000_000))]})

    assert found[0] == ("/a~1b/0", 'the value is not of type "null"')
    assert [pointer for pointer, _ in found[1:]] == [f"/a~1b/{number}/n" for number in range(1, 199, 2)]


def test_what_cannot_be_seen_in_a_part_is_told_of_the_whole_value() -> None:
    found = breaches({"properties": {"list": {"uniqueItems": True}}}, {"list": [0] * 50_000})

    assert found == [("/list", "the value does not hold to the schema's part #/properties/list")]


def test_a_cycle_of_references_ends() -> None:
    assert breaches({"allOf": [{"$ref": "#"}, {"type": "string"}]}, {}) == [("", 'the value is not of type "string"')]


SIMPLE = st.sampled_from([{}, False, {"type": "integer"}, {"minimum": 2}, {"$ref": "#"}, {"required": ["b"]}])
SCHEMAS = st.recursive(
    SIMPLE,
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "properties": st.dictionaries(st.sampled_from(["a", "b", "~/"]), inner, max_size=2),
            "patternProperties": st.fixed_dictionaries({"a|b": inner}),
            "items": inner,
            "prefixItems": st.lists(inner, min_size=1, max_size=2),
            "allOf": st.lists(inner, min_size=1, max_size=2),
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "not": inner,
        },
    ),
    max_leaves=6,
)
DOCUMENTS = st.recursive(
    st.sampled_from([1, 2, "x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "~/"]), inner, max_size=3),
    max_leaves=8,
)


@given(json_schema=SCHEMAS, document=DOCUMENTS)
def test_what_is_told_of_parts_is_what_the_library_tells(json_schema: Any, document: Any) -> None:
    """Looked for part by part, every breach is one that the library lists, or holds one."""
    schema = Schema(json_schema)
    listed = [
        format_pointer(each.instance_path)
        for each in jsonschema_rs.Draft202012Validator(json_schema).iter_errors(document)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("service.core.breaches._MAX_LISTED", 0)
        try:
            schema.check(document)
        except SchemaViolationError as refusal:
            for each in refusal.violations:
                assert any(pointer == each.pointer or pointer.startswith(f"{each.pointer}/") for pointer in listed)
        else:
            assert not listed
