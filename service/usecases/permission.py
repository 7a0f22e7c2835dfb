"""What a caller may touch: resource types are granted one by one, or all."""

from service.errors import ForbiddenError
from service.model import Caller


def check_type(caller: Caller, resource_type: str | None) -> None:
    """Raise `ForbiddenError` when the caller has no grant for the type; None stands for no type in particular."""
    if resource_type is not None and caller.types is not None and resource_type not in caller.types:
        raise ForbiddenError(f"The caller has no grant for resources of type {resource_type!r}.")


def check_found(caller: Caller, resource_type: str) -> None:
    """Raise the same for what was asked for by its id alone, without telling of what type it is."""
    if caller.types is not None and resource_type not in caller.types:
        raise ForbiddenError("The caller has no grant for resources of the type that this id is of.")
