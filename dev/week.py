"""Writes docs/tutorial/a-week.md: a student's week, played on a stack of its own, with what she saw.

python -m dev.week        as root; a few minutes
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from dev import stack
from dev.promises import browser, week
from dev.promises.lab import Lab, close_lab, open_lab
from dev.promises.screen import Screen

PAGE = Path(__file__).resolve().parent.parent / "docs/tutorial/a-week.md"
HEAD = """\
# A week

What a student types in her first week, and what she sees. The screens are real: a test plays this week on every change
of DS01 (`tests/e2e/test_week.py`), and `python -m dev.week` wrote this page. [Your first day](first-day.md) explains
each step.
"""


def page(shots: Iterable[week.Shot]) -> str:
    """The page with these screens."""
    parts = [f"\n## {shot.title}\n\n{shot.text}\n\n```\n{week.without_secrets(shot.screen)}\n```\n" for shot in shots]
    return "".join([HEAD, *parts])


def public_key(folder: Path) -> str:
    """A laptop's public key, made for the occasion."""
    subprocess.run(["ssh-keygen", "-q", "-N", "", "-t", "ed25519", "-C", "laptop", "-f", folder / "key"], check=True)
    return (folder / "key.pub").read_text().strip()


def played(lab: Lab, folder: Path) -> list[week.Shot]:
    """All screens of the week, of an account that had nothing before."""
    student = lab.student("sam")
    screen = Screen(student.person, str(student.commands))
    try:
        return list(week.play(screen, key=public_key(folder), opens=lambda seen: browser.opens(student, seen)))
    finally:
        screen.ends()
        student.retires_all()


def main() -> int:
    """Play and write."""
    with tempfile.TemporaryDirectory(prefix="ds01week", dir="/var/tmp", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        state = f"{name}/s"
        try:
            lab = open_lab(stack.up(state, own_engine=True), "ds01-week-a", "ds01-week-b")
            PAGE.write_text(page(played(lab, Path(name))))
            close_lab(lab)
        finally:
            stack.down(state)
    print(f"wrote {PAGE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
