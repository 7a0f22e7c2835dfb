"""The parts of a JSON Schema: which apply to a value and to what it holds, and how much of that there is at most."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin

from service.core.pointer import escape, parse_pointer
from service.core.values import Json

MOST = 1_000_000
"""Evaluations are counted no further than this."""

_HERE = ("not", "if", "then", "else")
_HERE_LISTED = ("allOf", "anyOf", "oneOf")
_BELOW = (
    "additionalProperties",
    "unevaluatedProperties",
    "propertyNames",
    "items",
    "unevaluatedItems",
    "contains",
    "additionalItems",
)
_REFERENCES = ("$ref", "$dynamicRef")
_ANCHORS = ("$anchor", "$dynamicAnchor")

Part = dict[str, Any]


class TooLongError(Exception):
    """One schema leads to the next, for the same value, too many times."""


class SchemaParts:
    """The parts of one valid schema. A part is known by its object; what is `true` or `false` is none."""

    def __init__(self, json_schema: Json) -> None:
        self._root = json_schema
        self._pointers: dict[int, str] = {}
        self._bases: dict[int, str] = {}
        self._named: dict[tuple[str, str], Json] = {}
        self._walk(json_schema)
        self._chains: dict[int, int] = {}
        self._evaluations: dict[tuple[int, int], int] = {}

    def pointer(self, part: Json) -> str | None:
        """Give the pointer of a part as a fragment, None for what is none."""
        return self._pointers.get(id(part))

    def at(self, pointer: str) -> Json:
        """Give what lies at a pointer as `pointer` gives it."""
        return self._at(self._root, pointer[1:])

    def referred(self, part: Part) -> Iterator[Json]:
        """Give what the references of a part lead to; None where that cannot be told."""
        for name in _REFERENCES:
            if isinstance(part.get(name), str):
                yield self._resolve(self._bases[id(part)], part[name])

    def reachable(self) -> Iterator[Part]:
        """Give every part that can ever apply to something."""
        seen: set[int] = set()
        pending = [self._root]
        while pending:
            part = pending.pop()
            if isinstance(part, dict) and id(part) not in seen:
                seen.add(id(part))
                yield part
                pending.extend(self._here(part))
                pending.extend(chain.from_iterable(_below(part)))

    def chain(self, part: Json, most: int) -> int:
        """Count how many parts lead from one to the next for the same value. Raises `TooLongError` above `most`."""
        if not isinstance(part, dict):
            return 0
        if most <= 0:
            raise TooLongError
        known = self._chains.get(id(part))
        if known is None:
            self._chains[id(part)] = 0  # what leads back to itself is not gone through twice
            known = 1
            for each in self._here(part):
                known = max(known, 1 + self.chain(each, most - 1))
            self._chains[id(part)] = known
        if known > most:
            raise TooLongError
        return known

    def evaluations(self, part: Json, levels: int) -> int:
        """Count how often parts apply to a value and to those on one way through so many levels below it, at most.

        It goes as deep as `chain` says for every level. It may be asked on several threads.
        """
        return self._count(part, levels, set())

    def evaluations_on_a_way(self) -> int:
        """Count how often parts apply to the values on one way through a document, however deep, at most.

        What leads back to itself counts once: the library knows a part that it has asked of a value before.
        """
        counts: dict[int, int] = {}
        pending = [(self._root, False)]
        while pending:
            part, is_seen = pending.pop()
            if not isinstance(part, dict):
                continue
            here, below = list(self._here(part)), [list(alternatives) for alternatives in _below(part)]
            if is_seen:
                worst = (max((counts.get(id(each), 1) for each in group), default=0) for group in below)
                applied = _times(part) * sum(counts.get(id(each), 1) for each in here)
                counts[id(part)] = min(MOST, 1 + applied + sum(worst))
            elif id(part) not in counts:
                counts[id(part)] = 1
                pending.append((part, True))
                pending.extend((each, False) for each in chain(here, *below))
        return counts.get(id(self._root), 1)

    def _count(self, part: Json, levels: int, counting: set[tuple[int, int]]) -> int:
        key = id(part), levels
        if not isinstance(part, dict) or key in counting:  # what leads back to itself counts once
            return 1
        known = self._evaluations.get(key)
        if known is None:
            counting.add(key)
            known = 1
            for each in self._here(part):
                known += _times(part) * self._count(each, levels, counting)
            for alternatives in _below(part) if levels else ():
                worst = 0
                for each in alternatives:
                    worst = max(worst, self._count(each, levels - 1, counting))
                known += worst
            counting.remove(key)
            known = self._evaluations[key] = min(known, MOST)
        return known

    def _here(self, part: Part) -> Iterator[Json]:
        """Give what applies to the same value."""
        for name in _HERE:
            if name in part:
                yield part[name]
        for name in _HERE_LISTED:
            yield from part.get(name, ())
        yield from part.get("dependentSchemas", {}).values()
        if isinstance(part.get("dependencies"), dict):  # of earlier drafts; the library goes by it all the same
            yield from part["dependencies"].values()
        yield from self.referred(part)

    def _walk(self, json_schema: Json) -> None:
        """Note of all objects where they lie, and of those with a name of their own which."""
        pending: list[tuple[Json, str, str]] = [(json_schema, "#", "")]
        while pending:
            value, pointer, base = pending.pop()
            if isinstance(value, dict):
                if isinstance(value.get("$id"), str):
                    base = urldefrag(urljoin(base, value["$id"])).url
                self._pointers[id(value)], self._bases[id(value)] = pointer, base
                if pointer == "#" or isinstance(value.get("$id"), str):
                    self._named[base, ""] = value
                for name in _ANCHORS:
                    if isinstance(value.get(name), str):
                        self._named[base, value[name]] = value
                pending.extend([(each, f"{pointer}/{escape(name)}", base) for name, each in value.items()])
            elif isinstance(value, list):
                pending.extend([(each, f"{pointer}/{index}", base) for index, each in enumerate(value)])

    def _resolve(self, base: str, reference: str) -> Json:
        address, fragment = base, reference[1:]
        if not reference.startswith("#"):
            address, fragment = urldefrag(urljoin(base, reference))
        named = self._named.get((address, unquote(fragment)))
        return self._at(self._named.get((address, "")), unquote(fragment)) if named is None else named

    @staticmethod
    def _at(value: Json, pointer: str) -> Json:
        try:
            for step in parse_pointer(pointer):
                value = value[int(step)] if isinstance(value, list) else value[step]
        except (LookupError, TypeError, ValueError):
            return None
        return value


def _times(part: Part) -> int:
    """Say how often the parts for the same value are asked: what is left unevaluated shows by asking them again."""
    return 3 if "unevaluatedProperties" in part or "unevaluatedItems" in part else 1


def _below(part: Part) -> Iterator[Iterable[Json]]:
    """Give what applies to what a value holds, those together of which one applies to each. Of patterns several may."""
    for name in _BELOW:
        if name in part:
            yield part[name] if isinstance(part[name], list) else (part[name],)
    yield part.get("prefixItems", ())
    yield part.get("properties", {}).values()
    for each in part.get("patternProperties", {}).values():
        yield (each,)
