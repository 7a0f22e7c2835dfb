"""Constraints compiled to a query agree with their evaluation, on random documents in the real database."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.core.constraints import OPERATORS, Constraint, holds
from service.core.pointer import format_pointer
from service.patches import Page
from service.store import eligibility
from service.store.documents import encode_content
from service.store.eligibility import MongoEligibility, compile_constraints
from service.store.mongo import Client, Database

NAMES = st.sampled_from(["a", "b", "0", "1", "", "$a", "a.b", "%", "%i", "~", "/", "-", "$", "01"])
EVERY_SCALAR: list[Any] = [
    *(None, True, False, 0, 1, -3, 0.5, 1.0, -0.0, 1e15, 10**15, 1e20, 10**20, -(10**20), 10**40, -(10**40), 1e300),
    *(2**63, 2**63 - 1, 2**31, 3.0e-320, 1e16, 10**16 + 1, "", "a", "b", "9.6", "16", "v9.6.0", "016.0", "9.6-rc"),
    *("1.0-rc", "1.0", "1", "0", "0.0", "v0.1", "é", "$a", "9x", "\0", "9.60", "96", "Z", "v", "\U0001f600", "\uffff"),
]
SCALARS = st.sampled_from(EVERY_SCALAR)
VALUES = st.recursive(
    SCALARS,
    lambda each: st.lists(each, max_size=3) | st.dictionaries(NAMES, each, max_size=3),
    max_leaves=6,
)
DOCUMENTS = st.dictionaries(NAMES, VALUES, max_size=4)


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], Any]]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(path, value), *(place for name, each in members for place in places(each, (*path, name)))]


@st.composite
def constraint_on(draw: st.DrawFn, documents: list[Any], operator: Any) -> Constraint:
    """Draw a constraint that is mostly about a place that a document has, and about its value."""
    found = [place for each in documents for place in places(each)]
    scalars = [place for place in found if not isinstance(place[1], dict | list)]
    is_usual = draw(st.integers(0, 4)) > 0
    chosen = scalars if scalars and is_usual else found
    path, value = draw(st.sampled_from(chosen))
    strange = ".".join(draw(st.lists(NAMES.filter(lambda each: each not in {"~", "/"}), max_size=3)))
    field = format_pointer(path) if is_usual else strange
    wanted = value if draw(st.booleans()) else draw(SCALARS)
    return Constraint(field, operator, [draw(SCALARS), wanted] if operator == "in" else wanted)


@st.composite
def cases(draw: st.DrawFn, operator: str) -> tuple[list[Any], list[Constraint]]:
    documents = draw(st.lists(DOCUMENTS, min_size=1, max_size=5))
    return documents, draw(st.lists(constraint_on(documents, operator), min_size=1, max_size=2))


async def store(database: Database, documents: list[Any]) -> str:
    """Lay documents down as the resource store does, as resources of a type of their own."""
    name = f"t{uuid.uuid4().hex}"
    records = []
    for index, document in enumerate(documents):
        content, is_plain = encode_content(document)
        record = {"type": name, "v": 1, "content": content, "plain": is_plain, "created": "c", "updated": "u"}
        records.append({"_id": f"{name}-{index:06}", **record, "deleted": False, "log": [], "logBytes": 0})
    await database["resources"].insert_many(records)
    return name


def ids_of(found: list[Any]) -> set[str]:
    return {each["_id"] for each in found}


@pytest.mark.parametrize("operator", OPERATORS)
async def test_query_selects_whatever_evaluation_accepts(database: Database, operator: Any) -> None:
    """Every scalar, bare and in containers, against every scalar."""
    documents = [{"a": each} for scalar in EVERY_SCALAR for each in (scalar, [scalar], {"a": scalar})]
    name = await store(database, documents)
    constraints = [Constraint("a", operator, [each] if operator == "in" else each) for each in EVERY_SCALAR]

    lost = [
        (each, documents[index])
        for each in constraints
        for selected in [ids_of(await database["resources"].find(query_of(name, each), {"_id": 1}).to_list(None))]
        for index, document in enumerate(documents)
        if holds(document, [each]) and f"{name}-{index:06}" not in selected
    ]

    assert lost == []


def query_of(name: str, constraint: Constraint) -> dict[str, Any]:
    return {"type": name, **compile_constraints([constraint])}


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_query_and_evaluation_agree(database: Database, data: st.DataObject) -> None:
    documents, constraints = data.draw(st.sampled_from(OPERATORS).flatmap(cases))
    name = await store(database, documents)
    expected = {f"{name}-{index:06}" for index, each in enumerate(documents) if holds(each, constraints)}

    selected = await database["resources"].find({"type": name, **compile_constraints(constraints)}).to_list(None)
    page = await MongoEligibility(database).find_page(constraints, [name], "", 100)

    assert expected <= {each["_id"] for each in selected}
    assert {each.resource_id for each in page.candidates} == expected
    assert page.after is None


@pytest.mark.parametrize(
    "constraint",
    [
        Constraint("name", "==", "x"),
        Constraint("beds", "==", 12),
        Constraint("beds", ">", 11),
        Constraint("beds", "in", [12, 13]),
        Constraint("engine", "==", "9.6"),
        Constraint("open", "==", True),
        Constraint("/$odd.name/~1", "==", 1),
        Constraint("closed", "==", None),
    ],
    ids=str,
)
async def test_query_does_the_selecting(database: Database, constraint: Constraint) -> None:
    """Of a document that fits and one that does not, the query itself finds the one."""
    fitting = {"name": "x", "beds": 12, "engine": "v9.6.0", "open": True, "$odd.name": {"/": 1}, "closed": None}
    other = {"name": "y", "beds": 10, "engine": "10", "open": False, "$odd.name": {"/": 2}, "closed": 1}
    name = await store(database, [other, fitting])

    selected = await database["resources"].find({"type": name, **compile_constraints([constraint])}).to_list(None)

    assert [each["_id"] for each in selected] == [f"{name}-000001"]


async def test_thousand_constraints_make_one_query(database: Database) -> None:
    document = {f"m{index}": index for index in range(1000)}
    name = await store(database, [document, {**document, "m999": 0}])
    constraints = [Constraint(f"m{index}", "==", index) for index in range(1000)]

    page = await MongoEligibility(database).find_page(constraints, [name], "", 50)

    assert [each.resource_id for each in page.candidates] == [f"{name}-000000"]


async def test_enormous_values_do_not_make_an_enormous_query(database: Database) -> None:
    long = "x" * 10_000
    name = await store(database, [{"a": long}, {"a": "y"}])
    constraints = [Constraint("a", "in", [long] * 1000), Constraint("a", "==", long)] * 300

    page = await MongoEligibility(database).find_page(constraints, [name], "", 50)

    assert [each.resource_id for each in page.candidates] == [f"{name}-000000"]


@pytest.fixture(name="small")
async def make_database(mongo: Client, database_name: str) -> AsyncIterator[Database]:
    """A database without resources of other tests."""
    database = mongo[f"{database_name}-e"]
    yield database
    await mongo.drop_database(database.name)


@pytest.mark.parametrize(("looked_at", "judged"), [(7, 4), (1, 1), (100, 4), (7, 100), (40, 40)])
async def test_pages_join_to_the_whole(
    small: Database, monkeypatch: pytest.MonkeyPatch, looked_at: int, judged: int
) -> None:
    """With tiny bounds: every page looks at a few resources, and none is lost or seen twice."""
    monkeypatch.setattr(eligibility, "_LOOKED_AT", looked_at)
    monkeypatch.setattr(eligibility, "_JUDGED", judged)
    documents = [{"engine": f"{index}.0", "even": index % 2 == 0} for index in range(40)]
    name = await store(small, documents)
    constraints = [Constraint("engine", ">=", "9.6"), Constraint("even", "==", True)]

    page = await MongoEligibility(small).find_page(constraints, None, "", 3)
    found = page.candidates
    while page.after is not None:
        page = await MongoEligibility(small).find_page(constraints, None, page.after, 3)
        assert len(page.candidates) <= min(3, judged)
        found += page.candidates

    assert [each.resource_id for each in found] == [f"{name}-{index:06}" for index in range(10, 40, 2)]


async def test_field_deeper_than_any_document_selects_nothing(database: Database) -> None:
    name = await store(database, [{"a": 1}])

    page = await MongoEligibility(database).find_page([Constraint("/a" * 5000, "==", 1)], [name], "", 50)

    assert page == Page([], None)


async def test_deleted_resources_are_not_eligible(database: Database) -> None:
    name = await store(database, [{"a": 1}, {"a": 1}])
    await database["resources"].update_one({"_id": f"{name}-000000"}, {"$set": {"deleted": True}})

    page = await MongoEligibility(database).find_page([Constraint("a", "==", 1)], [name], "", 50)

    assert [each.resource_id for each in page.candidates] == [f"{name}-000001"]
