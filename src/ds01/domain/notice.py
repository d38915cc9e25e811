"""Notices: what DS01 tells somebody by itself, how it reached her, and how she wants to be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NewType

from ds01.domain.lifecycle.case import Level, Rule
from ds01.domain.people import Uid

NoticeId = NewType("NoticeId", str)

SHAPES = ("plain", "slack", "teams", "ntfy")
"""How a webhook wants its messages."""


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One notice about one container, or about the turn of a request, whose id is ``subject`` and which its owner calls
    ``name``. ``acts_at`` is when something will happen; None: it has happened.

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
