"""What the use cases need from outside, as Protocols. Implementations satisfy them by shape and are chosen in `app`."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, NamedTuple, Protocol, TypeAlias

import msgspec

from service.core.assignment import AnyAssignment, Product
from service.core.constraints import Constraint
from service.core.listing import Listing, Place
from service.core.options import DiffOptions
from service.delivery import Confirmation, Delivery, DeliveryState, Endpoint, Notice, Sent
from service.model import (
    Answer,
    ApiKey,
    Attribution,
    Caller,
    Change,
    Companion,
    Comparison,
    Document,
    Draft,
    Event,
    Job,
    JobFailure,
    Reading,
    Resource,
    Revision,
    Role,
    Source,
    Written,
)
from service.patches import Application, Batch, Edit, Move, Page, Patch, Standing, Step
from service.rollouts import Rollout, RolloutState


class Clock(Protocol):
    """The time of day. The only source of time for whatever is stored or decided by it."""

    def now(self) -> datetime:
        """Return the present moment in UTC, at a resolution of a microsecond."""
        ...


class Reader(Protocol):
    """One way of obtaining a document. Third parties add theirs through the entry-point group `patchbay.readers`."""

    @property
    def types(self) -> tuple[str, ...]:
        """The values of `type` in an I/O object that this reader answers to."""
        ...

    @property
    def source(self) -> type[Source]:
        """The Struct that the other members of the I/O object are converted to; unknown members are refused."""
        ...

    async def read(self, source: Any, reading: Reading) -> Document:
        """Obtain the text within `reading.max_bytes` and `reading.timeout_s`.

        Raises a `SourceError` where the source is forbidden, missing, unreachable or slow, `TooLargeError` where
        it is too large.
        """
        ...


class SourceReader(Protocol):
    """All readers together."""

    def parse(self, text: bytes | msgspec.Raw, where: str) -> Source:
        """Turn an I/O object, known to be strict JSON, into a typed source; `where` names the input in errors."""
        ...

    async def read_json(self, source: Source, reading: Reading) -> bytes:
        """Obtain a source through the reader that it belongs to, as JSON text whatever its format."""
        ...


class Outcome(Protocol):
    """What a comparison gives."""

    @property
    def patch(self) -> bytes:
        """The RFC 6902 array as UTF-8."""
        ...

    @property
    def bounded(self) -> bool:
        """Whether a bound was met, so that the patch is right but coarser than it could be."""
        ...


class Comparer(Protocol):
    """Compares two JSON texts without holding up the event loop."""

    async def compare(self, before: bytes, after: bytes, options: DiffOptions) -> Outcome:
        """Return the patch that turns `before` into `after`.

        Raises `MalformedJsonError` or `TooDeepError` with the violation's `input` set to `before` or `after`,
        `ArrayKeyError`, `TooComplexError` after the time limit, `OverloadedError` when the queue is full.
        """
        ...


class Runner(Protocol):
    """Carries out what the compare family is asked for without holding up the event loop."""

    async def run(self, assignment: AnyAssignment, texts: Mapping[str, bytes]) -> Product:
        """Do what is asked for with the inputs' texts, by their names.

        Raises what the assignment raises, `TooComplexError` after the time limit, `OverloadedError` when the queue is
        full.
        """
        ...

    async def call(self, function: Callable[..., bytes], *arguments: object, size: int) -> bytes:
        """Carry out a pure function of a module; `size` is that of its arguments in bytes. Raises the same."""
        ...


class ComparisonStore(Protocol):
    """Keeps comparisons on request."""

    async def insert(self, comparison: Comparison) -> None:
        """Keep a new comparison; it is durable when this returns."""
        ...

    async def find(self, comparison_id: str) -> Comparison | None:
        """Return the comparison, or None when there is none of that id."""
        ...


class Probe(Protocol):
    """Tells whether the database can be written to."""

    async def ping(self) -> str:
        """Return the server's version; raise `StoreUnavailableError` when it does not answer as a primary."""
        ...


