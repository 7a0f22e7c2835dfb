"""`openapi.yaml` says what the service does: it is what the code makes, valid, and names every error."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from openapi_spec_validator import validate

from service.api import problems
from service.api.contract import RouteTableContract
from service.api.documentation import error_classes
from service.api.routes import ROUTES
from service.readers.yaml_text import yaml_to_json

ROOT = Path(__file__).parents[2]
CONTRACT = RouteTableContract()


def test_committed_contract_is_what_the_code_makes() -> None:
    assert (ROOT / "openapi.yaml").read_bytes() == CONTRACT.yaml, "run `make openapi`"


def test_contract_is_valid_openapi() -> None:
    validate(json.loads(CONTRACT.json))


def read_as_yaml_1_2(text: bytes) -> object:
    return json.loads(yaml_to_json(text, 10**8))


def test_both_generations_of_yaml_read_the_contract_alike() -> None:
    assert yaml.safe_load(CONTRACT.yaml) == read_as_yaml_1_2(CONTRACT.yaml) == json.loads(CONTRACT.json)


def test_operation_ids_are_unique() -> None:
    names = [route.operation_id for route in ROUTES]

    assert len(names) == len(set(names))


def test_every_error_has_a_status_and_a_code() -> None:
    leaves = [each for each in error_classes() if not each.__subclasses__()]

    assert [each for each in leaves if problems.status_of(each) == 500 or each.code == "internal-error"] == []


def test_problems_name_the_headers_that_say_what_to_do_next() -> None:
    operations = [
        (method, each) for path in json.loads(CONTRACT.json)["paths"].values() for method, each in path.items()
    ]
    answers = [(method, status, answer) for method, each in operations for status, answer in each["responses"].items()]

    for method, status, answer in answers:
        wanted = {"412": {"ETag"}, "415": {"Accept-Patch" if method == "patch" else "Accept-Post"}}.get(status, set())
        assert wanted <= answer["headers"].keys()


def find_schemas(node: Any, keyword: str, kind: type) -> Iterator[Any]:
    """Give every schema that has the keyword; `kind` is that of its value."""
    if isinstance(node, dict):
        yield from (node,) if isinstance(node.get(keyword), kind) else ()
        node = [each for name, each in node.items() if name not in ("example", "examples")]
    if isinstance(node, list):
        for each in node:
            yield from find_schemas(each, keyword, kind)


def test_patterns_are_such_as_every_engine_reads() -> None:
    """No look-around, which RE2 and Rust lack (JSON Schema 2020-12, section 6.4), and no `\\Z`, which is Python's."""
    patterns = {each["pattern"] for each in find_schemas(json.loads(CONTRACT.json), "pattern", str)}

    assert patterns
    assert [each for each in patterns if re.search(r"\(\?|\\[AZ]", each)] == []


def test_objects_of_any_members_say_so() -> None:
    """Where it is left to be understood, clients in TypeScript take it for an object without members."""
    objects = [each for each in find_schemas(json.loads(CONTRACT.json), "type", str) if each["type"] == "object"]

    assert [each for each in objects if not {"properties", "additionalProperties"} & each.keys()] == []


def test_what_counts_up_for_ever_is_wide() -> None:
    """Without a format, clients in Java, Go and Rust take a number of 32 bits."""
    event = json.loads(CONTRACT.json)["components"]["schemas"]["Event"]

    assert event["properties"]["position"] == {"type": "integer", "format": "int64"}


def find_choices(node: Any) -> Iterator[Any]:
    return find_schemas(node, "enum", list)


def test_every_choice_has_a_name_and_is_of_texts() -> None:
    """A choice without a name is `Op1` or `Type` in a generated client; without a type it is of anything."""
    schemas = json.loads(CONTRACT.json)["components"]["schemas"]

    named = [each for each in schemas.values() if "enum" in each]

    assert list(find_choices(schemas)) == named
    assert {each["type"] for each in named} == {"string"}


def name_in_code(word: str) -> str:
    return re.sub(r"[\W_]", "", word).upper()


def test_no_two_of_a_choice_have_one_name_in_code() -> None:
    """Where signs and capitals alone tell words apart, generators that make names of them need other names."""
    schemas = json.loads(CONTRACT.json)["components"]["schemas"]

    for each in find_choices(schemas):
        names = {name_in_code(word) for word in each.get("x-enum-varnames", each["enum"])} - {""}
        assert len(names) == len(each["enum"]), each


PURE = {"check_patch", "ping_provider", "check_type"}
"""Operations that write nothing, though they are a POST."""


def test_every_write_can_be_tried_dry() -> None:
    writes = [each for each in ROUTES if each.method in ("POST", "PUT", "PATCH", "DELETE")]

    wet = {each.operation_id for each in writes if "dryRun" not in {param.name for param in each.params}}

    assert wet == PURE


def test_every_post_and_patch_that_writes_takes_an_idempotency_key() -> None:
    sent = [each for each in ROUTES if each.method in ("POST", "PATCH")]

    without = {each.operation_id for each in sent if "Idempotency-Key" not in {param.name for param in each.params}}

    assert without <= PURE
