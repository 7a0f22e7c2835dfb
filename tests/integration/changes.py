"""Changes as the use cases make them, for the tests of the store."""

from typing import Any

import msgspec

from service.core.history import apply_with_inverse
from service.model import Attribution, Change, Draft
from service.ports import Changing

ANN = Attribution(by="ann")


def create(content: dict[str, Any]) -> Changing:
    def change(draft: Draft | None) -> Change:
        assert draft is None
        return Change(kind="create", content=content)

    return change


def patch(*operations: dict[str, Any]) -> Changing:
    def change(draft: Draft | None) -> Change:
        assert draft is not None
        step = apply_with_inverse(draft.content, operations)
        forward, inverse = msgspec.json.encode(operations), msgspec.json.encode(step.inverse)
        return Change(kind="patch", content=step.document, forward=forward, inverse=inverse)

    return change


def increment(name: str) -> Changing:
    """Add one to a counter: the sum tells whether every write took effect, and once."""

    def change(draft: Draft | None) -> Change:
        assert draft is not None
        value = draft.content.get(name, 0) + 1
        return patch({"op": "add", "path": f"/{name}", "value": value})(draft)  # type: ignore[return-value]

    return change


def delete(draft: Draft | None) -> Change:
    assert draft is not None
    return Change(kind="delete", content=draft.content, deleted=True)


def nothing(draft: Draft | None) -> None:
    """See nothing to do, after a look that disturbs the draft."""
    if draft is not None:
        draft.content.clear()