class Contract(Protocol):
    """The HTTP contract as it is handed out."""

    @property
    def yaml(self) -> bytes:
        """`openapi.yaml` as UTF-8."""
        ...

    @property
    def json(self) -> bytes:
        """The same document as JSON."""
        ...


Changing: TypeAlias = Callable[[Draft | None], Change | None]
"""Makes the next version of a resource, None when there is nothing to change. Gets None where no resource is.

It depends on the draft alone (it is called again on the newer version after a lost race), is quick, and may edit the
draft's content in place; what it raises goes to the caller of `write`, and nothing is written.
"""


class ResourceStore(Protocol):
    """Keeps resources and every change to them.

    A write that returned is durable; one that raised changed nothing, except after `StoreUnavailableError`, when it
    may have been done: `find_write` tells.
    """

    async def find(self, resource_id: str) -> Resource | None:
        """Return the resource as it stands, deleted or not, or None when there never was one."""
        ...

    async def write(
        self,
        resource_id: str,
        resource_type: str,
        change: Changing,
        attribution: Attribution,
        *,
        dry_run: bool = False,
    ) -> Written:
        """Apply the change to the newest version; `resource_type` is what a resource is that the change creates.

        Writes to one resource take effect one after another, none is lost. A dry run answers what would be.
        Raises what the change raises, the `conflict` of a companion, `NotStorableError` with the pointer of the
        value, `NotFoundError` when the change makes nothing of no resource, `StoreUnavailableError`,
        `OverloadedError` when too many writes wait for the resource.
        """
        ...

    async def find_write(self, resource_id: str, write_id: str) -> Revision | None:
        """Return what the write with the given id made, or None when it was never done."""
        ...

    async def list_revisions(self, resource_id: str, *, before: int | None = None, limit: int = 50) -> list[Revision]:
        """Return how the newest versions came about, newest first, those below `before` if given."""
        ...

    async def find_version(self, resource_id: str, version: int) -> Resource | None:
        """Return the resource as it stood at a version, or None when it never had it."""
        ...


class IdempotencyStore(Protocol):
    """Remembers for a day what was answered to a request that carried an idempotency key.

    `key` stands for caller and key, `fingerprint` for the request. Derive the `write_id` of what the request writes,
    and the id of what it creates, from `key`: then a request whose first answer was lost in a crash is not done twice.
    """

    async def begin(self, key: str, fingerprint: str) -> Answer | None:
        """Return the first answer, or None when the request is to be carried out now.

        Raises `IdempotencyKeyReusedError` for another fingerprint, `BusyIdempotencyKeyError` while the first request
        is being carried out.
        """
        ...

    async def finish(self, key: str, answer: Answer) -> None:
        """Keep the answer."""
        ...

    async def abandon(self, key: str) -> None:
        """Forget the request: it failed in a way that the same key may try again."""
        ...


class Authenticator(Protocol):
    """Tells who is calling."""

    async def authenticate(self, credential: str) -> Caller:
        """Return the caller who holds the credential; raise `UnauthenticatedError` when it does not hold."""
        ...


class KeyStore(Protocol):
    """Keeps API keys."""

    async def insert(self, key: ApiKey) -> None:
        """Keep a new key."""
        ...

    async def use(self, key_id: str, now: str) -> ApiKey | None:
        """Return the key and record its use, or None when there is none of that id."""
        ...

    async def list_all(self) -> list[ApiKey]:
        """Return all keys, newest first."""
        ...

    async def revoke(self, key_id: str, now: str) -> bool:
        """Revoke a key for good; return whether there was one to revoke."""
        ...


class Rates(Protocol):
    """Counts the requests of callers."""

    @property
    def rate(self) -> float:
        """Requests per second and caller; 0 limits nothing."""
        ...

    def take(self, caller: str, now: float) -> float:
        """Count a request at the monotonic time `now`; return 0, or the seconds after which one would be let in."""
        ...


