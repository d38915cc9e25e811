"""What ``ds01 install`` wrote, and what was there before: so that all of it can be undone, also by a later version."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace

from ds01.install.machine import Found
from ds01.install.wanted import Item

SCHEMA = 1


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One path. ``before`` is what was there, None for nothing; ``mark`` tells whether it is as it was written."""

    mark: str
    before: Found | None = None
    stays: bool = False
    merged: bool = False
    once: bool = False


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """All paths, in the order in which they were written, and the accounts that were made.

    ``complete``: DS01 was installed to the end once, so there is something to keep. ``pending`` are units that were to
    start anew and have not: a later run does it, although no file changes any more.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    accounts: tuple[str, ...] = ()
    complete: bool = False
    pending: tuple[str, ...] = ()

    def without(self, *units: str) -> Manifest:
        """When these have started."""
        return replace(self, pending=tuple(unit for unit in self.pending if unit not in units))

    def finished(self) -> Manifest:
        """When everything was done."""
        return replace(self, complete=True, pending=())

    def text(self) -> str:
        """As a file."""
        return json.dumps({"schema": SCHEMA, **asdict(self)}, indent=1) + "\n"


def read(text: str) -> Manifest:
    """From a file. Raises ValueError when it is none."""
    data = json.loads(text)
    if data.get("schema") != SCHEMA:
        raise ValueError(f"it was written by another version of DS01 (schema {data.get('schema')})")
    entries = {path: _entry(entry) for path, entry in data["entries"].items()}
    return Manifest(
        entries=entries, accounts=tuple(data["accounts"]), complete=data.get("complete", True),
        pending=tuple(data.get("pending", ())),
    )  # fmt: skip


def _entry(data: dict[str, object]) -> Entry:
    before = data.pop("before")
    found = Found(**before) if isinstance(before, dict) else None
    return Entry(before=found, **data)  # type: ignore[arg-type]


def mark(found: Found) -> str:
    """Tells one content from another."""
    kind = "folder" if found.folder else f"link {found.link}" if found.link else f"text {found.text}"
    return hashlib.sha256(kind.encode("utf-8", "surrogateescape")).hexdigest()


def as_found(item: Item) -> Found:
    """The item when it is there as wanted."""
    return Found(text=item.text, link=item.link, folder=item.folder, mode=item.mode)


def noted(known: Manifest, item: Item, there: Found | None) -> Manifest:
    """With this item, written over what is there. What was there before the first time is what counts."""
    first = known.entries.get(item.path)
    entry = Entry(
        mark=mark(as_found(item)), before=first.before if first else there, stays=item.stays, merged=item.merged,
        once=item.once,
    )  # fmt: skip
    return replace(known, entries=known.entries | {item.path: entry})
