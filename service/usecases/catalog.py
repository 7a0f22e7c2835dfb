"""What the service knows about types: definitions with their schemas compiled, kept at hand and up to date."""

import logging
import math
import re
import time
from collections.abc import Callable
from typing import NamedTuple

import msgspec
from msgspec import UNSET

from service.core.definition import TYPE_NAME, TYPE_NAME_RULE, Parent, TypeDefinition
from service.core.schema import Schema
from service.errors import InvalidRequestError, ServiceError, StoreUnavailableError
from service.ports import TypeStore

_LOG = logging.getLogger(__name__)
_NAME = re.compile(TYPE_NAME)
_FRESH_FOR_S = 1.0
"""How long another instance's change of a definition may go unnoticed."""
_MOST_UNDEFINED = 1000


class Contained(NamedTuple):
    """A type whose resources are shown on their parents."""

    type: str
    parent: Parent


class KnownType(NamedTuple):
    """A type as it stands; `is_defined` is False where it lives by the defaults."""

    name: str
    definition: TypeDefinition
    schema: Schema | None
    contained: tuple[Contained, ...]
    is_defined: bool

    def seen_by(self, grants: frozenset[str] | None) -> "KnownType":
        """Return the type as it looks to a caller who is granted these types; None grants all."""
        if grants is None or not self.contained:
            return self
        return self._replace(contained=tuple(each for each in self.contained if each.type in grants))


class TypeCatalog:
    """Gives definitions without asking the database each time: at most once a second, and then for a number."""

    def __init__(self, store: TypeStore, monotonic: Callable[[], float] = time.monotonic) -> None:
        """`monotonic` tells seconds that never go back."""
        self._store = store
        self._monotonic = monotonic
        self._fresh_until = -math.inf
        self._count = -1
        self._forgotten = 0
        self._texts: dict[str, bytes] = {}
        self._known: dict[str, KnownType] = {}
        self._undefined: dict[str, KnownType] = {}
        self._unreadable: frozenset[str] = frozenset()

    async def find(self, name: str) -> KnownType:
        """Return what is known about the type; it has at least the defaults.

        Raises `InvalidRequestError` for a name that no type can have, `StoreUnavailableError` for a definition that
        another release wrote and this one cannot read.
        """
        if self._monotonic() >= self._fresh_until:
            await self._refresh()
        if name in self._unreadable:
            raise StoreUnavailableError(
                f"The definition of the type {name} cannot be read by this instance: "
                f"PUT /types/{name} defines it anew, DELETE forgets it."
            )
        return self._known.get(name) or self._undefined.get(name) or self._assumed(name)

    async def find_to_replace(self, name: str) -> KnownType:
        """Return the same for who is about to define the type anew, or to forget it: what cannot be read may go."""
        if self._monotonic() >= self._fresh_until:
            await self._refresh()
        return self._known.get(name) or self._assumed(name)

    async def list_defined(self) -> list[KnownType]:
        """Return the defined types in the order of their names."""
        if self._monotonic() >= self._fresh_until:
            await self._refresh()
        return [self._known[name] for name in sorted(self._known)]

    def forget(self) -> None:
        """Look again at the next occasion; what is being read now may be too old."""
        self._fresh_until = -math.inf
        self._forgotten += 1

    async def _refresh(self) -> None:
        now = self._monotonic()
        forgotten = self._forgotten
        count = await self._store.read_count()
        if count != self._count:
            self._learn(count, await self._store.read_all())
        if forgotten == self._forgotten:
            self._fresh_until = now + _FRESH_FOR_S

    def _assumed(self, name: str) -> KnownType:
        if not _NAME.fullmatch(name):
            raise InvalidRequestError(f"{TYPE_NAME_RULE[:1].upper()}{TYPE_NAME_RULE[1:]}.", field="type")
        is_defined = name in self._unreadable
        known = KnownType(name, TypeDefinition(), None, self._contained_in(name), is_defined=is_defined)
        if len(self._undefined) < _MOST_UNDEFINED:
            self._undefined[name] = known
        return known

    def _learn(self, count: int, texts: dict[str, bytes]) -> None:
        if count < self._count:
            return  # a reading that was overtaken by a newer one
        unchanged = {name: self._known.get(name) for name, text in texts.items() if self._texts.get(name) == text}
        compiled = {name: unchanged.get(name) or _compile(name, text) for name, text in texts.items()}
        self._texts, self._count = texts, count
        self._undefined = {}
        self._unreadable = frozenset(name for name, each in compiled.items() if each is None)
        self._known = {name: each for name, each in compiled.items() if each is not None}
        self._known = {name: each._replace(contained=self._contained_in(name)) for name, each in self._known.items()}

    def _contained_in(self, name: str) -> tuple[Contained, ...]:
        return tuple(
            Contained(each.name, each.definition.parent)
            for each in self._known.values()
            if each.definition.parent is not UNSET and each.definition.parent.type == name
        )


def _compile(name: str, text: bytes) -> KnownType | None:
    """Read a definition; None, and a line in the log, for one that cannot be read here."""
    try:
        definition = msgspec.json.decode(text, type=TypeDefinition)
        schema = None if definition.json_schema is UNSET else Schema(definition.json_schema)
    except (msgspec.ValidationError, ServiceError):
        _LOG.exception("the definition of the type %s cannot be read", name)
        return None
    return KnownType(name, definition, schema, (), is_defined=True)
