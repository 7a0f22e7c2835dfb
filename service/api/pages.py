"""Comparisons as pages for people: the delta of two documents, rendered and answered with its policy."""

import asyncio
from collections.abc import Mapping

import msgspec
from aiohttp import web

from service.api.page import markup
from service.api.route import Content
from service.core import values
from service.core.assignment import CompareAssignment, Product
from service.core.delta import ENVELOPE
from service.core.options import FamilyOptions
from service.keys import RUNNER
from service.usecases import merging

HTML = "text/html"
CONTENT = Content(schema={"type": "string", "description": "both documents side by side"}, media_type=HTML)


async def answer_page(request: web.Request, options: FamilyOptions, texts: Mapping[str, bytes]) -> web.Response:
    """Compare the texts `a` and `b` and answer the page that shows them side by side, strings word by word.

    Raises what the assignment raises.
    """
    options = msgspec.structs.replace(options, word_by_word=True)
    assignment = CompareAssignment(options=options, metadata=False)
    product = await merging.carry_out(assignment, texts, request.app[RUNNER])
    page = await asyncio.to_thread(_render, product, options.diff.max_depth)
    return web.Response(
        body=page,
        content_type=HTML,
        charset="utf-8",
        headers={
            "Content-Security-Policy": markup.policy(),
            "Patchbay-Diff": "bounded" if product.bounded else "exact",
            "Cache-Control": "no-store",
        },
    )


def _render(product: Product, max_depth: int) -> bytes:
    envelope = values.decode(product.text, max_depth=max_depth + 5)
    return markup.render(envelope[ENVELOPE]["dx_deltaJSON_delta"], bounded=product.bounded).encode()
