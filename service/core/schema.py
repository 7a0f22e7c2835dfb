"""JSON Schemas (2020-12) compiled once: every violation with its pointer, formats asserted, nothing ever fetched."""

from itertools import islice
from typing import Any

import jsonschema_rs

from service.core import values
from service.core.breaches import Breaches
from service.core.pointer import format_pointer
from service.core.schema_parts import SchemaParts, TooLongError
from service.core.values import Json
from service.errors import InvalidRequestError, SchemaViolationError, TooLargeError

MAX_SCHEMA_BYTES = 256 * 1024
MAX_EVALUATIONS = 10_000
"""How many schemas may apply to one place of a document, counting each as often as it is referred to."""
MAX_ON_A_WAY = 100_000
"""How many schemas may apply to the places on one way through a document, counted so."""
MAX_CHAIN = 32
"""How many schemas may lead from one to the next for one value: the library goes through them by recursion."""
_MAX_VIOLATIONS = 100
_REGEX_BYTES = 1024 * 1024
_SETTINGS: dict[str, Any] = {
    "validate_formats": True,
    "ignore_unknown_formats": False,
    "offline": True,
    "mask": "the value",
    "pattern_options": jsonschema_rs.RegexOptions(size_limit=_REGEX_BYTES, dfa_size_limit=_REGEX_BYTES),
}


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
            self._validator = jsonschema_rs.Draft202012Validator(json_schema, **_SETTINGS)
        except jsonschema_rs.ValidationError as exc:
            raise _invalid(_explain(exc), format_pointer(exc.instance_path)) from exc
        except (jsonschema_rs.ReferencingError, ValueError) as exc:
            raise _invalid("it nests or refers too deep, or to what is not in it", "") from exc
        parts = SchemaParts(json_schema)
        _check_cost(parts)
        self._breaches = Breaches(json_schema, parts, _SETTINGS)

    def check(self, document: Json) -> None:
        """Raise `SchemaViolationError` with one violation for each place at fault, at most a hundred."""
        if self._validator.is_valid(document):
            return
        found = tuple(islice(self._breaches.find(document), _MAX_VIOLATIONS))
        first = f"{found[0].pointer or 'the document'}: {found[0].detail}"
        more = f", and {len(found) - 1} more" if len(found) > 1 else ""
        raise SchemaViolationError(f"The document does not hold to its type's schema: {first}{more}.", violations=found)


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
        return (
            "a pattern is no regular expression, is too large when its counts are written out, or does not run in "
            "linear time (no look-around, no back-references)"
        )
    return text


def _check_cost(parts: SchemaParts) -> None:
    """Refuse a schema that is small to write and endless to carry out: references that multiply, or never end."""
    try:
        for each in parts.reachable():
            parts.chain(each, MAX_CHAIN)
    except TooLongError as exc:
        raise _invalid(f"it leads through more than {MAX_CHAIN} schemas for one value", "") from exc
    if parts.evaluations_on_a_way() > MAX_ON_A_WAY:
        raise _invalid(f"its references multiply to more than {MAX_ON_A_WAY} schemas on one way through a document", "")
    if any(parts.evaluations(each, 0) > MAX_EVALUATIONS for each in parts.reachable()):
        raise _invalid(f"its references multiply to more than {MAX_EVALUATIONS} schemas for one value", "")
