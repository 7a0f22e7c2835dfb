"""Filters and orders as MongoDB queries. Names are encoded, values are literals: nothing sent becomes an operator."""

import re
from typing import Any

from service.core.listing import Filter, Order, Place
from service.store.documents import encode_value
from service.store.members import member_path
from service.store.mongo import Record

OWNED: dict[tuple[str, ...], str] = {("id",): "_id", ("createdAt",): "created", ("updatedAt",): "updated"}
"""Members that lie outside the content, where a record has them."""
_SCALARS = ["bool", "int", "long", "double", "decimal"]
_SORTED_CHARACTERS = 200
"""So much of a text is sorted by: it goes into the cursor of the next page, and that into an address."""


def to_match(resource_type: str, filters: tuple[Filter, ...]) -> Record:
    """Build the query for the resources of a type that are not deleted and hold to all filters."""
    conditions = [{stored_at(each.path): _condition(each)} for each in filters]
    match: Record = {"type": resource_type, "deleted": False}
    return {**match, "$and": conditions} if conditions else match


def stored_at(path: tuple[str, ...]) -> str:
    """Return the dotted name under which a member is stored."""
    return OWNED.get(path) or member_path(path)


def after_owned(order: Order, after: Place) -> Record:
    """Build the condition for what follows a place in the order of one owned member; an index answers it."""
    name, beyond = stored_at(order.path), "$lt" if order.descending else "$gt"
    if name == "_id":
        return {"_id": {beyond: after.id}}
    value = after.values[0]
    return {name: {f"{beyond}e": value}, "$or": [{name: {beyond: value}}, {"_id": {beyond: after.id}}]}


def to_keys(order: tuple[Order, ...]) -> Record:
    """Build the sort keys as expressions: what is no scalar becomes null, so that any two compare; text is cut."""
    return {f"k{number}": _scalar(stored_at(each.path)) for number, each in enumerate(order)}


def after_keys(order: tuple[Order, ...], after: Place) -> Record:
    """Build the condition for what follows a place in the order of computed keys: equal so far, and beyond next."""
    names = [(f"$k{number}", after.values[number], each.descending) for number, each in enumerate(order)]
    names.append(("$_id", after.id, order[-1].descending))
    steps: list[Any] = []
    for number, (name, value, descending) in enumerate(names):
        equal = [{"$eq": [other, _literal(held)]} for other, held, _ in names[:number]]
        steps.append({"$and": [*equal, {"$lt" if descending else "$gt": [name, _literal(value)]}]})
    return {"$expr": {"$or": steps}}


def _condition(asked: Filter) -> Record:
    value = asked.value
    match asked.operator:
        case "exists":
            return {"$exists": value}
        case "prefix":
            return {"$regex": f"^{re.escape(value)}"}
        case "in" | "nin":
            return {f"${asked.operator}": [encode_value(each) for each in value]}
        case "eq" if value is None:
            return {"$eq": None, "$exists": True}
        case _:
            return {f"${asked.operator}": encode_value(value)}


def _scalar(name: str) -> Record:
    kind = {"$type": f"${name}"}
    text = {"$substrCP": [f"${name}", 0, _SORTED_CHARACTERS]}
    return {
        "$switch": {
            "branches": [
                {"case": {"$eq": [kind, "string"]}, "then": text},
                {"case": {"$in": [kind, _SCALARS]}, "then": f"${name}"},
            ],
            "default": None,
        }
    }


def _literal(value: Any) -> Record:
    return {"$literal": encode_value(value)}
