"""The page as an answer: two documents compared, their delta rendered, sent with its policy."""

from collections.abc import Mapping

import msgspec
from aiohttp import web

from service.api.hanging_up import while_awaited
from service.api.page import markup
from service.api.route import Content
from service.core.assignment import CompareAssignment
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
    async with while_awaited(request):
        product = await merging.carry_out(assignment, texts, request.app[RUNNER])
        page = await request.app[RUNNER].call(
            markup.render_text, product.text, options.diff.max_depth, product.bounded, size=len(product.text)
        )
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