class Guarded(Protocol):
    """A route, as far as letting callers in goes."""

    @property
    def access(self) -> Role | None:
        """The role a caller needs; None where anybody may call."""
        ...


class RequestSpans(Protocol):
    """Telemetry, where it is on: makes a span of every request."""

    @property
    def listeners(self) -> Sequence[Any]:
        """What the database client is given, to make spans of its commands."""
        ...

    def request(self, name: str, traceparent: str | None) -> AbstractContextManager[str]:
        """Make the span, below the caller's own if it sent a `traceparent`; give the one to pass on."""


class IdentifierStore(Protocol):
    """Reads which resources hold an identifier; the claims are written as companions of a change."""

    def claim_id(self, resource_type: str, value: str, system: str) -> str:
        """Return the id of the record that claims the identifier."""
        ...

    async def find(self, resource_type: str, value: str, system: str | None = None) -> list[str]:
        """Return the ids of resources that hold the value in the system, or in any; one id may come twice."""
        ...


class TypeStore(Protocol):
    """Keeps definitions of types, as JSON by name, and a count of changes that tells other instances to look."""

    async def read_count(self) -> int:
        """Return how many changes there have been to definitions."""
        ...

    async def read_all(self) -> dict[str, bytes]:
        """Return all definitions."""
        ...

    async def put(self, name: str, definition: bytes) -> bool:
        """Keep a definition and count the change, or neither; return whether the type had none before."""
        ...

    async def delete(self, name: str) -> bool:
        """Forget a definition and count the change, or neither; return whether there was one."""
        ...


class ContainedResources(NamedTuple):
    """Contained resources, and whether these are all."""

    resources: list[Resource]
    are_all: bool


class ContainedStore(Protocol):
    """Finds the resources of one type whose content names a parent, and the turns of parents."""

    async def read_turn(self, parent_id: str) -> int:
        """Return how often something entered the parent, as the primary has it."""
        ...

    async def find_contained(
        self, resource_type: str, member: str, parent_ids: Sequence[str], *, limit: int
    ) -> ContainedResources:
        """Return those that name one of the parents in the member, not deleted, oldest first.

        At most `limit`, and no more than fit into memory with ease: then there are more.
        """
        ...


class Timeline(Protocol):
    """Tells versions by time."""

    async def find_version_at(self, resource_id: str, moment: str) -> int | None:
        """Return the newest version that is not younger than the moment, None where none is, or is kept."""
        ...


class StoredDocuments(Protocol):
    """Stored resources as documents to compare."""

    async def read_stored(
        self,
        reference: str,
        resource_type: str | None,
        caller: Caller,
        *,
        version: int | None = None,
        at: datetime | None = None,
    ) -> bytes:
        """Return the content, without the members that the service owns: now, at a version, or at a time.

        `reference` is an id; with the type, an identifier too. Raises `SourceNotFoundError`, also for what is
        deleted, and `ForbiddenError` for a type that the caller has no grant for.
        """
        ...


class FeedStore(Protocol):
    """Keeps what happened, in one order."""

    async def advance(self, limit: int = 500) -> int:
        """Make events of what has happened since; return how many were made. May be done by many at once."""
        ...

    async def list_after(self, position: int, limit: int) -> list[Event]:
        """Return events after a position, oldest first; raise `FeedGoneError` when some are kept no more."""
        ...

    async def last_position(self) -> int:
        """Return the position of the newest event, 0 when there never was one."""
        ...

    async def trim(self, before: str) -> int:
        """Forget events of before a moment; return how many."""
        ...


class FeedWatch(Protocol):
    """Tells when there may be new events."""

    @property
    def count(self) -> int:
        """How often there may have been new events so far."""
        ...

    @property
    def is_closing(self) -> bool:
        """Whether the service is about to stop, so that nobody should wait."""
        ...

    async def changed(self, seen: int, timeout_s: float) -> None:
        """Wait until `count` is more than `seen`, or the time is up, or the service stops."""
        ...


