"""Which commit a project's files are: what a job is remembered with, so that its result can be made again."""

from __future__ import annotations

import subprocess

CHANGED = "+"
"""Ends a commit from which the files differed."""
_SECONDS = 5
_HEAD = "# branch.oid "


def commit(folder: str) -> str:
    """The commit of ``folder``, with ``+`` when files differ from it or are in none; ``""`` where there is no git."""
    words = ["git", "-C", folder, "status", "--porcelain=v2", "--branch", "--", ".", ":(exclude).ds01"]
    try:
        told = subprocess.run(words, capture_output=True, text=True, check=False, timeout=_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    lines = told.stdout.splitlines() if told.returncode == 0 else []
    head = next((line.removeprefix(_HEAD) for line in lines if line.startswith(_HEAD)), "")
    if not head or head.startswith("("):
        return ""
    return head + (CHANGED if any(not line.startswith("#") for line in lines) else "")
