"""Comparing and what is kept of it: comparisons, jobs of the family."""

from collections.abc import Callable, Mapping
from typing import Protocol

from service.core.assignment import AnyAssignment, Product
from service.core.options import DiffOptions
from service.model import Comparison, Job, JobFailure, Owed


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


class Computer(Comparer, Runner, Protocol):
    """Does both."""


class ComparisonStore(Protocol):
    """Keeps comparisons on request."""

    async def insert(self, comparison: Comparison) -> bool:
        """Keep a new comparison; it is durable when this returns. False: there is one of that id."""
        ...

    async def find(self, comparison_id: str) -> Comparison | None:
        """Return the comparison, or None when there is none of that id."""
        ...


class JobStore(Protocol):
    """Keeps asynchronous calls with their inputs and results, for a day, and hands each to one instance at a time."""

    async def insert(self, job: Job, texts: Mapping[str, bytes]) -> bool:
        """Keep a new job; it is durable, and can be claimed, when this returns. False: there is one of that id."""
        ...

    async def count_open(self) -> int:
        """Count the jobs that are neither finished nor cancelled."""
        ...

    async def backlog(self) -> tuple[int, str | None]:
        """Return how many jobs wait to be begun, and since when the oldest does."""
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
        """Return the texts of the inputs by their names. Raises `GoneError` where one is kept no more."""
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

    async def drop_result(self, job: Job) -> bool:
        """Forget the result; False when it is gone already."""
        ...

    async def take_callback(self, full: list[str]) -> Owed | None:
        """Give out the callback owed longest, but to no server in `full`. Once: whoever gets it makes the call."""
        ...


class Callbacks(Protocol):
    """Tells callers' servers that a job is over, under the guard of remote sources."""

    async def check(self, url: str) -> None:
        """Raise `SourceForbiddenError` where the guard refuses the URL."""
        ...

    async def call(self, url: str) -> int:
        """Send one GET and return the status. Raises a `SourceError`."""
        ...
