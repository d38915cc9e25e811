"""A limits file on the wire: what checking or importing one says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class LimitsFileView:
    """A limits file without mistakes. ``users`` and ``exemptions`` are counts."""

    file: str
    groups: tuple[str, ...]
    users: int
    exemptions: int
    gpus: str
    """Where GPUs come from: auto, nvml or simulated."""


@dataclass(frozen=True, kw_only=True)
class ImportedKey:
    """What became of one key of an older file: ``outcome`` is mapped, dropped or unreadable, ``text`` says how."""

    file: str
    line: int
    key: str
    outcome: str
    text: str


@dataclass(frozen=True, kw_only=True)
class ImportView:
    """An older limits file, converted: the new ``file``, and every key of the old one."""

    file: str
    keys: tuple[ImportedKey, ...]
