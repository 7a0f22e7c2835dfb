"""What a type of resources may define. Any type works without a definition: `TypeDefinition()` is then its own."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from service.core.identified import DEFAULT_LISTS

TYPE_NAME = r"^[a-z][a-z0-9-]{0,62}\Z"
TYPE_NAME_RULE = "a type's name has at most 63 small letters, digits and hyphens, and starts with a letter"
TypeName = Annotated[str, Meta(pattern=TYPE_NAME)]
MemberPath = Annotated[str, Meta(pattern=r"^[^.]+(\.[^.]+){0,7}$", max_length=200)]
MemberName = Annotated[str, Meta(min_length=1, max_length=200)]


class Parent(msgspec.Struct, frozen=True, rename={"shown_as": "as"}, forbid_unknown_fields=True, kw_only=True):
    """Where resources of the type are contained: `property` of each names its parent, which shows them under `as`."""

    type: TypeName
    property: MemberName
    shown_as: MemberName
    many: bool = True


class TypeDefinition(
    msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """Rules for the resources of a type, as they are kept; the wire is stricter (`service.api.types.PutType`)."""

    json_schema: Any = msgspec.field(name="schema", default=UNSET)
    identified_lists: tuple[MemberName, ...] = DEFAULT_LISTS
    required: tuple[Literal["If-Match"], ...] | Literal["If-Match"] = ()
    provider: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")] = "builtin"
    parent: Parent | UnsetType = UNSET
    indexes: Annotated[tuple[MemberPath, ...], Meta(max_length=10)] = ()

    @property
    def requires_if_match(self) -> bool:
        """Whether a change without `If-Match` is refused."""
        return "If-Match" in self.required
