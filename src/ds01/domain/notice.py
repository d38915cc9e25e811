"""Notices: what DS01 tells somebody by itself, how it reached her, and how she wants to be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import NewType

from ds01.domain.headline import coming, lasting, past
from ds01.domain.lifecycle.case import Level, Rule
from ds01.domain.people import Uid

NoticeId = NewType("NoticeId", str)

SHAPES = ("plain", "slack", "teams", "ntfy")
"""How a webhook wants its messages."""


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One notice about one container, or about the turn of a request, whose id is ``subject`` and which its owner calls
    ``name``. ``acts_at`` is when something will happen; None: it has happened. ``title`` is for ``headline`` to show:
    the moment is not in it yet.

    ``reached`` says by which channel it reached whom or what; empty: nobody yet. ``seen_at`` is when its owner met it
    in a command of hers; ``ended_at`` when it held no more.
    """

    id: NoticeId
    at: datetime
    uid: Uid
    epoch: int
    subject: str
    name: str
    rule: Rule
    level: Level
    title: str
    text: str
    acts_at: datetime | None = None
    reached: Mapping[str, str] = field(default_factory=dict)
    delivered_at: datetime | None = None
    seen_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def open(self) -> bool:
        """Whether it is still true."""
        return self.ended_at is None

    @property
    def warns(self) -> bool:
        """Whether it tells what will happen; the others tell what has happened, and stay until they are read."""
        return self.level is not Level.NOTICE

    def headline(self, now: datetime, zone: tzinfo) -> str:
        """The title for whoever reads it now: while it is still to come, with how far off that is."""
        at = self.acts_at or self.at
        shown = coming if self.open and self.acts_at is not None else past
        return shown(self.title, at, now, zone)

    def subject_line(self, zone: tzinfo) -> str:
        """The title for what is read at any time: letters, files, the record of events."""
        return lasting(self.title, self.acts_at or self.at, zone)


@dataclass(frozen=True, kw_only=True)
class Preferences:
    """How one user wants to be told. ``off`` are channels she does not want; ``mail`` is an address, ``webhook`` a URL
    with its ``shape``; empty is none.
    """

    uid: Uid
    epoch: int
    mail: str = ""
    webhook: str = ""
    shape: str = "plain"
    off: frozenset[str] = frozenset()