class FeedSignals(Protocol):
    """Where new events show up first."""

    def follow(self) -> AsyncIterator[None]:
        """Yield once for each batch of new events, until cancelled; raises `StoreUnavailableError`."""
        ...


class Lease(Protocol):
    """Background work that any instance may do and one at a time should."""

    async def acquire(self, name: str, seconds: float) -> bool:
        """Take the lease, or renew it; False while another instance holds it."""
        ...

    async def release(self, name: str) -> None:
        """Give the lease back, if it is held."""
        ...


class EndpointStore(Protocol):
    """Keeps providers."""

    async def put(self, provider: Endpoint) -> bool:
        """Keep a provider, in place of one of that name; return whether it is new."""
        ...

    async def find(self, name: str) -> Endpoint | None:
        """Return the provider, or None when there is none of that name."""
        ...

    async def list_after(self, name: str, limit: int) -> list[Endpoint]:
        """Return providers in the order of their names, those after `name`."""
        ...

    async def disable(self, name: str, at: str) -> None:
        """Send it nothing more."""
        ...

    async def delete(self, name: str) -> bool:
        """Forget a provider; return whether there was one."""
        ...


class ConfirmationStore(Protocol):
    """Keeps what a provider must show to confirm an attempt, and what it confirmed."""

    def expecting(self, confirmation: Confirmation) -> Companion:
        """Say how a confirmation to come is written together with the dispatch."""
        ...

    def given(self, confirmation: Confirmation) -> Companion:
        """Say how a confirmation is written together with what it brings about, once."""
        ...

    async def find(self, application_id: str, attempt: int) -> Confirmation | None:
        """Return the confirmation of an attempt, to come or given."""
        ...


class OutboxStore(Protocol):
    """Keeps what is on its way to providers."""

    def insertion(self, delivery: Delivery) -> Companion:
        """Say how a delivery is written together with the move that it tells of."""
        ...

    async def claim(self, now: str, until: str) -> Delivery | None:
        """Lease the delivery that has been due for longest, None when none is."""
        ...

    async def renew(self, notice_id: str, held: str, until: str) -> bool:
        """Go on holding a lease; False when it ran out and somebody else has it."""
        ...

    async def settle(self, delivery: Delivery, until: str) -> bool:
        """Keep what came of trying a leased delivery; False when the lease ran out and somebody else has it."""
        ...

    async def replay(self, notice_id: str, now: str) -> bool:
        """Try a dead delivery anew; False when there is no dead one of that id."""
        ...

    async def replay_all(self, provider: str, now: str) -> int:
        """Try all dead deliveries of a provider anew; return how many."""
        ...

    async def count_dead(self, provider: str) -> int:
        """Return how many deliveries to the provider are dead."""
        ...

    async def find(self, notice_id: str) -> Delivery | None:
        """Return the delivery, or None when there is none of that id."""
        ...

    async def list_newest(
        self, provider: str | None, state: DeliveryState | None, after: tuple[str, str] | None, limit: int
    ) -> list[Delivery]:
        """Return deliveries, newest first, those after (`created_at`, `id`)."""
        ...

    async def backlog(self) -> tuple[int, str | None]:
        """Return how many deliveries wait, and since when the oldest does."""
        ...

    async def is_awaited(self, provider: str) -> bool:
        """Return whether something waits to be sent to the provider."""
        ...


class ApplicationStates(Protocol):
    """Tells whether an application still waits for its provider."""

    async def is_dispatched(self, resource_id: str, application_id: str, attempt: int) -> bool:
        """Return whether the application is dispatched, in that attempt."""
        ...


class Sender(Protocol):
    """Sends one notice to one provider, once."""

    async def send(self, provider: Endpoint, notice: Notice, now: datetime) -> Sent:
        """Send and return what came of it; whatever the network does is an outcome, not an error."""
        ...


