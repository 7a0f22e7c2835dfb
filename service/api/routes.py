"""The route table: every route the service has, in the order of `openapi.yaml`."""

from service.api import comparing, documentation, events, health, history, resources
from service.api.route import Route

ROUTES: tuple[Route, ...] = (
    *comparing.ROUTES,
    *resources.ROUTES,
    *history.ROUTES,
    *events.ROUTES,
    *health.ROUTES,
    *documentation.ROUTES,
)
