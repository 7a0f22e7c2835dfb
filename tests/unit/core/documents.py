"""Strategies for JSON documents and pairs of them: drawn freely, and by editing one into the other."""

from typing import Any

from hypothesis import strategies as st

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(min_value=-3, max_value=3)
    | st.sampled_from([0.0, 1.0, -0.0, 1.5, 1e16, 10**16, 10**30, 1e300, 12345678901234567])
    | st.sampled_from(["", "a", "b", "é", "/", "~", "0", "a longer text to be changed in one word"])
)
NAMES = st.sampled_from(["a", "b", "c", "id", "", "/", "~", "~1", "0", "-", "é"])
DOCUMENTS = st.recursive(
    SCALARS,
    lambda children: st.lists(children, max_size=6) | st.dictionaries(NAMES, children, max_size=5),
    max_leaves=24,
)


@st.composite
def edited(draw: st.DrawFn, value: Any) -> Any:
    """Change the value here and there; often it stays as it is."""
    if draw(st.integers(0, 9)) == 0:
        return draw(DOCUMENTS)
    if isinstance(value, dict):
        return edit_object(draw, value)
    if isinstance(value, list):
        return edit_array(draw, value)
    return draw(SCALARS) if draw(st.integers(0, 3)) == 0 else value


def edit_object(draw: st.DrawFn, value: dict[str, Any]) -> dict[str, Any]:
    result = {name: draw(edited(member)) for name, member in value.items() if draw(st.integers(0, 5))}
    if draw(st.booleans()):
        result[draw(NAMES)] = draw(DOCUMENTS)
    if draw(st.integers(0, 3)) == 0:
        result = dict(draw(st.permutations(list(result.items()))))
    return result


def edit_array(draw: st.DrawFn, value: list[Any]) -> list[Any]:
    result = [draw(edited(item)) for item in value if draw(st.integers(0, 5))]
    if draw(st.booleans()):
        result.insert(draw(st.integers(0, len(result))), draw(DOCUMENTS))
    if draw(st.integers(0, 3)) == 0:
        result = list(draw(st.permutations(result)))
    return result


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Any, Any]:
    before = draw(DOCUMENTS)
    return before, draw(DOCUMENTS if draw(st.integers(0, 3)) == 0 else edited(before))
