"""Writes to resources: queued for each resource, planned on the newest version, committed, done again if lost."""

import asyncio
import itertools
import random
import time
from collections import deque
from uuid import uuid4

from service.core.timestamp import format_timestamp
from service.errors import ConflictError, NotStorableError, OverloadedError
from service.model import Attribution, Written
from service.ports import Changing, Clock
from service.store.commits import Commits
from service.store.companions import find_conflict
from service.store.mongo import MAX_DOCUMENT_BYTES, Database
from service.store.planning import Job, Plan, make_plan
from service.store.queueing import Queues
from service.store.reads import Reads
from service.store.recent import Recent
from service.store.records import Held, Statement, absent, is_large, to_held, to_statement
from service.store.relay import Relay
from service.store.revisions import Revisions
from service.store.threads import Beside
from service.store.transactions import Transactions

_MOST_JOBS_IN_ONE_UPDATE = 100
_PATIENCE_S = 15.0
"""How long a write is planned anew while writers of other processes come first."""
_LONGEST_LOSS_S = 1.0
"""How much of this a lost commit counts for at most: it may have waited for the database to come back."""
_MOST_GUESSES = 16
_MOST_LOG_BYTES = 2 * 1024 * 1024
_MOST_DOCUMENT_BYTES = MAX_DOCUMENT_BYTES - 4 * 1024


class Writer:
    """Does the writes of one process; other processes may write to the same resources."""

    def __init__(
        self,
        database: Database,
        reads: Reads,
        revisions: Revisions,
        relay: Relay,
        clock: Clock,
        commits: Commits,
    ) -> None:
        self._database = database
        self._reads = reads
        self._revisions = revisions
        self._relay = relay
        self._kept = Recent[Held]()
        self._commits = commits
        self._transactions = Transactions(database, self._commits)
        self._clock = clock
        self._beside = Beside()
        self._queues = Queues[Job](self._work)
        self._process = uuid4().hex  # write ids are unique: random for the process, counted within it
        self._numbers = itertools.count()

    async def write(
        self,
        resource_id: str,
        resource_type: str,
        change: Changing,
        attribution: Attribution,
        *,
        is_dry: bool,
        weight: int,
    ) -> Written:
        """Queue the change and wait until it is done; see `ResourceStore.write`."""
        job = Job(
            resource_type=resource_type,
            change=change,
            attribution=attribution,
            write_id=attribution.write_id or f"{self._process}{next(self._numbers):x}",
            is_dry=is_dry,
            weight=weight,
            future=asyncio.get_running_loop().create_future(),
        )
        self._queues.put(resource_id, job)
        return await job.future

    async def _work(self, resource_id: str, queue: deque[Job]) -> None:
        while queue:
            jobs = [queue.popleft() for _ in range(min(len(queue), _MOST_JOBS_IN_ONE_UPDATE))]
            try:
                queue.extendleft(reversed(await self._do(resource_id, jobs)))
            except BaseException as error:  # noqa: BLE001 - it goes to those who wait
                for job in jobs:
                    job.resolve(error)

    async def _do(self, resource_id: str, jobs: list[Job]) -> list[Job]:
        """Do the first jobs, at least one, in one update; return those that are left for the next."""
        held = await self._take(resource_id)
        patience_s = _PATIENCE_S
        while True:
            began = time.monotonic()
            held = held or await self._load(resource_id, jobs[0].resource_type)
            jobs = await self._new(resource_id, jobs)
            if not jobs:
                return []
            weight = len(held.resource.text) + sum([job.weight for job in jobs])
            plan = await self._beside.call(weight, make_plan, held, jobs, format_timestamp(self._clock.now()))
            try:
                is_done = await self._carry_out(plan, held)
            except NotStorableError:
                if len(jobs) == 1:
                    raise
                return [*await self._do(resource_id, jobs[:1]), *jobs[1:]]  # one by one, to find whose fault it is
            if is_done:
                for job, outcome in plan.outcomes:
                    job.resolve(outcome)
                return jobs[len(plan.outcomes) :]
            patience_s -= min(time.monotonic() - began, _LONGEST_LOSS_S)
            if patience_s < 0:
                raise OverloadedError("Other writers keep coming first. Try again shortly.")
            held = None  # used up, and not the newest

    async def _take(self, resource_id: str) -> Held | None:
        """Take what is in hand.

        Who writes on a guess is always ahead of a process that must read first; so after many writes in a row the
        guess is dropped, and a pause about as long as a commit lets others have their turn.
        """
        held = self._kept.take(resource_id)
        if held is None or held.guesses < _MOST_GUESSES:
            return held
        await asyncio.sleep(random.uniform(0, 2 * held.commit_s))  # noqa: S311 - nothing is to be kept secret
        return None

    async def _carry_out(self, plan: Plan, held: Held) -> bool:
        """Commit the plan; False when it is to be made again on the resource as it stands now.

        Raises `NotStorableError` when the outcome cannot be stored.
        """
        for place, companions in plan.wished.items():
            if conflict := await find_conflict(self._database, companions):
                plan.outcomes[place] = (plan.outcomes[place][0], conflict)
        if not plan.revisions:
            return held.is_fresh  # what is seen on a guess is not told
        begins_log = self._relay.has_all(plan.resource.id, plan.base)
        statement = await self._beside.call(
            len(plan.resource.text),
            to_statement,
            plan.base,
            plan.resource,
            plan.content,
            plan.revisions,
            begins_log=begins_log,
        )
        log_bytes = 0 if begins_log else held.log_bytes
        if log_bytes > _MOST_LOG_BYTES or statement.size + log_bytes > _MOST_DOCUMENT_BYTES:
            return await self._make_room(plan, held)
        for revision in filter(is_large, plan.revisions):
            await self._revisions.keep_patches(plan.resource.id, revision)
        began = time.monotonic()
        try:
            is_done = await self._commit(plan, statement)
        except ConflictError as error:  # of a companion, which only the last job of a plan may have
            plan.outcomes[-1] = (plan.outcomes[-1][0], error)
            return held.is_fresh
        if is_done:
            self._relay.note(plan.resource.id, statement.added_bytes, begins_log=begins_log)
            commit_s = time.monotonic() - began
            log_bytes += statement.added_bytes
            after = Held(plan.resource, plan.content, log_bytes, held.guesses + 1, commit_s)
            self._kept.put(after.resource.id, after, len(after.resource.text))
        return is_done

    async def _make_room(self, plan: Plan, held: Held) -> bool:
        """Drain the log before it is added to; without a log, the jobs take too much together."""
        if held.log_bytes == 0:
            raise NotStorableError("The document with its newest changes passes the database's limit of 16 MiB.")
        if held.is_fresh:
            await self._relay.drain([plan.resource.id])
        return False

    async def _new(self, resource_id: str, jobs: list[Job]) -> list[Job]:
        """Answer the jobs that were done before, and return the others.

        This comes after the resource is loaded: what is done in between makes the commit fail.
        """
        new = []
        for job in jobs:
            done = job.attribution.write_id and await self._revisions.find_write(resource_id, job.write_id)
            resource = await self._revisions.find_version(resource_id, done.version) if done else None
            if resource:
                job.resolve(Written(resource, changed=True))
            else:
                new.append(job)
        return new

    async def _load(self, resource_id: str, resource_type: str) -> Held:
        record = await self._reads.find_record(resource_id)
        return to_held(record) if record else Held(absent(resource_id, resource_type), None, 0)

    async def _commit(self, plan: Plan, statement: Statement) -> bool:
        if plan.companions:
            return await self._transactions.commit(statement, plan.companions)
        return await self._commits.commit(statement)
