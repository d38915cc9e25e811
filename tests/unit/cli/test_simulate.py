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
