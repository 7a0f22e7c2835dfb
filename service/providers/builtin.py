"""The provider of every type that names no other: it carries patches out on stored resources, at once."""

from collections.abc import Iterable

from service.core.payload import kind_of
from service.errors import ApplicationFailedError
from service.patches import Edit, Patch
from service.ports import Provider

_UNDERSTOOD = '{"operations": [RFC 6902]}, {"merge": RFC 7396}, or {} to change nothing'


class BuiltinProvider:
    """Reads payloads of operations and merge patches."""

    name = "builtin"

    def plan(self, patch: Patch) -> Edit:
        """Say what the payload does; raise `ApplicationFailedError` for one that is not understood."""
        payload = patch.definition.payload
        match kind_of(payload):
            case "operations":
                return Edit("json-patch", payload["operations"])
            case "merge":
                return Edit("merge-patch", payload["merge"])
            case "empty":
                return Edit("merge-patch", {})
            case _:
                raise ApplicationFailedError(
                    f"The built-in provider cannot carry this payload out; it understands {_UNDERSTOOD}."
                )


class ProviderRegistry:
    """The providers that `app` knows, by name."""

    def __init__(self, providers: Iterable[Provider]) -> None:
        self._providers = {each.name: each for each in providers}

    async def find(self, name: str) -> Provider:
        """Return the provider; raise `ApplicationFailedError` when there is none of that name."""
        provider = self._providers.get(name)
        if provider is None:
            known = ", ".join(sorted(self._providers))
            raise ApplicationFailedError(f"The target's type names the provider '{name}'; there are: {known}.")
        return provider
