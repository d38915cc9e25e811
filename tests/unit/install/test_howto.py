"""The how-to names everything that is changed on a server, and nothing else."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from ds01.install import wanted
from ds01.install.paths import PROGRAMS
from ds01.install.texts import COMPLETIONS
from tests.unit.install.values import SERVER, WISHES

PAGE = (Path(__file__).resolve().parents[3] / "docs/howto/install.md").read_text(encoding="utf-8")
TABLE = PAGE[PAGE.index("## What is changed on the machine") :]
ROWS = [line.split("|")[1] for line in TABLE.splitlines() if line.startswith("| ") and not line.startswith("| what")]


def named() -> set[str]:
    """What the first column names: whole paths, and names in the folder before them."""
    found: set[str] = set()
    for row in ROWS:
        words = re.findall(r"`([^`]+)`", row)
        folder = next((word for word in words if word.startswith("/")), "")
        found |= {word if word.startswith("/") or row.startswith((" account", " group")) else f"{folder}/{word}"
                  for word in words}  # fmt: skip
    return found


def test_every_path_and_account_is_in_the_table_and_nothing_else() -> None:
    wishes = replace(WISHES, completions=dict.fromkeys(COMPLETIONS, "script"))
    items = [item.path for item in wanted.items(SERVER, wishes, None)]
    paths = {path for path in items if not path.startswith(PROGRAMS)} | {f"{PROGRAMS}/ds01"}
    paths -= {"/etc/ds01"}  # goes without saying beside its one file
    assert named() == paths | {account.name for account in wanted.ACCOUNTS}


def test_root_reads_nothing_from_where_everybody_writes() -> None:
    for line in re.findall(r"^(?:sudo|uv) .*$", PAGE, re.MULTILINE):
        assert not re.search(r"/(?:var/)?tmp/|/dev/shm/", line), line
