"""The route table: every route the service has, in the order of `openapi.yaml`."""

from service.api import (
    applications,
    comparing,
    confirming,
    contrasting,
    documentation,
    events,
    grafting,
    health,
    history,
    jobs,
    listing,
    merging,
    patches,
    providers,
    resources,
    rollouts,
    type_checks,
    types,
)
from service.api.route import Route

ROUTES: tuple[Route, ...] = (
    *comparing.ROUTES,
    *contrasting.ROUTES,
    *merging.ROUTES,
    *grafting.ROUTES,
    *jobs.ROUTES,
    *resources.ROUTES,
    *listing.ROUTES,
    *history.ROUTES,
    *patches.ROUTES,
    *applications.ROUTES,
    *rollouts.ROUTES,
    *confirming.ROUTES,
    *providers.ROUTES,
    *events.ROUTES,
    *types.ROUTES,
    *type_checks.ROUTES,
    *health.ROUTES,
    *documentation.ROUTES,
)
