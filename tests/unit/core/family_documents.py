"""Strategies for documents: drawn freely, and by editing others, over few values so that coincidences happen."""

from typing import Any

from hypothesis import strategies as st

NAMES = st.sampled_from(["a", "b", "id", "", "n/x", "5"])
WORDS = st.lists(st.sampled_from(["one", "two", "three", " ", ",", "x"]), max_size=6).map(" ".join)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(0, 3),
    st.sampled_from([0.0, 1.0, 0.5, 1e16, 10**16, 2**70]),
    st.sampled_from(["", "a", "b"]),
    WORDS,
)
DOCUMENTS: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(NAMES, inner, max_size=4)),
    max_leaves=14,
)


@st.composite
def edited(draw: st.DrawFn, document: Any) -> Any:
    """The document after some edits anywhere in it."""
    if draw(st.integers(0, 9)) == 0:
        return draw(DOCUMENTS)
    if isinstance(document, dict):
        kept = {name: draw(edited(member)) for name, member in document.items() if draw(st.integers(0, 6))}
        return kept | (draw(st.dictionaries(NAMES, SCALARS, max_size=1)) if draw(st.booleans()) else {})
    if isinstance(document, list):
        items = [draw(edited(item)) for item in document if draw(st.integers(0, 6))]
        if draw(st.integers(0, 3)) == 0:
            items.insert(draw(st.integers(0, len(items))), draw(DOCUMENTS))
        return draw(st.permutations(items)) if draw(st.integers(0, 5)) == 0 else items
    return document if draw(st.integers(0, 4)) else draw(SCALARS)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Any, Any]:
    """Two documents, mostly related."""
    first = draw(DOCUMENTS)
    return first, draw(st.one_of(edited(first), edited(first), DOCUMENTS))


@st.composite
def triples(draw: st.DrawFn) -> tuple[Any, Any, Any]:
    """An ancestor and two edits."""
    first = draw(DOCUMENTS)
    return first, draw(edited(first)), draw(edited(first))
