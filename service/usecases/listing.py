"""Lists of resources: a page found by the store, contained resources read in one batch, members picked."""

from typing import NamedTuple

import msgspec

from service.core import values
from service.core.listing import Listing, Path, Place, project
from service.ports import ResourceLister
from service.usecases.presenting import find_contained, show
from service.usecases.shelf import Shelf
from service.usecases.writing import Target


class ShownPage(NamedTuple):
    """Resources as they are answered, as JSON, and where the next page begins."""

    texts: list[bytes]
    rest: Place | None


async def list_resources(
    target: Target, listing: Listing, fields: tuple[Path, ...] | None, limit: int, lister: ResourceLister, shelf: Shelf
) -> ShownPage:
    """Return a page of the resources of a type; `fields` are the members to answer beside the id, None for all."""
    known = (await shelf.catalog.find(target.type)).seen_by(target.grants)
    if fields is not None:
        asked = {path[0] for path in fields}
        known = known._replace(contained=tuple(each for each in known.contained if each.parent.shown_as in asked))
    page = await lister.list_page(target.type, listing, limit)
    contained = await find_contained(known, [each.id for each in page.resources], shelf)
    texts = [show(each, members) for each, members in zip(page.resources, contained, strict=True)]
    if fields is not None:
        texts = [values.encode(project(msgspec.json.decode(text), (("id",), *fields))) for text in texts]
    return ShownPage(texts, page.rest)
