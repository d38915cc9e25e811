"""What every limits file promises, on disk or simulated: the last good one stays in force."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Protocol

import pytest

from ds01.config.current import CurrentLimits
from ds01.config.limits import read
from ds01.ports.policy import PolicyFile
from ds01.sim.policy import SimPolicy


class Admin(Protocol):
    """Who edits the file, and what ds01d makes of it."""

    @property
    def policy(self) -> PolicyFile: ...

    def write(self, idle: str) -> None:
        """Set the idle limit; ``soon`` is a mistake."""
        ...


def text(idle: str) -> str:
    return f"defaults: {{idle: {idle}}}\n"


class OnDisk:
    def __init__(self, path: Path) -> None:
        self._path = path
        self.write("1h")
        self.policy = CurrentLimits(path)

    def write(self, idle: str) -> None:
        fresh = self._path.with_suffix(".new")
        fresh.write_text(text(idle))
        fresh.replace(self._path)


class Simulated:
    def __init__(self) -> None:
        self.policy = SimPolicy(read(text("1h")))

    def write(self, idle: str) -> None:
        broken = idle == "soon"
        self.policy.change(None if broken else read(text(idle)), "expected a duration" if broken else "")


@pytest.fixture(params=["on disk", "simulated"])
def admin(request: pytest.FixtureRequest, tmp_path: Path) -> Admin:
    return OnDisk(tmp_path / "limits.yaml") if request.param == "on disk" else Simulated()


def idle(admin: Admin) -> object:
    return admin.policy.settings.policy.defaults["idle"].value


class TestPolicyFile:
    def test_what_did_not_change_is_not_news(self, admin: Admin) -> None:
        assert admin.policy.reload() is None
        assert (idle(admin), admin.policy.problem) == (timedelta(hours=1), "")

    def test_a_change_is_in_force_once_it_was_read_and_told_once(self, admin: Admin) -> None:
        admin.write("2h")
        told = admin.policy.reload()
        assert told is not None
        assert (told.problem, told.settings) == ("", admin.policy.settings)
        assert idle(admin) == timedelta(hours=2)
        assert admin.policy.reload() is None

    def test_a_mistake_changes_nothing_and_is_told_until_it_is_mended(self, admin: Admin) -> None:
        admin.write("soon")
        told = admin.policy.reload()
        assert told is not None
        assert "expected a duration" in told.problem == admin.policy.problem
        assert (idle(admin), told.settings) == (timedelta(hours=1), admin.policy.settings)
        assert admin.policy.reload() is None
        assert admin.policy.problem
        admin.write("3h")
        assert admin.policy.reload() is not None
        assert (idle(admin), admin.policy.problem) == (timedelta(hours=3), "")
