from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core import constraints, values
from service.core.constraints import OPERATORS, Constraint, check_constraints, holds, judge
from service.errors import InvalidRequestError

CLINIC = {
    "name": "Foot clinic",
    "engine": "v9.6",
    "beds": 12,
    "open": True,
    "closed": None,
    "phone": [{"use": "main"}, {"use": "fax"}],
    "": {"": 1},
    "a.b": {"c/d": 2, "$x": 3},
}
SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 1.0, 10**30, "9.6", "16", "a", ""])


def verdict_of(field: str, operator: Any, value: Any) -> constraints.Verdict:
    (verdict,) = judge(CLINIC, [Constraint(field, operator, value)])
    return verdict


@pytest.mark.parametrize(
    ("field", "operator", "value"),
    [
        ("name", "==", "Foot clinic"),
        ("name", "!=", "Hand clinic"),
        ("name", ">", "Aardvark clinic"),
        ("engine", "<", "16"),
        ("engine", ">=", "9.6.0"),
        ("engine", "in", ["9.6", "10"]),
        ("beds", "==", 12.0),
        ("beds", "<=", 12),
        ("beds", ">", 11.5),
        ("beds", "<", 10**40),
        ("open", "==", True),
        ("closed", "==", None),
        ("phone.1.use", "==", "fax"),
        ("/phone/0", "==", {"use": "main"}),
        ("/", "==", {"": 1}),
        (".", "==", 1),
        ("/a.b/c~1d", "==", 2),
        ("/a.b/$x", "in", [True, 3]),
        ("", "==", CLINIC),
    ],
)
def test_satisfied_constraints(field: str, operator: Any, value: Any) -> None:
    verdict = verdict_of(field, operator, value)

    assert verdict.satisfied
    assert verdict.reason == "it holds"


@pytest.mark.parametrize(
    ("field", "operator", "value", "reason"),
    [
        ("fax", "!=", 1, "the document has no such field"),
        ("name.0", "==", "F", "the document has no such field"),
        ("phone.01", "!=", 1, "the document has no such field"),
        ("phone.-", "!=", 1, "the document has no such field"),
        ("a.b", "!=", 1, "the document has no such field"),
        ("beds", "==", "12", "the field holds a number, the constraint asks for a string"),
        ("open", "==", 1, "the field holds a boolean, the constraint asks for a number"),
        ("open", "!=", "true", "the field holds a boolean, the constraint asks for a string"),
        ("phone", "==", {}, "the field holds an array, the constraint asks for an object"),
        ("closed", "<=", None, "null has no order"),
        ("open", ">=", True, "a boolean has no order"),
        ("phone", "<", [], "an array has no order"),
        ("name", "==", "x", "the values differ"),
        ("beds", "!=", 12.0, "the values are equal"),
        ("engine", ">", "16", "the value is not > the one asked for, compared as versions"),
        ("beds", ">", 12, "the value is not > the one asked for"),
        ("engine", "in", [], "the value is not in the list"),
        ("open", "in", [1], "the value is not in the list"),
    ],
)
def test_unsatisfied_constraints_say_why(field: str, operator: Any, value: Any, reason: str) -> None:
    verdict = verdict_of(field, operator, value)

    assert (verdict.satisfied, verdict.reason) == (False, reason)


def test_verdict_shows_constraint_and_actual_value() -> None:
    verdict = verdict_of("beds", ">", 20)

    assert (verdict.field, verdict.operator, verdict.value, verdict.actual) == ("beds", ">", 20, 12)


def test_large_actual_values_are_not_shown() -> None:
    document = {"small": [1] * 10, "long": "x" * 3000, "wide": list(range(10**5))}

    verdicts = judge(document, [Constraint(name, "==", 0) for name in ("small", "long", "wide")])

    assert [each.actual for each in verdicts] == [[1] * 10, None, None]


def test_every_fault_of_a_list_is_named() -> None:
    long = [Constraint("a" * length, "==", 1) for length in (1000, 1001)]
    faulty = [Constraint("a", "==", 1), Constraint("a", "in", 1), Constraint("/~2", "==", 1), *long]

    with pytest.raises(InvalidRequestError, match="constraint 1") as caught:
        check_constraints(faulty)

    assert [each.field for each in caught.value.violations] == ["constraints/1", "constraints/2", "constraints/4"]


@given(SCALARS, SCALARS, st.sampled_from(OPERATORS[:-1]))
def test_operators_agree_with_each_other(actual: Any, value: Any, operator: Any) -> None:
    opposite: Any = {"==": "!=", "!=": "==", ">": "<=", "<=": ">", "<": ">=", ">=": "<"}[operator]
    kind = constraints.kind_of(actual)
    comparable = kind == constraints.kind_of(value) and (operator in {"==", "!="} or kind in {"number", "string"})

    verdicts = judge({"f": actual}, [Constraint("f", operator, value), Constraint("f", opposite, value)])

    assert sum(each.satisfied for each in verdicts) == int(comparable)


@given(SCALARS, st.lists(SCALARS, max_size=4))
def test_in_is_equality_with_one_of_the_list(actual: Any, listed: list[Any]) -> None:
    one_by_one = [holds({"f": actual}, [Constraint("f", "==", each)]) for each in listed]

    assert holds({"f": actual}, [Constraint("f", "in", listed)]) == any(one_by_one)


@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False), st.integers())
def test_numbers_compare_exactly(actual: float, value: int) -> None:
    assert holds({"f": actual}, [Constraint("f", "<", value)]) == (actual < value)


@given(st.text(), st.text())
def test_texts_that_are_no_versions_compare_by_code_point(actual: str, value: str) -> None:
    left, right = f"x{actual}", f"x{value}"

    assert holds({"f": left}, [Constraint("f", "<", right)]) == ([*map(ord, left)] < [*map(ord, right)])


@given(st.lists(st.builds(Constraint, st.text(alphabet="ab./~01"), st.sampled_from(OPERATORS), SCALARS), max_size=5))
def test_whatever_is_not_refused_is_judged(drawn: list[Constraint]) -> None:
    try:
        check_constraints(drawn)
    except InvalidRequestError:
        return
    document = {"a": [1, {"b": 2}], "b": "9.6"}
    before = values.encode(document)

    verdicts = judge(document, drawn)

    assert holds(document, drawn) == all(each.satisfied for each in verdicts)
    assert values.encode(document) == before
