"""Confirmations of attempts: the collection `confirmations`, `_id` being made of application and attempt."""

from service.delivery import Confirmation
from service.errors import InvalidTransitionError
from service.model import Companion
from service.store.mongo import Collection, Database, Record, translated


class MongoConfirmations:
    """Keeps what a provider must show to confirm an attempt, and what it confirmed."""

    def __init__(self, database: Database) -> None:
        self._confirmations: Collection = database["confirmations"]

    def expecting(self, confirmation: Confirmation) -> Companion:
        """Say how a confirmation to come is written together with the dispatch."""
        return Companion(
            collection="confirmations",
            id=_id(confirmation.application_id, confirmation.attempt),
            action="insert",
            conflict=InvalidTransitionError("This attempt was dispatched already."),
            fields=_to_record(confirmation),
        )

    def given(self, confirmation: Confirmation) -> Companion:
        """Say how a confirmation is written together with what it brings about, once."""
        return Companion(
            collection="confirmations",
            id=_id(confirmation.application_id, confirmation.attempt),
            action="replace",
            conflict=InvalidTransitionError("This attempt was confirmed at the same time."),
            fields=_to_record(confirmation),
            expected={"said": None},
        )

    async def find(self, application_id: str, attempt: int) -> Confirmation | None:
        """Return the confirmation of an attempt, to come or given."""
        with translated():
            record = await self._confirmations.find_one({"_id": _id(application_id, attempt)})
        if record is None:
            return None
        return Confirmation(
            application_id=application_id,
            resource_id=record["resource"],
            attempt=attempt,
            digest=record["digest"],
            said=record["said"],
        )


def _id(application_id: str, attempt: int) -> str:
    return f"{application_id}:{attempt}"


def _to_record(confirmation: Confirmation) -> Record:
    return {"resource": confirmation.resource_id, "digest": confirmation.digest, "said": confirmation.said}
