"""What the use cases need from outside, as Protocols. Implementations satisfy them by shape and are chosen in `app`.

One module for each kind of need; this one gives them all.
"""

from service.ports.comparing import Callbacks, Comparer, ComparisonStore, Computer, JobStore, Outcome, Runner
from service.ports.delivering import ConfirmationStore, EndpointStore, OutboxStore, Sender
from service.ports.following import FeedSignals, FeedStore, FeedWatch, Lease
from service.ports.patching import (
    ApplicationStates,
    ApplicationStore,
    Eligibility,
    MoveStore,
    PatchStore,
    Provider,
    RolloutStore,
)
from service.ports.reading import Reader, SourceReader, StoredDocuments, UrlPolicy
from service.ports.serving import Authenticator, Clock, Contract, KeyStore, Probe, Rates, Spans
from service.ports.storing import (
    Changing,
    ContainedResources,
    ContainedStore,
    IdempotencyStore,
    IdentifierStore,
    IndexStore,
    ListedPage,
    ListedRevisions,
    ResourceLister,
    ResourceStore,
    RetentionStore,
    Timeline,
    TypeStore,
)

__all__ = [
    "ApplicationStates",
    "ApplicationStore",
    "Authenticator",
    "Callbacks",
    "Changing",
    "Clock",
    "Comparer",
    "ComparisonStore",
    "Computer",
    "ConfirmationStore",
    "ContainedResources",
    "ContainedStore",
    "Contract",
    "Eligibility",
    "EndpointStore",
    "FeedSignals",
    "FeedStore",
    "FeedWatch",
    "IdempotencyStore",
    "IdentifierStore",
    "IndexStore",
    "JobStore",
    "KeyStore",
    "Lease",
    "ListedPage",
    "ListedRevisions",
    "MoveStore",
    "OutboxStore",
    "Outcome",
    "PatchStore",
    "Probe",
    "Provider",
    "Rates",
    "Reader",
    "ResourceLister",
    "ResourceStore",
    "RetentionStore",
    "RolloutStore",
    "Runner",
    "Sender",
    "SourceReader",
    "Spans",
    "StoredDocuments",
    "Timeline",
    "TypeStore",
    "UrlPolicy",
]
