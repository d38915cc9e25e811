"""``from ds01 import connect`` is all a script needs."""

from __future__ import annotations

import subprocess
import sys

import pytest

import ds01
from ds01 import connect
from ds01.domain.errors import DAEMON_DOWN, Ds01Error


def test_connect_opens_nothing_and_uses_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DS01_SOCKET", "/elsewhere.sock")
    assert connect().socket == "/elsewhere.sock"
    assert connect("/here.sock").socket == "/here.sock"


def test_a_failure_is_a_sentence_with_a_kind() -> None:
    with pytest.raises(Ds01Error, match="ds01d does not answer") as caught:
        connect("/nonexistent.sock").status()
    assert caught.value.kind == DAEMON_DOWN
    assert "/nonexistent.sock" in caught.value.problem.reason


def test_the_client_is_loaded_when_it_is_asked_for() -> None:
    seen = "'ds01.client' in sys.modules"
    script = f"import sys, ds01; print({seen}); ds01.connect('/x'); print({seen})"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == (
        "False\nTrue\n"
    )
    with pytest.raises(AttributeError):
        _ = ds01.no_such_name
