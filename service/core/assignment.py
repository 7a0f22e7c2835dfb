"""What the compare family can be asked to do, as data: texts in, an answer's text out. It can wait in a store."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import msgspec

from service.core import conflict, delta, threeway, twoway, values
from service.core import graft as grafting
from service.core.conflict import Choice
from service.core.contrast import changes_only, contrast
from service.core.options import FamilyOptions
from service.core.values import Json
from service.errors import ServiceError

Output = Literal["fullContext", "changesOnly"]
ThreeWayMode = Literal["showConflicts", "resolveUsingEdit1", "resolveUsingEdit2"]
Texts = Mapping[str, bytes]


class Product(NamedTuple):
    """An answer as UTF-8 JSON; `bounded` says that a bound made it coarser than it could be."""

    text: bytes
    bounded: bool


class Assignment(msgspec.Struct, frozen=True, kw_only=True, tag_field="operation"):
    """One thing to do. `input_format` says how the inputs came; `metadata` whether an envelope tells."""

    options: FamilyOptions = FamilyOptions()
    metadata: bool = True
    input_format: str = "inline"

    def run(self, texts: Texts) -> Product:
        """Do it. Raises what decoding raises, with the name of the input, and what the operation raises."""
        raise NotImplementedError

    def _decode(self, texts: Texts) -> dict[str, Json]:
        return {name: _decode(name, text, self.options.diff.max_depth) for name, text in texts.items()}

    def _envelope(self, kind: str, content: Json, *, differs: bool, facts: Mapping[str, Any]) -> dict[str, Json]:
        """Put a delta into its envelope; `facts` go into the metadata beside operation and parameters."""
        inner: dict[str, Json] = {"dx_data_sets": "A!=B" if differs else "A=B", "dx_deltaJSON_type": kind}
        if self.metadata:
            name = str(self.__struct_config__.tag)
            formats = {"type": name, "input-format": self.input_format, "output-format": "JSON"}
            inner["dx_deltaJSON_metadata"] = {"operation": formats, "parameters": self._parameters(), **facts}
        return {delta.ENVELOPE: inner | {"dx_deltaJSON_delta": content}}

    def _parameters(self) -> dict[str, Any]:
        """Say what was asked for, as the metadata has it."""
        return {"arrayAlignment": self.options.alignment, "wordByWord": self.options.word_by_word}


class CompareAssignment(Assignment, frozen=True, kw_only=True, tag="compare"):
    """Lay B over A: an envelope with a delta."""

    output: Output = "fullContext"

    def run(self, texts: Texts) -> Product:
        """Compare the texts `a` and `b`. Raises `AmbiguousDocumentError`, `ArrayKeyError`."""
        documents = self._decode(texts)
        for name, document in documents.items():
            delta.check_document(document, name)
        found = contrast(documents["a"], documents["b"], self.options)
        whole = self.output == "fullContext"
        envelope = self._envelope(
            "diff" if whole else "update",
            found.delta if whole else changes_only(found.delta),
            differs=found.differs,
            facts=_bounded(found.bounded),
        )
        return Product(values.encode(envelope), found.bounded)

    def _parameters(self) -> dict[str, Any]:
        return {"output": self.output, **super()._parameters()}


class TwoWayAssignment(Assignment, frozen=True, kw_only=True, tag="two-way-merge"):
    """Merge two documents: the merged document."""

    priority: twoway.Priority = "a"

    def run(self, texts: Texts) -> Product:
        """Merge the texts `a` and `b`. Raises `ArrayKeyError`."""
        documents = self._decode(texts)
        merged = twoway.merge(documents["a"], documents["b"], self.priority, self.options)
        return Product(values.encode(merged.document), merged.bounded)


class ThreeWayAssignment(Assignment, frozen=True, kw_only=True, tag="three-way-merge"):
    """Merge two edits of an ancestor: an envelope that shows the conflicts, or the document without them."""

    mode: ThreeWayMode = "showConflicts"
    resolutions: dict[str, Choice] = {}

    def run(self, texts: Texts) -> Product:
        """Merge `edit1` and `edit2` of `ancestor`. Raises `AmbiguousDocumentError`, `ArrayKeyError`.

        `InvalidRequestError` says where a resolution has no conflict.
        """
        documents = self._decode(texts)
        if self.mode == "showConflicts":
            for name, document in documents.items():
                delta.check_document(document, name)
        merged = threeway.merge(documents["ancestor"], documents["edit1"], documents["edit2"], self.options)
        tree = conflict.settle(merged.tree, self.resolutions)
        if self.mode != "showConflicts":
            document = conflict.resolve(tree, "edit1" if self.mode == "resolveUsingEdit1" else "edit2")
            return Product(values.encode(document), merged.bounded)
        conflicts = conflict.list_conflicts(tree)
        facts = {"conflicts": conflicts, **_bounded(merged.bounded)}
        envelope = self._envelope("three-way-merge", conflict.show(tree), differs=bool(conflicts), facts=facts)
        return Product(values.encode(envelope), merged.bounded)

    def _parameters(self) -> dict[str, Any]:
        return {"threeWayMergeMode": self.mode, **super()._parameters()}


class GraftAssignment(Assignment, frozen=True, kw_only=True, tag="graft"):
    """Carry a changeset to another document: that document, or with `metadata` an envelope around it."""

    mode: grafting.Mode = "changesetPriority"

    def run(self, texts: Texts) -> Product:
        """Graft `changeset` on `target`. Raises `InvalidRequestError` for a changeset that is none."""
        limit = self.options.diff.max_depth
        changeset = _decode("changeset", texts["changeset"], limit + DELTA_DEPTH)
        target = _decode("target", texts["target"], limit)
        made = grafting.graft(delta.read_changeset(changeset, "changeset"), target, self.mode)
        if not self.metadata:
            return Product(values.encode(made.document), bounded=False)
        differs = not values.equal(made.document, target)
        envelope = self._envelope("graft", made.document, differs=differs, facts={"ignored": made.ignored})
        return Product(values.encode(envelope), bounded=False)

    def _parameters(self) -> dict[str, Any]:
        return {"graftResolutionMode": self.mode}


AnyAssignment = CompareAssignment | TwoWayAssignment | ThreeWayAssignment | GraftAssignment

DELTA_DEPTH = 5
"""How many containers a delta may put around what it was made of: two of the envelope, two of a change, a string's."""


def _bounded(bounded: bool) -> dict[str, bool]:
    return {"bounded": True} if bounded else {}


def _decode(name: str, text: bytes, max_depth: int) -> Json:
    try:
        return values.decode(text, max_depth=max_depth)
    except ServiceError as error:
        raise error.within(name) from error