class UrlPolicy(Protocol):
    """Which URLs may be called at all."""

    def target(self, url: str) -> Any:
        """Take the URL apart; raise `SourceForbiddenError` for one that may never be called."""


class PatchStore(Protocol):
    """Keeps recorded patches, which never change."""

    async def insert(self, patch: Patch, recorded: Move) -> None:
        """Keep a new patch with its first event; raise `PatchExistsError` where the id is taken."""
        ...

    def companions(self, patch: Patch, recorded: Move) -> tuple[Companion, ...]:
        """Say what `insert` writes, so that it can be written together with a resource."""
        ...

    async def find(self, resource_id: str, patch_id: str) -> Patch | None:
        """Return the patch, or None when there is none of that id."""
        ...

    async def list_newest(self, resource_id: str, after: tuple[str, str] | None, limit: int) -> Batch:
        """Return patches newest first, those after (`created_at`, `patch_id`); fewer where they are very large."""
        ...

    async def find_standings(self, resource_id: str, patch_ids: list[str]) -> Mapping[str, Standing]:
        """Return where patches of a resource stand; those without an application are left out."""
        ...


class ApplicationStore(Protocol):
    """Keeps applications: one for each patch and target, which moves from state to state."""

    async def find(self, application_id: str, resource_id: str | None = None) -> Application | None:
        """Return the application, or None; `resource_id` is the resource that its patch is recorded against."""
        ...

    async def list_newest(
        self, resource_id: str, patch_id: str, after: tuple[str, str] | None, limit: int
    ) -> list[Application]:
        """Return the applications of a patch, the latest first, those after (`started_at`, `id`)."""
        ...

    async def list_overdue(self, now: str, limit: int) -> list[Application]:
        """Return dispatched applications whose deadline has passed, the longest ago first."""
        ...

    def companions(self, step: Step) -> tuple[Companion, ...]:
        """Say what a step writes, so that it can be written together with the target's next version."""
        ...

    async def commit(self, step: Step, others: Sequence[Companion] = ()) -> None:
        """Write a step that changes no resource, and other records with it: all or nothing.

        Raises `InvalidTransitionError` when another request came first, and the `conflict` of the others.
        """
        ...


class MoveStore(Protocol):
    """Reads the moves of patches and applications."""

    async def list_oldest(
        self, resource_id: str, patch_id: str, after: tuple[str, str] | None, limit: int
    ) -> list[Move]:
        """Return the moves of a patch and its applications, oldest first, those after (`at`, `id`)."""
        ...


class Eligibility(Protocol):
    """Finds the resources that a patch fits."""

    async def find_page(
        self, constraints: Sequence[Constraint], types: Sequence[str] | None, after: str, limit: int
    ) -> Page:
        """Return the next resources, by id, that satisfy every constraint; None for `types` is any type.

        A page may hold fewer than `limit` and still have a next one.
        """
        ...


class Provider(Protocol):
    """Carries patches out at once, on the resources of the types that name no other provider."""

    def plan(self, patch: Patch) -> Edit:
        """Say what is to be done to a target now.

        Raises `ApplicationFailedError` that says what is understood, for a payload that is not.
        """
        ...


class IndexStore(Protocol):
    """Makes the indexes that a type's definition asks for."""

    async def ensure_members(self, resource_type: str, members: Sequence[tuple[str, ...]]) -> None:
        """Make an index of each member's values where there is none; raise `InvalidRequestError` for too many."""
        ...


class ListedPage(NamedTuple):
    """A page of resources, and the place after which the next one begins, None where there is none."""

    resources: list[Resource]
    rest: Place | None


