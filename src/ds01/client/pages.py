"""More than one answer of ds01d has, asked for page by page."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ds01.wire.pages import FURTHEST, ROWS
from ds01.wire.status import EventView

TYPE_CHECKING = False  # see ``client.daemon``
if TYPE_CHECKING:
    from ds01.wire.containers import ContainerView
    from ds01.wire.jobs import JobView

T = TypeVar("T")

Page = Callable[[int | None, int], tuple[T, ...]]
"""Asks for so many, from a number on: None is where the list begins."""


def first_events(page: Page[EventView], limit: int) -> tuple[EventView, ...]:
    """So many events, each page after the last event of the one before."""
    return tuple(_pages(page, limit, lambda found: found[-1].seq))


def latest_events(page: Page[EventView], limit: int) -> tuple[EventView, ...]:
    """The latest so many, the oldest first: each page is older than the one before."""
    found = _pages(lambda seq, rows: page(seq, rows)[::-1], limit, lambda found: found[-1].seq)
    return tuple(found[::-1])


def latest_jobs(page: Page[JobView], limit: int) -> tuple[JobView, ...]:
    """The latest so many jobs, in their order. One that comes meanwhile moves the others back: what is met twice is
    kept once.
    """
    if limit <= ROWS:
        return page(None, limit)
    found = _pages(page, min(limit, FURTHEST), len)
    kept = {(job.submitted_at, job.owner, job.number, -1 if job.index is None else job.index): job for job in found}
    return tuple(kept[key] for key in sorted(kept))


def all_containers(page: Page[ContainerView]) -> tuple[ContainerView, ...]:
    """All there are and were, by name; what is met twice is kept once, as it was met first."""
    found = _pages(page, FURTHEST, len)
    if len(found) < ROWS:
        return tuple(found)
    kept = {each.id: each for each in reversed(found)}
    return tuple(sorted(kept.values(), key=lambda each: (each.name, each.owner, each.created_at)))


def _pages(page: Page[T], limit: int, goes_on: Callable[[list[T]], int]) -> list[T]:
    found: list[T] = []
    where: int | None = None
    while len(found) < limit:
        wanted = min(ROWS, limit - len(found))
        more = page(where, wanted)
        found.extend(more)
        if len(more) < wanted:
            break
        where = goes_on(found)
    return found
