"""JSON Schemas (2020-12) compiled once: every violation with its pointer, formats asserted, nothing ever fetched."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import jsonschema_rs

from service.core import values
from service.core.pointer import format_pointer, parse_pointer
from service.core.values import Json
from service.errors import InvalidRequestError, SchemaViolationError, TooLargeError, Violation

MAX_SCHEMA_BYTES = 256 * 1024
MAX_EVALUATIONS = 10_000
"""How many schemas may apply to one place of a document, counting each as often as it is referred to."""
_MAX_VIOLATIONS = 100
_REGEX_BYTES = 1024 * 1024
_MANY = ("allOf", "anyOf", "oneOf")
_ONE = ("not", "if", "then", "else")


class Schema:
    """A compiled schema; `json_schema` is what it was compiled from.

    Raises `InvalidRequestError` for a schema that is none, refers to another document, names an unknown format, or
    has a pattern that takes more than linear time; `TooLargeError`.
    """

    def __init__(self, json_schema: Json) -> None:
        self.json_schema = json_schema
        size = len(values.encode(json_schema))
        if size > MAX_SCHEMA_BYTES:
            raise TooLargeError(
                f"The schema takes {size} bytes; at most {MAX_SCHEMA_BYTES} are taken.",
                field="schema",
                limit="schema",
                maximum=MAX_SCHEMA_BYTES,
            )
        if not isinstance(json_schema, dict | bool):
            raise _invalid("a JSON Schema is an object, true or false", "")
        try:
            self._validator = jsonschema_rs.Draft202012Validator(
                json_schema,
                validate_formats=True,
                ignore_unknown_formats=False,
                offline=True,
                mask="the value",
                pattern_options=jsonschema_rs.RegexOptions(size_limit=_REGEX_BYTES, dfa_size_limit=_REGEX_BYTES),
            )
        except jsonschema_rs.ValidationError as exc:
            raise _invalid(_explain(exc), format_pointer(exc.instance_path)) from exc
        except (jsonschema_rs.ReferencingError, ValueError) as exc:
            raise _invalid("it nests or refers too deep, or to what is not in it", "") from exc
        _check_weight(json_schema)

    def check(self, document: Json) -> None:
        """Raise `SchemaViolationError` with one violation for each place at fault, at most a hundred."""
        if self._validator.is_valid(document):
            return
        found = tuple(islice(self._violations(document), _MAX_VIOLATIONS))
        first = f"{found[0].pointer or 'the document'}: {found[0].detail}"
        more = f", and {len(found) - 1} more" if len(found) > 1 else ""
        raise SchemaViolationError(f"The document does not hold to its type's schema: {first}{more}.", violations=found)

    def _violations(self, document: Json) -> Iterator[Violation]:
        for error in self._validator.iter_errors(document):
            pointer = format_pointer(error.instance_path)
            yield Violation(code=SchemaViolationError.code, detail=error.message, pointer=pointer)


def _invalid(reason: str, pointer: str) -> InvalidRequestError:
    where = f" at {pointer}" if pointer else ""
    return InvalidRequestError(
        f"Not a JSON Schema (2020-12) that can be used{where}: {reason}.", field="schema", pointer=pointer
    )


def _explain(error: jsonschema_rs.ValidationError) -> str:
    text = error.message
    if "Retrieval is disabled" in text or "registry" in text:
        return "it refers to another document, and none is fetched; put what it needs under $defs"
    if "Unknown format" in text:
        return f"{text.partition('.')[0][:1].lower()}{text.partition('.')[0][1:]}"
    if text.endswith('is not a "regex"'):
        return "a pattern is no regular expression that runs in linear time (no look-around, no back-references)"
    return text


def _check_weight(json_schema: Json) -> None:
    """Refuse a schema that is small to write and endless to carry out: references that multiply."""
    weights: dict[str, int] = {}

    def weigh(schema: Json) -> int:
        if not isinstance(schema, dict):
            return 1
        total = 1 + sum(weigh(each) for name in _ONE if (each := schema.get(name)) is not None)
        total += sum(weigh(each) for name in _MANY for each in schema.get(name, ()))
        reference = schema.get("$ref")
        if isinstance(reference, str):
            if reference not in weights:
                weights[reference] = 1  # what refers to itself counts once
                weights[reference] = weigh(_resolve(json_schema, reference))
            total += weights[reference]
        return total

    if any(weigh(each) > MAX_EVALUATIONS for each in _subschemas(json_schema)):
        raise _invalid(f"its references multiply to more than {MAX_EVALUATIONS} schemas for one value", "")


def _subschemas(value: Json) -> Iterator[Json]:
    pending: list[Any] = [value]
    while pending:
        current = pending.pop()
        if isinstance(current, dict):
            yield current
            pending.extend(current.values())
        elif isinstance(current, list):
            pending.extend(current)


def _resolve(json_schema: Json, reference: str) -> Json:
    """Give what a local pointer leads to; True, which weighs least, for references by anchor or id."""
    value = json_schema
    if not reference.startswith("#"):
        return True
    try:
        for step in parse_pointer(reference[1:]):
            value = value[int(step)] if isinstance(value, list) else value[step]
    except (LookupError, TypeError, ValueError):
        return True
    return value
