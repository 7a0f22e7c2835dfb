"""Where a document breaks its schema, found at a cost that neither of them can drive up.

The library lists every violation before it gives the first one: a million items take it ten seconds, and where parts
of a schema lead to each other in several ways, each level of a document multiplies what it lists. To ask whether a
value is valid costs next to nothing. So only what is small for its schema is left to the library; of anything else
the parts that are not valid are found first.
"""

from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import chain, count, islice
from typing import Any

import jsonschema_rs

from service.core.pointer import escape, format_pointer
from service.core.schema_parts import SchemaParts
from service.core.values import Json
from service.errors import SchemaViolationError, Violation

_MAX_LISTED = 20_000
"""Values times the parts of a schema that can apply to them: what the library is left to list, within about 0.1 s."""
_MAX_LEVELS = 16
_MAX_ASKED = 100_000
"""So many parts of a document are asked whether they are valid."""

_MAX_STEPS = 1_000
_MAX_FOLLOWED = 100
"""So many parts of one value are looked into."""

Path = tuple[str | int, ...]
Broken = tuple[str, Json, Path]
"""The pointer of a part of the schema, a value that does not hold to it, and where in the document that stands."""


class Breaches:
    """Looks for them in documents that the schema refuses. `settings` are those of the schema's validator."""

    def __init__(self, json_schema: Json, parts: SchemaParts, settings: dict[str, Any]) -> None:
        self._schema = json_schema
        self._parts = parts
        self._settings = settings

    def find(self, document: Json) -> Iterator[Violation]:
        """Give violations, at least one and none twice: all of a small document; of another those of its parts."""
        told: set[Violation] = set()
        for violation in self._search(document):
            if violation not in told:
                told.add(violation)
                yield violation
        if not told:
            yield _violation("the value does not hold to the schema", ())

    def _search(self, document: Json) -> Iterator[Violation]:
        seen: set[tuple[str, Path]] = set()
        vague: list[tuple[str, Path]] = []
        explained: set[Path] = set()
        pending: list[Broken] = [("#", document, ())]
        asked = count(1)
        while pending:
            at, value, path = pending.pop()
            if (at, path) in seen:
                continue
            seen.add((at, path))
            if self._is_light(at, value):
                explained.update(path[:length] for length in range(len(path) + 1))
                for error in self._validators[at].iter_errors(value):
                    yield _violation(error.message, (*path, *error.instance_path))
            elif len(seen) < _MAX_STEPS and (
                inner := list(islice(self._parts_of(at, value, path, asked), _MAX_FOLLOWED))
            ):
                pending.extend(reversed(inner))
            else:
                vague.append((at, path))
        for at, path in vague:
            if path not in explained:
                yield _violation(f"the value does not hold to the schema's part {at}", path)

    @cached_property
    def _validators(self) -> jsonschema_rs.ValidatorMap:
        """The validators of all parts of the schema, by pointer."""
        schema = self._schema
        if isinstance(schema, dict):  # another draft is not taken, as it is not for the whole
            schema = {name: member for name, member in schema.items() if name != "$schema"}
        return jsonschema_rs.validator_map_for(schema, **self._settings)

    def _is_light(self, at: str, value: Json) -> bool:
        size, levels = _extent(value, _MAX_LISTED)
        if size > _MAX_LISTED or levels > _MAX_LEVELS:
            return False
        return size * self._parts.evaluations(self._parts.at(at), levels) <= _MAX_LISTED

    def _parts_of(self, at: str, value: Json, path: Path, asked: Iterator[int]) -> Iterator[Broken]:
        """Give what breaks those of the schema's parts that are plain to see: references, members, items."""
        part = self._parts.at(at)
        if not isinstance(part, dict):
            return
        for referred in self._parts.referred(part):
            yield from self._refused(self._parts.pointer(referred), [(value, path)], asked)
        for index in range(len(part.get("allOf", ()))):
            yield from self._refused(f"{at}/allOf/{index}", [(value, path)], asked)
        if isinstance(value, dict):
            for name in [name for name in value if name in part.get("properties", {})]:
                yield from self._refused(f"{at}/properties/{escape(name)}", [(value[name], (*path, name))], asked)
        elif isinstance(value, list):
            first = len(part.get("prefixItems", ()))
            for index, item in enumerate(value[:first]):
                yield from self._refused(f"{at}/prefixItems/{index}", [(item, (*path, index))], asked)
            rest = range(first, len(value))
            yield from self._refused(f"{at}/items", ((value[index], (*path, index)) for index in rest), asked)

    def _refused(self, at: str | None, values: Iterable[tuple[Json, Path]], asked: Iterator[int]) -> Iterator[Broken]:
        """Give those of the values that the part of the schema at the pointer refuses."""
        validator = self._validators.get(at) if at else None
        if at is None or validator is None:
            return
        for value, path in values:
            if next(asked) > _MAX_ASKED:
                return
            if not validator.is_valid(value):
                yield at, value, path


def _violation(detail: str, path: Path) -> Violation:
    return Violation(code=SchemaViolationError.code, detail=detail, pointer=format_pointer(path))


def _extent(value: Json, most: int) -> tuple[int, int]:
    """Count the values in a value, no further than just above `most`, and the levels below it."""
    size, levels, level = 1, 0, [value]
    while True:
        containers = [each for each in level if isinstance(each, dict | list)]
        size += sum(map(len, containers))
        if not any(containers) or size > most:
            return size, levels
        level = list(chain.from_iterable([each.values() if isinstance(each, dict) else each for each in containers]))
        levels += 1
