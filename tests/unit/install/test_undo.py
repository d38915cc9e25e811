"""Taking off: what must not be done once something before it failed."""

from __future__ import annotations

from pathlib import Path

import pytest

from ds01.domain.errors import INSTALL_FAILED, Ds01Error
from ds01.install.undo import Attempts, clear


def fails() -> None:
    raise Ds01Error(INSTALL_FAILED, "'systemctl disable' failed.")


def test_nothing_is_cleared_below_a_daemon_that_still_runs(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    (folder / "binds").mkdir(parents=True)
    attempt = Attempts()
    attempt(fails)
    clear(str(folder), stopped=attempt.well)
    assert (folder / "binds").exists()
    with pytest.raises(Ds01Error):
        attempt.settle()


def test_otherwise_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    (folder / "binds").mkdir(parents=True)
    clear(str(folder), stopped=Attempts().well)
    assert not folder.exists()
