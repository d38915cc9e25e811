"""A limits file on the wire: what checking or importing one says."""

from __future__ import annotations

from ds01.domain.record import record


@record
class LimitsFileView:
    """A limits file without mistakes. ``users`` and ``exemptions`` are counts."""

    file: str
    groups: tuple[str, ...]
    users: int
    exemptions: int
    gpus: str
    """Where GPUs come from: auto, nvml or simulated."""


@record
class ImportedKey:
    """What became of one key of an older file: ``outcome`` is mapped, dropped or unreadable, ``text`` says how."""

    file: str
    line: int
    key: str
    outcome: str
    text: str


@record
class ImportView:
    """An older limits file, converted: the new ``file``, and every key of the old one."""

    file: str
    keys: tuple[ImportedKey, ...]


@record
class TermsOf:
    """What one user may have by a limits file; None is no limit. ``runtime``, ``idle`` and ``hold`` in seconds."""

    user: str
    group: str
    quota: float | None
    per_job: int | None
    runtime: float | None
    idle: float | None
    hold: float | None
    priority: int
    shares: int
    group_shares: int


@record
class TermsView:
    """What the users of a trace may have, and how the queue is run: ``age`` in seconds, ``guard`` None is never."""

    users: tuple[TermsOf, ...]
    fair: float
    age: float
    guard: float | None
