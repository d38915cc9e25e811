"""Every example of the help is run: those that change something with --dry-run, those that only look as they are."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from ds01.cli import tree
from ds01.cli.command import Command
from ds01.domain.errors import Exit
from tests.unit.cli.conftest import Run
from tests.unit.cli.daemon import Asked, Daemon

NOT_ALONE = {
    "container attach", "container exec", "ssh", "top", "jupyter", "tensorboard", "tunnel", "code", "admin fence down",
    "project share",
}  # fmt: skip
"""What needs somebody there, a program in a container, or more accounts than there are here."""
GO_ON = {"--watch", "--follow", "-f", "--edit"}
SERVERS = "ds01 admin limits check"
"""Reads the limits file of the machine the tests run on."""
LIMITS = "groups:\n  student:\n    gpus: {max: 2}\n"
OLD_LIMITS = "defaults:\n  max_cpus: 32\n"
FILES = {
    "old.yaml": OLD_LIMITS,
    "resource-limits.yaml": OLD_LIMITS,
    "limits.yaml": LIMITS,
    "new.yaml": LIMITS,
    "r.csv": "login\nanna\n",
    "jobs.csv": "job_id,user,submit_s,duration_s,gpus\n1,a,0,60,1\n",
    "class.csv": "booking_id,users,begin_s,duration_s,gpus\nclass,a,60,60,1\n",
    "old/thesis/train.py": "print(1)\n",
    "workspace/thesis/ds01.toml": '[project]\nname = "thesis"\n[image]\npython = ["tqdm"]\n',
}
"""What the examples name, besides what is there."""


@pytest.fixture
def desk(full: Daemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Daemon:
    """A home with the files that examples name."""
    for path, text in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    monkeypatch.chdir(tmp_path)
    return full


def words_of(example: str) -> list[str]:
    """What is typed, without ``ds01`` and what a shell does with the answer."""
    return shlex.split(re.split(r" (?:#|\||>+|&&) ", example)[0])[1:]


def runs_alone(example: str) -> bool:
    """Whether it ends by itself."""
    return (
        example != SERVERS and not GO_ON & set(example.split()) and tree.find(words_of(example)).path not in NOT_ALONE
    )


EXAMPLES = sorted({example for _, command in tree.commands() for example, _ in command.examples if runs_alone(example)})


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_taken_and_with_dry_run_it_changes_nothing(
    ds01: Run, desk: Daemon, tmp_path: Path, example: str
) -> None:
    words = words_of(example)
    found = tree.find(words)
    assert isinstance(found.entry, Command)
    names = len(words) - len(found.rest)
    before = files(tmp_path)
    ran = ds01(*words[:names], *(["--dry-run"] if found.entry.changes else []), *words[names:])
    assert ran.code != Exit.USAGE, ran.err
    assert ran.code == Exit.DONE or ran.err
    if found.entry.changes:
        assert files(tmp_path) == before
        assert [asked.path for asked in desk.asked if changes(asked)] == []


def changes(asked: Asked) -> bool:
    """Whether it asked ds01d to do something, not what it would do."""
    only_asked = asked.path.endswith("/plan") or "check_only" in {**asked.query, **(asked.body or {})}
    return asked.method != "GET" and not only_asked


def files(home: Path) -> set[Path]:
    """All there is, but for what the command line remembers for itself."""
    return {path for path in home.rglob("*") if ".state" not in path.parts}
