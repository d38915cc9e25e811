"""What ``make run`` tells whoever tries the product."""

from __future__ import annotations

from pathlib import Path

import pytest
from dev.run import as_user


@pytest.mark.parametrize(("there", "begins"), [("sudo", "sudo -u eve"), ("su", "runuser -u eve --")])
def test_a_second_terminal_needs_no_sudo(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, there: str, begins: str
) -> None:
    (tmp_path / there).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert as_user("eve") == begins
