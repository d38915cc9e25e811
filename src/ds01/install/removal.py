"""What uninstalling would change, as a value: everything back as it was, and nothing of anybody's lost.

Pure, like ``plan``. What the admin changed since is hers: it stays where it is when it can, and else beside.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from ds01.install import engine_file, units
from ds01.install.machine import Engine, Found, Running
from ds01.install.manifest import Entry, Manifest, mark
from ds01.install.paths import DOCKER, GUARD


class Act(StrEnum):
    """What becomes of a path."""

    REMOVE = "remove"
    RESTORE = "restore"
    KEEP = "keep"
    """It stays, because it is the admin's by now."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One path. ``text`` is what it then has; ``aside``: what is there is kept beside first; ``why`` for people."""

    path: str
    act: Act
    why: str = ""
    found: Found | None = None
    aside: bool = False


@dataclass(frozen=True, kw_only=True)
class Removal:
    """All that would be done. ``accounts`` are removed, ``kept`` are not, because somebody is in them."""

    steps: tuple[Step, ...]
    accounts: tuple[str, ...]
    kept: tuple[str, ...]
    containerd: bool = False
    engine: Engine | None = None

    @property
    def running(self) -> tuple[tuple[Running, str], ...]:
        """Every container that runs now, DS01's first, and what becomes of it."""
        if self.engine is None:
            return ()
        there = sorted(self.engine.containers, key=lambda each: (not each.ours, each.name))
        return tuple((each, _becomes(each, goes_on=self.engine.live_restore)) for each in there)

    @property
    def stops(self) -> tuple[str, ...]:
        """Those that the engine's restart ends."""
        ended = self.engine is not None and not self.engine.live_restore
        return tuple(each.name for each, _ in self.running) if ended else ()

    @property
    def nothing(self) -> bool:
        """Whether DS01 was never installed."""
        return not self.steps


def make(
    known: Manifest, there: Mapping[str, Found], members: Mapping[str, tuple[str, ...]], engine: Engine | None = None
) -> Removal:
    """The removal. ``members`` are the people in the groups DS01 made; ``engine`` is the one that answers now."""
    made = [name for name in known.accounts if name != DOCKER]
    kept = tuple(name for name in made if members.get(name))
    return Removal(
        steps=tuple(_steps(known, there)),
        accounts=tuple(name for name in made if name not in kept),
        kept=kept,
        containerd=units.CONTAINERD_SERVICE in known.entries,
        engine=engine,
    )


def _becomes(running: Running, *, goes_on: bool) -> str:
    if running.ours and goes_on:
        return "goes on with its GPU until it ends, watched by nobody; then it does not start again on plain Docker"
    if running.ours:
        return "ends, and does not start again on plain Docker; docker cp gets its files"
    return "goes on" if goes_on else "ends, and comes back if its restart policy says so"


def _steps(known: Manifest, there: Mapping[str, Found]) -> Iterator[Step]:
    """Folders last, the innermost first: only empty ones go."""
    entries = [(path, entry) for path, entry in reversed(known.entries.items()) if not entry.stays]
    folders = [path for path, entry in entries if there.get(path, Found()).folder]
    for path, entry in entries:
        found = there.get(path)
        if path not in folders and (found is not None or entry.before is not None):
            yield _step(path, entry, found)
    for path in sorted(folders, key=len, reverse=True):
        yield Step(path=path, act=Act.REMOVE, why="when nothing else is in it")


def _step(path: str, entry: Entry, found: Found | None) -> Step:
    edited = found is not None and mark(found) != entry.mark
    if edited and entry.merged and found is not None:
        return _without_ours(path, entry, found)
    if edited and entry.once:
        return Step(path=path, act=Act.KEEP, why="you changed it: it stays")
    why = "you changed it: yours is kept beside, as .edited" if edited else ""
    if entry.before is None:
        return Step(path=path, act=Act.REMOVE, why=why, aside=edited)
    return Step(path=path, act=Act.RESTORE, why=why or "as it was before", found=entry.before, aside=edited)


def _without_ours(path: str, entry: Entry, found: Found) -> Step:
    before = entry.before.text if entry.before else None
    text = engine_file.taken_out(engine_file.text_of(found, "ds01 uninstall") or "", before, GUARD)
    why = "you changed it since: only what DS01 put in is taken out"
    if text is None:
        return Step(path=path, act=Act.REMOVE, why=why)
    return Step(path=path, act=Act.RESTORE, why=why, found=Found(text=text, mode=found.mode))
