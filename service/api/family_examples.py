"""Examples of the compare family for `openapi.yaml`: requests, and answers as they are given."""

from typing import Any

from service.api.examples import A, B
from service.core import values
from service.core.assignment import CompareAssignment, GraftAssignment, ThreeWayAssignment, TwoWayAssignment
from service.core.options import FamilyOptions

ANCESTOR = {"name": "Foot clinic", "phone": "1111", "open": True}
EDIT1 = {"name": "Foot & Ankle Clinic", "phone": "1111", "open": True}
EDIT2 = {"name": "The Foot Clinic", "phone": "2222", "open": True}


def _inline(**documents: Any) -> dict[str, Any]:
    return {name: {"type": "inline", "value": document} for name, document in documents.items()}


def _texts(**documents: Any) -> dict[str, bytes]:
    return {name: values.encode(document) for name, document in documents.items()}


_ALIGNED = FamilyOptions(alignment="typeWithValuePriority")
DELTA = values.decode(CompareAssignment(options=_ALIGNED).run(_texts(a=A, b=B)).text, max_depth=20)
COMPARE = {
    "inline": {**_inline(a=A, b=B), "arrayAlignment": "typeWithValuePriority"},
    "files": {
        "a": {"type": "file", "path": "inputA.json"},
        "b": {"type": "file", "path": "inputB.json"},
        "wordByWord": "true",
        "output": "changesOnly",
    },
}
DELTAS = {"sample": DELTA}

TWO_WAY = {"inline": {**_inline(a=A, b=B), "mergePriority": "b", "wordByWord": True}}
_WORDS = FamilyOptions(word_by_word=True)
MERGED = {
    "sample": values.decode(TwoWayAssignment(options=_WORDS, priority="b").run(_texts(a=A, b=B)).text, max_depth=20)
}

THREE_WAY = {
    "conflicts": _inline(ancestor=ANCESTOR, edit1=EDIT1, edit2=EDIT2),
    "resolved": {
        **_inline(ancestor=ANCESTOR, edit1=EDIT1, edit2=EDIT2),
        "threeWayMergeMode": "resolveUsingEdit1",
        "resolutions": [{"path": "/name", "use": "edit2"}],
    },
}
THREE_WAY_ANSWERS = {
    "conflicts": values.decode(
        ThreeWayAssignment().run(_texts(ancestor=ANCESTOR, edit1=EDIT1, edit2=EDIT2)).text, max_depth=20
    ),
    "resolved": {"name": "The Foot Clinic", "phone": "2222", "open": True},
}

TARGET = {
    "a": "your data",
    "b": "ITV",
    "name": "Dr John Smith",
    "age": 22,
    "owner": False,
    "hobbies": ["playing guitar badly", "reading", "Cinema", "Baseball"],
    "added": "element",
}
GRAFT = {"inline": {**_inline(changeset=DELTA, target=TARGET), "graftResolutionMode": "changesetPriority"}}
GRAFTED = {
    "sample": values.decode(
        GraftAssignment(metadata=False).run(_texts(changeset=DELTA, target=TARGET)).text, max_depth=20
    )
}
