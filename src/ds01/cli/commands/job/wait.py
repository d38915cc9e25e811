"""``ds01 job wait``: until a job has ended."""

from __future__ import annotations

from ds01.cli import joblog
from ds01.cli.call import Call


def run(call: Call, *, name: str) -> int:
    """Wait; its exit code."""
    return joblog.wait(call, name)
