"""Run a command in this process, as the terminal would, and look at what it said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from ds01.cli.main import run


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str


@pytest.fixture
def ds01(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Ran]:
    """``ds01("list", "--json")``. A mistake of DS01's own fails the test with its details."""
    state = tmp_path_factory.mktemp("state")
    monkeypatch.setenv("XDG_STATE_HOME", str(state))

    def call(*words: str) -> Ran:
        code = run(words)
        said = capsys.readouterr()
        if "DS01 made a mistake" in said.err:
            pytest.fail("".join(log.read_text() for log in state.glob("ds01/*.log")))
        return Ran(code=code, out=said.out, err=said.err)

    return call
