"""Every field of every form takes no answer that cannot be right, and asks again with a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ds01.cli import tree
from ds01.cli.command import Argument, Command, Option
from ds01.cli.fields import taken_by
from ds01.wire.images import BaseView, BuildSettings
from tests.unit.cli import values
from tests.unit.cli.daemon import Daemon
from tests.unit.cli.terminal import at_a_terminal

FORMS = [path for path, command in tree.commands() if any(step.asks for step in command.guide)]
BAD = {
    "address": "not an address", "apt": "Git_LFS", "base": "dta", "build": "a b", "count": "none", "gpus": "many",
    "kind": "dta", "later": "soon", "line": "a\x07b", "login": "a b", "mail": "nowhere", "moment": "soon",
    "month": "2026-13", "name": "My Thesis", "number": "many", "package": "pandas = 2", "path": "a\x07b",
    "place": "/no/such/folder/file", "port": "70000", "present": "/no/such/file", "public_key": "ssh-ed25519 AAAA",
    "seconds": "long", "shell": "csh", "somebody": "no-such-login", "when": "soonish",
}  # fmt: skip
"""By how it is read, or looked at."""

GOOD = {
    "container": "thesis", "project": "thesis", "built": "thesis", "launch": "thesis", "image": "thesis",
    "job": "thesis-1", "ending": "exp", "booking": "weekly", "class": "ml101", "limit": "idle", "gpu": "0",
    "shell": "bash", "path": "thesis:/tmp/a", "file": __file__, "address": "https://example.org/a.git", "name": "paper",
    "gpus": "1", "port": "8501", "login": "anna",
}  # fmt: skip
"""By what Tab offers, or how it is read; for what has to be answered."""


def good_for(command: Command, taker: Argument | Option) -> str:
    """An answer that will do: Enter, where that is enough and nothing rests on it."""
    rested_on = taker.name in {step.after for step in command.guide}
    if not rested_on and (isinstance(taker, Option) or not taker.required):
        return ""
    return GOOD.get(taker.complete) or GOOD.get(taker.reads) or "word"


def bad_for(taker: Argument | Option) -> str:
    """An answer that can be told to be wrong."""
    if isinstance(taker, Option) and not taker.value:
        return "maybe"
    if known := BAD.get(taker.looks) or BAD.get(taker.reads):
        return known
    if (isinstance(taker, Option) and taker.choices) or taker.complete:
        return "dta"
    return "'not closed" if isinstance(taker, Argument) and (taker.many or taker.rest) else ""


@pytest.fixture
def full(daemon: Daemon, tmp_path: Path) -> Daemon:
    """A server where there is one of everything, and a project."""
    base = BaseView(name="minimal", reference="ds01/minimal:latest", digest="", description="Debian")
    daemon.have(values.container("thesis"))
    found: dict[str, Any] = {
        "/v1/images/settings": BuildSettings(bases=(base,)),
        "/v1/images": [{"reference": "ds01-1/thesis:latest", "project": "thesis"}],
        "/v1/queue": {"places": [{"name": "exp", "state": "waiting"}]},
        "/v1/bookings": {"bookings": [{"name": "weekly", "asked": "1 GPU", "kind": "user"}]},
        "/v1/classes": [{"name": "ml101", "asked": "1 GPU"}],
        "/v1/jobs": [{"name": "thesis-1", "state": "queued", "array": ""}],
        "/v1/gpus": values.gpus(values.slot("0")),
    }
    daemon.answers |= {("GET", path): answer for path, answer in found.items()}
    folder = tmp_path / "workspace/thesis"
    folder.mkdir(parents=True)
    (folder / "ds01.toml").write_text('[project]\nname = "thesis"\n')
    (tmp_path / ".state/ds01").mkdir(parents=True)
    (tmp_path / ".state/ds01/level").write_text("used\n")
    return daemon


@pytest.mark.parametrize("path", FORMS)
def test_a_field_asks_again_for_what_cannot_be(full: Daemon, tmp_path: Path, path: str) -> None:
    command = tree.load(path)
    assert isinstance(command, Command)
    takers = [taken_by(command, step.asks) for step in command.guide if step.asks]
    typed = "".join(f"{bad_for(taker)}\n{good_for(command, taker)}\n" for taker in takers)
    code, said = at_a_terminal(full, tmp_path, "true", *path.split(), "--guided", answers=f"{typed}n\n")
    assert "Do it now?" in said
    assert said.count("! ") == len(takers), said
    assert code == 0
