"""`openapi.yaml` says what the service does: it is what the code makes, valid, and names every error."""

import json
from pathlib import Path

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
