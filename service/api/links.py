"""What an answer leads to: from what was made, the operations that can be called on it (OpenAPI links)."""

from collections.abc import Iterable
from typing import Any

from service.api.route import Route

MADE: dict[str, tuple[tuple[int, ...], dict[str, str]]] = {
    "create_resource": (
        (201,),
        {"type": "$request.path.type", "id": "$response.body#/id", "resource_id": "$response.body#/id"},
    ),
    "record_patch": (
        (200, 201),
        {"resource_id": "$request.path.resource_id", "patch_id": "$response.body#/patch_id"},
    ),
    "apply_patch": ((200, 202), {"application_id": "$response.body#/id"}),
    "start_rollout": (
        (202,),
        {
            "resource_id": "$request.path.resource_id",
            "patch_id": "$request.path.patch_id",
            "rollout_id": "$response.body#/id",
        },
    ),
    "put_provider": ((200, 201), {"name": "$request.path.name"}),
    "put_type": ((200, 201), {"type": "$request.path.type"}),
    **{
        f"{name}_{version}": ((202,), {"job_id": "$response.body#/jobId"})
        for name in ("create_patch", "compare_documents", "merge_two_way", "merge_three_way", "graft_changeset")
        for version in ("v1", "v2")
    },
}
"""By operation: the statuses that tell of something made, and how its path parameters are read from the exchange."""


def links_of(route: Route, status: int, routes: Iterable[Route]) -> dict[str, Any]:
    """Describe the links of one answer: to every operation whose path the answer can fill."""
    statuses, known = MADE.get(route.operation_id, ((), {}))
    if status not in statuses:
        return {}
    own = {param.name for param in route.params if param.where == "path"}
    return {
        other.operation_id: {
            "operationId": other.operation_id,
            "parameters": {f"path.{name}": known[name] for name in _names(other)},
        }
        for other in routes
        if other is not route and _leads_on(_names(other), set(known), own) and other.method != "OPTIONS"
    }


def _names(route: Route) -> list[str]:
    return [param.name for param in route.params if param.where == "path"]


def _leads_on(names: list[str], known: set[str], own: set[str]) -> bool:
    """Whether all names are known, and one of them is what was made: more than the request itself was about."""
    return bool(names) and set(names) <= known and (not set(names) <= own or known == own)