class ResourceLister(Protocol):
    """Lists resources of a type that are not deleted."""

    async def count(self, resource_type: str) -> int:
        """Return how many there are."""
        ...

    async def scan(self, resource_type: str, after: str | None, limit: int) -> list[Resource]:
        """Return those whose ids follow `after`, in the order of ids."""
        ...

    async def list_page(self, resource_type: str, listing: Listing, limit: int) -> ListedPage:
        """Return those that the listing asks for, in its order, with what the next page begins after.

        Raises `TooComplexError` when the database does not find them in time.
        """
        ...


class JobStore(Protocol):
    """Keeps asynchronous calls with their inputs and results, for a day, and hands each to one instance at a time."""

    async def insert(self, job: Job, texts: Mapping[str, bytes]) -> bool:
        """Keep a new job; it is durable, and can be claimed, when this returns. False: there is one of that id."""
        ...

    async def count_open(self) -> int:
        """Count the jobs that are neither finished nor cancelled."""
        ...

    async def find(self, job_id: str) -> Job | None:
        """Return the job, or None when there is none of that id."""
        ...

    async def claim(self, seconds: float) -> Job | None:
        """Take the job that has waited longest, or one whose instance has died, for so many seconds; None: no work."""
        ...

    async def renew(self, job: Job, stage: int, seconds: float) -> bool:
        """Keep a claimed job for so many seconds more, and say how far it is; False: it is no longer this claim's."""
        ...

    async def release(self, job: Job) -> None:
        """Give a claimed job back unfinished: the instance stops."""
        ...

    async def read_inputs(self, job: Job) -> dict[str, bytes]:
        """Return the texts of the inputs by their names."""
        ...

    async def succeed(self, job: Job, result: bytes, *, bounded: bool) -> bool:
        """Keep the result and finish the job; False when the claim was lost or the job cancelled."""
        ...

    async def fail(self, job: Job, failure: JobFailure) -> bool:
        """Finish the job without a result; False when the claim was lost or the job cancelled."""
        ...

    async def cancel(self, job_id: str) -> bool:
        """End a job that is not finished; False when it is, or is unknown."""
        ...

    async def read_result(self, job: Job) -> bytes | None:
        """Return the result, None when it is gone."""
        ...

    async def drop_result(self, job: Job) -> None:
        """Forget the result."""
        ...

    async def take_callback(self, job_id: str) -> str | None:
        """Return the callback of a finished job, once: whoever gets it makes the call."""
        ...


class Callbacks(Protocol):
    """Tells callers' servers that a job is over, under the guard of remote sources."""

    async def check(self, url: str) -> None:
        """Raise `SourceForbiddenError` where the guard refuses the URL."""
        ...

    async def call(self, url: str) -> int:
        """Send one GET and return the status. Raises a `SourceError`."""
        ...


class RetentionStore(Protocol):
    """Forgets old versions."""

    async def trim(self, versions: int, since: str) -> int:
        """Forget versions that are neither among the newest `versions` nor stood at `since` or later.

        0 and the empty text leave the other to decide. The newest version always stays, and some more may. Returns
        how many resources lost versions.
        """


class RolloutStore(Protocol):
    """Keeps rollouts."""

    async def insert(self, rollout: Rollout) -> None:
        """Keep a new rollout."""
        ...

    async def find(self, rollout_id: str) -> Rollout | None:
        """Return the rollout, or None when there is none of that id."""
        ...

    async def list_newest(
        self, resource_id: str, patch_id: str, after: tuple[str, str] | None, limit: int
    ) -> list[Rollout]:
        """Return the rollouts of a patch, newest first, those after (`created_at`, `id`)."""
        ...

    async def claim(self, now: str, until: str) -> Rollout | None:
        """Lease a running rollout; None when there is none to work on."""
        ...

    async def advance(self, rollout: Rollout, held: str, until: str) -> bool:
        """Keep how far a leased rollout has come and renew the lease; False when lease or state is another's."""
        ...

    async def move(self, rollout_id: str, source: RolloutState, to: RolloutState, now: str) -> bool:
        """Change the state, if it is `source`."""
        ...
