"""``ds01 simulate``: figures for people and programs, the picture, the limits file, and what it says to mistakes."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ds01.domain.errors import Exit
from tests.unit.cli.conftest import Run

TRACE = """job_id,user,submit_s,duration_s,gpus
a,anna,0,3600,1
b,ben,60,3600,2
c,anna,120,600,0.5
d,ben,180,7200,1
"""


@pytest.fixture
def trace(tmp_path: Path) -> str:
    file = tmp_path / "jobs.csv"
    file.write_text(TRACE)
    return str(file)


def test_the_figures_of_one_policy(ds01: Run, trace: str) -> None:
    said = ds01("simulate", "--trace", trace, "--gpus", "2", "--policy", "easy", "--json")
    assert said.code == 0
    (view,) = json.loads(said.out)
    assert (view["policy"], view["jobs"], view["users"], view["whole_server_longest"]) == ("easy", 4, 2, 3540)
    assert [one["user"] for one in view["by_user"]] == ["anna", "ben"]


def test_all_policies_side_by_side(ds01: Run, trace: str) -> None:
    said = ds01("simulate", "--trace", trace, "--gpus", "2", "--compare")
    assert said.code == 0
    assert [line.split()[0] for line in said.out.splitlines()[3:7]] == ["fifo", "fifo-skip", "easy", "fairshare"]
    assert "GPU 1" in said.out
    plain = ds01("simulate", "--trace", trace, "--gpus", "2", "--plain")
    assert "GPU 1" not in plain.out


def test_the_picture_is_an_svg_of_every_run_and_every_user(ds01: Run, trace: str, tmp_path: Path) -> None:
    file = tmp_path / "queue.svg"
    assert ds01("simulate", "--trace", trace, "--gpus", "2", "--svg", str(file)).code == 0
    root = ElementTree.parse(file).getroot()
    titles = [title.text for title in root.iter("{http://www.w3.org/2000/svg}title")]
    assert sorted(title for title in titles if title and " of " in title) == [
        "a of anna: 1 GPU", "b of ben: 2 GPU", "b of ben: 2 GPU", "c of anna: 0.5 GPU", "d of ben: 1 GPU",
    ]  # fmt: skip
    refused = ds01("simulate", "--trace", trace, "--gpus", "2", "--svg", str(tmp_path / "no" / "queue.svg"))
    assert refused.code == Exit.USAGE
    assert "cannot be written" in refused.err


def test_a_limits_file_is_kept_to(ds01: Run, trace: str, tmp_path: Path) -> None:
    limits = tmp_path / "limits.yaml"
    limits.write_text("defaults:\n  gpus: {max: 1}\n  runtime: 30m\nusers:\n  ben:\n    gpus: {per_container: null}\n")
    said = ds01("simulate", "--trace", trace, "--gpus", "2", "--limits", str(limits), "--json")
    assert said.code == 0, said.err
    (view,) = json.loads(said.out)
    assert (view["refused"], view["cut"]) == (1, 2)
    limits.write_text("defaults:\n  gpus: {mux: 1}\n")
    said = ds01("simulate", "--trace", trace, "--gpus", "2", "--limits", str(limits))
    assert said.code == Exit.USAGE
    assert "limits.yaml:2" in said.err


BOOKINGS = """booking_id,users,begin_s,duration_s,gpus
class,ben carl,3600,7200,2
"""


def test_bookings_are_kept_and_what_came_of_them_is_told(ds01: Run, trace: str, tmp_path: Path) -> None:
    """Ben's run for both GPUs has the first hour, his other one half of the second, until the booking ends."""
    file = tmp_path / "bookings.csv"
    file.write_text(BOOKINGS)
    words = ("simulate", "--trace", trace, "--gpus", "2", "--policy", "easy", "--bookings", str(file))
    (view,) = json.loads(ds01(*words, "--json").out)
    assert view["booked"] == {
        "dates": 1, "gpu_seconds": 14400.0, "used": 0.75, "back": 2700 / 14400, "jobs": 2,
        "wait_mean": (3540 + 7020) / 2, "absent": 1,
    }  # fmt: skip
    assert view["cut"] == 1
    assert "1 booking, 4 GPU hours: 75% used, 19% back unclaimed." in ds01(*words).out
    said = ds01(*words, "--svg", str(tmp_path / "queue.svg"))
    assert "Of those with a booking, 1 had no job." in said.out
    assert (tmp_path / "queue.svg").read_text().count("<title>class: booked</title>") == 2
    (without,) = json.loads(ds01(*words[:-2], "--json").out)
    assert without["booked"] is None


def test_bookings_that_cannot_be_had_are_refused(ds01: Run, trace: str, tmp_path: Path) -> None:
    file = tmp_path / "bookings.csv"
    file.write_text(BOOKINGS)
    said = ds01("simulate", "--trace", trace, "--gpus", "1", "--bookings", str(file))
    assert said.code == Exit.USAGE
    assert "class needs 2, 1h from the begin" in said.err
    file.write_text(BOOKINGS + "night,anna,0,60,1.5\n")
    said = ds01("simulate", "--trace", trace, "--gpus", "2", "--bookings", str(file))
    assert (said.code, "line 3" in said.err) == (Exit.USAGE, True)
    said = ds01("simulate", "--trace", trace, "--gpus", "2", "--bookings", str(tmp_path / "none.csv"))
    assert (said.code, "cannot be read" in said.err) == (Exit.USAGE, True)
    said = ds01("simulate", "--trace", "-", "--gpus", "2", "--bookings", "-")
    assert (said.code, "standard input" in said.err) == (Exit.USAGE, True)


def test_unix_groups_count_for_who_has_an_account_here(ds01: Run, tmp_path: Path) -> None:
    """Root may have both GPUs by her Unix group; somebody of the same group's name on no account may not."""
    jobs, limits = tmp_path / "history.csv", tmp_path / "limits.yaml"
    jobs.write_text("job_id,user,submit_s,duration_s,gpus\na,root,0,600,2\nb,nobody-here,0,600,2\n")
    staff = "groups:\n  staff:\n    unix_groups: [root]\n    gpus: {max: 2, per_container: 2}\n"
    limits.write_text("defaults:\n  gpus: {max: 1}\n" + staff)
    said = ds01("simulate", "--trace", str(jobs), "--gpus", "2", "--limits", str(limits), "--json")
    (view,) = json.loads(said.out)
    assert (view["jobs"], view["refused"]) == (1, 1)


def test_a_wrong_line_is_named(ds01: Run, trace: str) -> None:
    Path(trace).write_text(TRACE + "e,anna,soon,1,1\n")
    said = ds01("simulate", "--trace", trace, "--gpus", "2")
    assert said.code == Exit.USAGE
    assert "line 6" in said.err


def test_what_is_missing_is_asked_for(ds01: Run, trace: str) -> None:
    assert ds01("simulate", "--trace", trace).code == Exit.USAGE
    assert ds01("simulate", "--gpus", "2").code == Exit.USAGE
    assert ds01("simulate", "--trace", trace, "--gpus", "2", "--policy", "lottery").code == Exit.USAGE
