"""What jobs come after, looked up once for a pass or an answer.

Fifty jobs may be named by each of two thousand, and be tasks of arrays of a thousand: which of them are open is known
without the disk, and of those that have ended it is only asked whether one failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ds01.domain.jobs.after import ANY, After, Standing, read
from ds01.domain.jobs.job import Job
from ds01.domain.people import Uid
from ds01.ports.ledger import Books

Open = Mapping[tuple[Uid, int], Mapping[int | None, Job]]
"""The open jobs of each number, by their index."""


class Afters:
    """As the books are when it is first asked; a job that ends later is open for it until the next pass."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._known: Open | None = None
        self._standings: dict[tuple[Uid, str], Standing] = {}
        self._names: dict[tuple[Uid, str], str] = {}

    def standing(self, uid: Uid, kept: str) -> Standing:
        """How it is with what a job of this user comes after."""
        if (uid, kept) not in self._standings:
            after = read(kept)
            failed = not after.anyhow and self._books.failed(uid, after.number, after.index)
            self._standings[uid, kept] = after.standing(going=self._going(uid, after) is not None, failed=failed)
        return self._standings[uid, kept]

    def going(self, uid: Uid, kept: str) -> bool:
        """Whether it has not ended."""
        return self._going(uid, read(kept)) is not None

    def name(self, uid: Uid, kept: str) -> str:
        """What it is called: a job, a task, or a whole array."""
        if (uid, kept) not in self._names:
            after = read(kept)
            job = self._going(uid, after) or self._books.task(uid, after.number, after.index)
            self._names[uid, kept] = _called(job, after)
        return self._names[uid, kept]

    def _going(self, uid: Uid, after: After) -> Job | None:
        """It, or a task of it, if that is open."""
        if self._known is None:
            self._known = _by_number(self._books.open_jobs())
        tasks = self._known.get((uid, after.number), {})
        return next(iter(tasks.values()), None) if after.index is None else tasks.get(after.index)


def shown(name: str, kept: str) -> str:
    """The name with how it must have ended."""
    return name + (ANY if read(kept).anyhow else "")


def _by_number(jobs: Iterable[Job]) -> Open:
    found: dict[tuple[Uid, int], dict[int | None, Job]] = {}
    for job in jobs:
        found.setdefault((job.uid, job.number), {})[job.index] = job
    return found


def _called(job: Job | None, after: After) -> str:
    if job is None:
        return f"job {after.number}"
    return job.name if after.index is not None else job.array or job.name
