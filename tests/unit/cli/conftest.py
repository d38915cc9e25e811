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
def ds01(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """``ds01("list", "--json")``."""

    def call(*words: str) -> Ran:
        code = run(words)
        said = capsys.readouterr()
        return Ran(code=code, out=said.out, err=said.err)

    return call
