"""Conditions on the version of a resource (RFC 9110, section 13), as values."""

import msgspec

from service.errors import VersionConflictError


class Tags(msgspec.Struct, frozen=True):
    """What `If-Match` or `If-None-Match` lists: `any` for `*`, else versions; tags that are none match nothing."""

    any: bool = False
    versions: frozenset[int] = frozenset()

    def match(self, version: int | None) -> bool:
        """Say whether the version is one of them; None, no resource, never is."""
        return version is not None and (self.any or version in self.versions)


class Conditions(msgspec.Struct, frozen=True):
    """What must hold for a request to be carried out."""

    if_match: Tags | None = None
    if_none_match: Tags | None = None

    @property
    def wants_none(self) -> bool:
        """Whether there must be no resource yet (`If-None-Match: *`)."""
        return self.if_none_match is not None and self.if_none_match.any

    def check(self, version: int | None) -> None:
        """Raise `VersionConflictError` unless the conditions allow a write on the version; None where nothing is."""
        if self.if_match is not None and not self.if_match.match(version):
            stands = (
                "there is no such resource. Leave If-Match out to create it."
                if version is None
                else f"version {version} stands. Read the resource and send its ETag."
            )
            raise VersionConflictError(f"If-Match does not hold: {stands}", current=version)
        if self.if_none_match is not None and self.if_none_match.match(version):
            raise exists(version)


NO_CONDITIONS = Conditions()


def exists(version: int | None) -> VersionConflictError:
    """Build the refusal of what was only to be done where nothing is, or another version."""
    return VersionConflictError(
        f"If-None-Match does not hold: version {version} stands. Leave it out to change what stands.", current=version
    )
