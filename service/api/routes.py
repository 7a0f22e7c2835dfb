"""The route table: every route the service has, in the order of `openapi.yaml`."""

from service.api import (
    comparing,
    contrasting,
    documentation,
    events,
    grafting,
    health,
    history,
    merging,
    providers,
    resources,
)
from service.api.route import Route

ROUTES: tuple[Route, ...] = (
    *comparing.ROUTES,
    *contrasting.ROUTES,
    *merging.ROUTES,
    *grafting.ROUTES,
    *resources.ROUTES,
    *history.ROUTES,
    *providers.ROUTES,
    *events.ROUTES,
    *health.ROUTES,
    *documentation.ROUTES,
)
