"""Finding the jobs somebody means: one, or all tasks of an array."""

from __future__ import annotations

from ds01.domain.jobs.job import Job
from ds01.ports.ledger import Books
from ds01.services.caller import Caller
from ds01.services.jobs.submit import unknown


def find(books: Books, caller: Caller, name: str) -> tuple[Job, ...]:
    """The caller's latest of this name. Raises Ds01Error (``job.unknown``) with the name that may be meant."""
    found = tuple(job for job in books.called(caller.uid, name) if job.epoch == caller.epoch)
    if not found:
        raise unknown(books, caller, name)
    return found
