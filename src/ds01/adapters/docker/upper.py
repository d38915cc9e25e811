"""A container's changes, read from its writable layer.

The engine's own answer compares the whole file system with the image: seconds for an image with many packages, while a
user waits at ``retire``. Under overlay2 everything that changed lies in one folder, and so little of it that reading it
takes milliseconds. Names only: what users put there is never opened, and links are never followed.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from typing import Any

from ds01.domain.changes import Change

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
DEPTH = 200
"""Folders in folders that are looked into; what is deeper is told by the last one."""


def layers(inspected: dict[str, Any]) -> tuple[str, tuple[str, ...]] | None:
    """The writable folder and those below it, newest first; None when the engine keeps containers another way."""
    driver = inspected.get("GraphDriver") or {}
    data = driver.get("Data") or {}
    if driver.get("Name") != "overlay2" or not os.path.isdir(data.get("UpperDir") or ""):
        return None
    return data["UpperDir"], tuple((data.get("LowerDir") or "").split(":"))


def changes(upper: str, lowers: Sequence[str]) -> Iterator[Change]:
    """Every path of the writable folder, as the engine's diff would tell it, in its order.

    What runs in the container may exchange a folder for a link at any moment, so each folder is opened from the one
    above it, and never through a link.
    """
    folder = os.open(upper, _FOLDER)
    yield from _walk(folder, tuple(lowers), "", DEPTH)


def _walk(folder: int, lowers: Sequence[str], inside: str, depth: int) -> Iterator[Change]:
    """``folder`` is closed in the end; ``lowers`` are it in the layers below, as far as they show through."""
    try:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
        for entry in found:
            yield from _entry(folder, entry, lowers, f"{inside}/{entry.name}", depth)
    finally:
        os.close(folder)


def _entry(folder: int, entry: os.DirEntry[str], lowers: Sequence[str], path: str, depth: int) -> Iterator[Change]:
    facts = _facts(folder, entry.name)
    if facts is None:
        return
    if _whiteout(facts):
        yield Change(kind="D", path=path)
        return
    there, below = _below(lowers, entry.name)
    yield Change(kind="C" if there else "A", path=path)
    if stat.S_ISDIR(facts.st_mode) and depth:
        opened = _opened(folder, entry.name)
        if opened is not None:
            yield from _walk(opened, () if _opaque(opened) else below, path, depth - 1)


def _facts(folder: int, name: str) -> os.stat_result | None:
    try:
        return os.lstat(name, dir_fd=folder)
    except OSError:
        return None


def _opened(folder: int, name: str) -> int | None:
    """A folder in a folder; None when it is gone or something else by now."""
    try:
        return os.open(name, _FOLDER, dir_fd=folder)
    except OSError:
        return None


def _below(lowers: Sequence[str], name: str) -> tuple[bool, tuple[str, ...]]:
    """Whether the layers below have this name, and which folders it is there, down to the layer that hides others."""
    found: list[str] = []
    for lower in lowers:
        path = f"{lower}/{name}"
        try:
            facts = os.lstat(path)
        except OSError:
            continue
        if _whiteout(facts):
            break
        if not stat.S_ISDIR(facts.st_mode):
            return True, tuple(found)
        found.append(path)
        if _opaque(path):
            break
    return bool(found), tuple(found)


def _whiteout(facts: os.stat_result) -> bool:
    """How overlayfs says that something was deleted."""
    return stat.S_ISCHR(facts.st_mode) and facts.st_rdev == 0


def _opaque(folder: int | str) -> bool:
    """Whether overlayfs says that nothing of this folder shows through from below."""
    try:
        return os.getxattr(folder, "trusted.overlay.opaque") == b"y"
    except OSError:
        return False
