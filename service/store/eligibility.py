"""Constraints as one MongoDB query, and the resources that satisfy them found by it, page by page.

The query selects at least what `core.constraints` accepts: it cannot order versions, nor tell an index from a name, so
what it finds is judged again. One page looks at a bounded number of resources, whatever the constraints are.
"""

import asyncio
import re
from collections.abc import AsyncIterable, Iterable, Mapping, Sequence
from typing import Any

from bson import encode as encode_bson

from service.core.constraints import Constraint, holds, kind_of, tokens_of, weigh
from service.core.values import Json
from service.core.versions import parse_version
from service.patches import Candidate, Page
from service.store.documents import MAX_DEPTH, decode_content, encode_content, encode_name
from service.store.mongo import Collection, Database, Record, translated

_ROOT = "content"
_HUGE = "%i"
_NOTHING: Record = {"_id": {"$in": []}}
_MOST_CLAUSE_BYTES = 16 * 1024
_MOST_QUERY_BYTES = 4 * 1024 * 1024
_LOOKED_AT = 100_000
"""How many resources the database looks at for one page."""
_JUDGED = 2_000
"""How many of those that the query selects are judged for one page, at most."""
_MOST_WORK = 500_000
_WORK_AT_ONCE = 20_000
"""How much work (`core.constraints.weigh`) goes into one page, and how much before others get their turn."""
_MONGO = {">": "$gt", ">=": "$gte", "<": "$lt", "<=": "$lte"}
_BSON_KINDS = {
    "null": "null",
    "boolean": "bool",
    "number": ["number", "object"],  # an integer of more than 34 digits is stored as an object
    "string": "string",
    "array": "array",
    "object": "object",
}
_FIRST_NUMBER = re.compile(r"[vV]?0*([0-9]*)")


def compile_constraints(constraints: Iterable[Constraint]) -> Record:
    """Make the query: every document that satisfies the constraints matches it.

    Clauses that would make the query too large are left out.
    """
    clauses: list[Record] = []
    room = _MOST_QUERY_BYTES
    for constraint in constraints:
        clause = _compile(constraint)
        size = len(encode_bson(clause)) if _is_short(constraint) else room
        if clause and size < min(room, _MOST_CLAUSE_BYTES):
            clauses.append(clause)
            room -= size
    return {"$and": clauses} if clauses else {}


class MongoEligibility:
    """Finds resources in the collection `resources`."""

    def __init__(self, database: Database) -> None:
        self._resources: Collection = database["resources"]

    async def find_page(
        self, constraints: Sequence[Constraint], types: Sequence[str] | None, after: str, limit: int
    ) -> Page:
        """Return the next resources, by id, that satisfy every constraint; None for `types` is any type.

        A page may hold fewer than `limit` and still have a next one.
        """
        edge = await self._find_edge(after)
        within = {"$gt": after} if edge is None else {"$gt": after, "$lte": edge}
        of_types = {} if types is None else {"type": {"$in": list(types)}}
        query = {"_id": within, **of_types, "deleted": {"$ne": True}, **compile_constraints(constraints)}
        most_judged = max(1, min(_JUDGED, _MOST_WORK // max(1, weigh(constraints))))
        cursor = self._resources.find(query, _needed(constraints)).sort("_id").limit(most_judged)
        try:
            with translated():
                page = await _judge_all(cursor.batch_size(2 * limit), constraints, limit, most_judged)
        finally:
            await cursor.close()
        return page if page.after is not None else Page(page.candidates, edge)

    async def _find_edge(self, after: str) -> str | None:
        """Return the last id that one page looks at, None where all that are left are few enough."""
        with translated():
            if await self._resources.estimated_document_count() <= _LOOKED_AT:
                return None
            beyond = self._resources.find({"_id": {"$gt": after}}, {"_id": 1}).sort("_id").skip(_LOOKED_AT - 1)
            edge: list[Record] = await beyond.limit(1).to_list(None)
        return edge[0]["_id"] if edge else None


async def _judge_all(
    found: AsyncIterable[Record], constraints: Sequence[Constraint], limit: int, most_judged: int
) -> Page:
    """Keep what holds, letting others have their turn; `after` is None where there were no more."""
    candidates: list[Candidate] = []
    weight, judged, work = weigh(constraints), 0, 0
    async for record in found:
        judged, work = judged + 1, work + weight
        if work > _WORK_AT_ONCE:
            work = 0
            await asyncio.sleep(0)
        if holds(decode_content(record.get("content", {}), record["plain"]), constraints):
            candidates.append(_to_candidate(record))
        if len(candidates) == limit or judged == most_judged:
            return Page(candidates, record["_id"])
    return Page(candidates, None)


def _needed(constraints: Sequence[Constraint]) -> Record:
    """Ask for what is judged only: the first-level members that the constraints are about."""
    tokens = [tokens_of(each.field) for each in constraints]
    shared = {"type": 1, "v": 1, "updated": 1, "plain": 1}
    if not all(tokens):
        return {**shared, _ROOT: 1}
    return shared | {f"{_ROOT}.{encode_name(each[0])}": 1 for each in tokens}


def _to_candidate(record: Record) -> Candidate:
    return Candidate(resource_id=record["_id"], type=record["type"], version=record["v"], updated_at=record["updated"])


def _is_short(constraint: Constraint) -> bool:
    """Say whether it is worth encoding the clause to see how long it is."""
    return len(constraint.field) < _MOST_CLAUSE_BYTES


def _compile(constraint: Constraint) -> Record:
    tokens = tokens_of(constraint.field)
    if len(tokens) > MAX_DEPTH:
        return _NOTHING
    path = ".".join((_ROOT, *map(encode_name, tokens)))
    if constraint.operator == "in":
        alternatives = [_equal(path, each) for each in constraint.value]
        return {"$or": alternatives} if alternatives else _NOTHING
    if constraint.operator == "==":
        return _equal(path, constraint.value)
    if constraint.operator == "!=":
        return {path: {"$type": _BSON_KINDS[kind_of(constraint.value)]}}
    return _ordered(path, _MONGO[constraint.operator], constraint.value)


def _equal(path: str, value: Json) -> Record:
    kind = kind_of(value)
    if kind == "string" and parse_version(value) is not None:
        return {path: {"$regex": f"^[vV]?0*{_first_number(value)}(?![0-9])"}}
    if kind in {"string", "boolean"}:
        return {path: {"$eq": value}}
    if kind == "number":
        return {path: {"$eq": _stored(value)}}
    return {path: {"$type": _BSON_KINDS[kind]}}


def _ordered(path: str, operator: str, value: Json) -> Record:
    match kind_of(value):
        case "string":
            by_code_point: Record = {path: {operator: value}}
            is_version = parse_version(value) is not None
            return {"$or": [{path: {"$regex": "^[vV]?[0-9]"}}, by_code_point]} if is_version else by_code_point
        case "number":
            stored = _stored(value)
            if isinstance(stored, Mapping):
                return {path: {"$type": _BSON_KINDS["number"]}}
            return {"$or": [{path: {operator: stored}}, {f"{path}.{_HUGE}": {"$exists": True}}]}
        case _:
            return _NOTHING


def _first_number(version: str) -> str:
    match = _FIRST_NUMBER.match(version)
    return match[1] if match else ""


def _stored(value: Json) -> Any:
    """Give a number as it lies in the database."""
    return encode_content({"v": value})[0]["v"] if isinstance(value, int) else value
