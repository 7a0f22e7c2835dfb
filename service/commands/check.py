"""`patchbay check [--repair]`: looks over the whole database, says what is wrong and what to do about it."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

from service.commands.progress import Progress, make_bar
from service.core.timestamp import format_timestamp
from service.errors import StartError, StoreUnavailableError
from service.settings import Settings
from service.store.checking import SUBJECTS, Checker
from service.store.findings import Finding
from service.store.restoring import refuse_part
from service.store.session import open_client

_DRAINED_WITHIN = timedelta(minutes=1)


def check(settings: Settings, *, repairs: bool) -> int:
    """Print what is found, and a summary; return 1 when something is wrong and was not mended, else 0."""

    async def run() -> Counter[str]:
        async with open_client(settings.mongodb_uri, settings.data_dir) as client:
            await refuse_part(client, settings.mongodb_database)
            since = format_timestamp(datetime.now(UTC) - _DRAINED_WITHIN)
            return await _check(Checker(client[settings.mongodb_database], since), repairs=repairs)

    try:
        counts = asyncio.run(run())
    except StoreUnavailableError as error:
        raise StartError(f"The check broke off: {error.detail}") from error
    print(_summary(counts))
    return 1 if counts["wrong"] else 0


async def _check(checker: Checker, *, repairs: bool) -> Counter[str]:
    counts: Counter[str] = Counter()
    for subject in SUBJECTS:
        about = await checker.count(subject)
        bar = make_bar(f"checking {subject}")

        def seen(number: int, subject: str = subject, about: int = about, bar: Progress = bar) -> None:
            counts[subject] += number
            bar(counts[subject], about)

        async for finding in checker.check(subject, seen):
            counts[await _treat(finding, subject, repairs=repairs)] += 1
    return counts


async def _treat(finding: Finding, subject: str, *, repairs: bool) -> str:
    """Tell of a finding, having mended it where that is asked for; return what it counts as."""
    if repairs and finding.mend is not None and await finding.mend():
        kind = "mended"
    else:
        kind = "wrong" if finding.is_wrong else "noted"
    print(f"{kind}: {subject} {finding.subject}: {finding.what}.")
    if kind != "mended":
        print(f"    {finding.advice}")
    return kind


def _summary(counts: Counter[str]) -> str:
    looked_at = ", ".join(f"{counts[subject]:,} {subject}" for subject in SUBJECTS)
    found = ", ".join(f"{counts[kind]:,} {kind}" for kind in ("wrong", "mended", "noted") if counts[kind])
    return f"Looked at {looked_at}: {found or 'all is well'}."
