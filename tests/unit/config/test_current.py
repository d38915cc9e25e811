"""The last good limits file stays in force."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from ds01.config.current import CurrentLimits
from ds01.domain.errors import Ds01Error


def write(path: Path, idle: str) -> None:
    """Replace the file as careful editors do, with a new inode."""
    new = path.with_suffix(".new")
    new.write_text(f"defaults: {{idle: {idle}}}\n")
    new.replace(path)


def idle(current: CurrentLimits) -> object:
    return current.settings.policy.defaults["idle"].value


def test_a_broken_file_is_refused_at_the_first_start(tmp_path: Path) -> None:
    write(tmp_path / "limits.yaml", "soon")
    with pytest.raises(Ds01Error) as caught:
        CurrentLimits(tmp_path / "limits.yaml")
    assert f"{tmp_path}/limits.yaml:1:18 defaults.idle: expected a duration" in caught.value.problem.reason


def test_a_broken_file_does_not_keep_ds01d_from_starting_again(tmp_path: Path) -> None:
    path, kept = tmp_path / "limits.yaml", tmp_path / "good.yaml"
    write(path, "1h")
    CurrentLimits(path, kept)
    write(path, "2h")
    assert CurrentLimits(path, kept).reload() is None
    write(path, "soon")
    again = CurrentLimits(path, kept)
    assert idle(again) == timedelta(hours=2)
    assert f"{path}:1:18 defaults.idle" in again.problem
    write(path, "3h")
    mended = again.reload()
    assert mended is not None
    assert (mended.problem, idle(again)) == ("", timedelta(hours=3))
    assert idle(CurrentLimits(path, kept)) == timedelta(hours=3)


def test_where_the_last_good_file_cannot_be_kept_it_is_in_force_all_the_same(tmp_path: Path) -> None:
    write(tmp_path / "limits.yaml", "1h")
    assert idle(CurrentLimits(tmp_path / "limits.yaml", tmp_path / "nowhere/good.yaml")) == timedelta(hours=1)


def test_a_change_is_in_force_and_a_broken_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "limits.yaml"
    write(path, "1h")
    current = CurrentLimits(path)
    assert current.reload() is None
    write(path, "2h")
    change = current.reload()
    assert change is not None
    assert change.problem == ""
    assert idle(current) == timedelta(hours=2)
    write(path, "soon")
    broken = current.reload()
    assert broken is not None
    assert f"{path}:1:18 defaults.idle" in broken.problem == current.problem
    assert idle(current) == timedelta(hours=2)
    assert current.reload() is None
    write(path, "3h")
    assert current.reload() is not None
    assert (idle(current), current.problem) == (timedelta(hours=3), "")


def test_a_file_edited_in_place_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "limits.yaml"
    write(path, "1h")
    current = CurrentLimits(path)
    path.write_text("defaults: {idle: 5h}\n")
    os.utime(path, ns=(1, 1))
    assert current.reload() is not None
    assert idle(current) == timedelta(hours=5)


def test_a_file_that_goes_away_leaves_the_last_good_one_in_force(tmp_path: Path) -> None:
    path = tmp_path / "limits.yaml"
    current = CurrentLimits(path)
    assert current.settings.source == "built-in"
    write(path, "1h")
    assert current.reload() is not None
    path.unlink()
    gone = current.reload()
    assert gone is not None
    assert "the file is gone" in gone.problem
    assert idle(current) == timedelta(hours=1)
