"""Comparing: obtain the inputs, find the patch, keep a record on request."""

import hashlib
from collections.abc import Mapping

import msgspec

from service.core.options import DiffOptions
from service.core.timestamp import format_timestamp
from service.errors import IdempotencyKeyReusedError, NotFoundError, ServiceError, TooLargeError
from service.model import Caller, Comparison, Direction, Fingerprint, Reading, Source
from service.ports import Clock, Comparer, ComparisonStore, Outcome, SourceReader
from service.tasks import together
from service.usecases.calls import id_of


class Inputs(msgspec.Struct, frozen=True):
    """The JSON texts of the two inputs of a comparison, as obtained."""

    a: bytes
    b: bytes

    def directed(self, direction: Direction) -> tuple[bytes, bytes]:
        """Return (before, after): what the patch applies to, and what it gives."""
        return (self.a, self.b) if direction == "aToB" else (self.b, self.a)


async def read_inputs(sources: Mapping[str, Source], readers: SourceReader, reading: Reading) -> dict[str, bytes]:
    """Read all inputs at once as JSON texts; the first failure cancels the others and names its input."""

    async def read(name: str, source: Source) -> bytes:
        try:
            text = await readers.read_json(source, reading)
        except ServiceError as error:
            raise error.within(name) from error.__cause__
        if len(text) > reading.max_bytes:
            raise TooLargeError(
                f"It is larger than max_input_bytes, which is {reading.max_bytes} bytes.",
                limit="max_input_bytes",
                maximum=reading.max_bytes,
            ).within(name)
        return text

    texts = await together(read(name, source) for name, source in sources.items())
    return dict(zip(sources, texts, strict=True))


async def compare(inputs: Inputs, direction: Direction, options: DiffOptions, comparer: Comparer) -> Outcome:
    """Find the patch; a fault of a document names the input as the caller called it."""
    before, after = inputs.directed(direction)
    try:
        return await comparer.compare(before, after, options)
    except ServiceError as error:
        names = ("a", "b") if direction == "aToB" else ("b", "a")
        called = dict(zip(("before", "after"), names, strict=True))
        name = error.violations[0].input
        if isinstance(name, str):
            error.within(called[name])
        raise


async def record(
    inputs: Inputs,
    direction: Direction,
    instructions: bytes,
    outcome: Outcome,
    *,
    key: str | None,
    caller: Caller,
    clock: Clock,
    store: ComparisonStore,
) -> Comparison:
    """Keep a comparison: digests and sizes of the inputs, options, patch, who and when. Not the inputs.

    With a key the same comparison again is the same record; raises `IdempotencyKeyReusedError` for another one.
    """
    comparison = Comparison(
        id=id_of(caller, key),
        a=_fingerprint(inputs.a),
        b=_fingerprint(inputs.b),
        patch_direction=direction,
        options=msgspec.Raw(instructions),
        patch=msgspec.Raw(outcome.patch),
        exact=not outcome.bounded,
        created_by=caller.name,
        created_at=format_timestamp(clock.now()),
    )
    if await store.insert(comparison):
        return comparison
    known = await find(comparison.id, caller, store)
    if _asked(known) != _asked(comparison):
        raise IdempotencyKeyReusedError
    return known


async def find(comparison_id: str, caller: Caller, store: ComparisonStore) -> Comparison:
    """Return a comparison; a caller with grants by type sees but those of their own. Raises `NotFoundError`.

    A patch holds what its inputs hold, which may be of any type.
    """
    comparison = await store.find(comparison_id)
    if comparison is None or (caller.types is not None and comparison.created_by != caller.name):
        raise NotFoundError(
            "There is no recorded comparison with this id for you. POST …/patch?store=true records one."
        )
    return comparison


def _asked(comparison: Comparison) -> tuple[object, ...]:
    return comparison.a, comparison.b, comparison.patch_direction, bytes(comparison.options)


def _fingerprint(text: bytes) -> Fingerprint:
    return Fingerprint(sha256=hashlib.sha256(text).hexdigest(), size_bytes=len(text))
