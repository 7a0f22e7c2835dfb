"""The provider of every type that names no other: it carries patches out on stored resources, at once."""

from service.core.payload import kind_of
from service.errors import ApplicationFailedError
from service.patches import Edit, Patch

_UNDERSTOOD = '{"operations": [RFC 6902]}, {"merge": RFC 7396}, or {} to change nothing'


class BuiltinProvider:
    """Reads payloads of operations and merge patches."""

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
