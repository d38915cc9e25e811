"""A student's first week on her screen, from nothing: the page in the docs is this week, and it must be as it reads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from dev import week as page
from dev.promises.lab import Lab
from dev.promises.week import lasting

from ds01.cli.style import columns

pytestmark = [pytest.mark.e2e, pytest.mark.root, pytest.mark.engine, pytest.mark.slow]


@pytest.fixture(scope="module")
def shots(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    lab.fresh()
    lab.student("sam").shell("rm -rf ~/workspace ~/.ssh ~/.local/state/ds01")
    return {shot.title: shot.screen for shot in page.played(lab, tmp_path_factory.mktemp("key"))}


SEEN = {
    "Monday: three questions": ("may log in as you", "workspace/week is a project", "Next: ds01 launch week"),
    "A shell with a GPU": ("week is yours, with 1 GPU, simulated.", "Leave with 'exit'", "(simulated GPU) sam@week:"),
    "Home, and nothing is lost": ("+ tabulate==", "week is retired: GPU", "Stays"),
    "Tuesday: the project file changed": (
        "project file changed",
        "On top of the base: tabulate",
        "Python packages",
        "week is running, with GPU",
    ),
    "Two experiments from one image": ("exp-2 is running", "exp-2  running", "week   running"),
    "What was kept is there": ("0.93",),
    "Wednesday: a notebook": ("There is no JupyterLab in week.", "Try: ds01 image update week --add jupyterlab"),
    "The advice, followed": ("+ jupyterlab", "The image of week is built.", "week is running"),
    "A notebook on the laptop": ("JupyterLab runs in week.", "ssh -N -L", "/lab?token="),
    "Thursday: a run without you": ("week-1 is done.", "\n42\n"),
    "A second project": ("workspace/paper is a project", "Next: ds01 launch paper"),
    "Friday: why": ("week has been running since", "you started week with GPU"),
    "Until Monday": ("Ends", "week is retired", "containers  0 (0 running)", "Stays  /home/sam/workspace/week"),
}


@pytest.mark.parametrize("title", SEEN)
def test_the_screen_says_what_it_should(shots: dict[str, str], title: str) -> None:
    for text in SEEN[title]:
        assert text in shots[title]


def test_no_screen_is_too_wide_or_shows_a_trace(shots: dict[str, str]) -> None:
    assert set(shots) == set(SEEN)
    for title, screen in shots.items():
        assert max(map(columns, screen.splitlines())) <= 80, title
        assert "Traceback" not in screen, title


def test_the_page_in_the_docs_shows_these_screens_in_this_order(shots: dict[str, str]) -> None:
    text = Path(page.PAGE).read_text(encoding="utf-8")
    shown = dict(re.findall(r"^## (.+)\n(?:(?!^##|^```).*\n)+```\n((?:(?!^```).*\n)+)```", text, flags=re.MULTILINE))
    assert list(shown) == [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]
    assert list(shown) == list(shots)
    for title, seen in shots.items():
        assert lasting(seen) == lasting(shown[title]), "run 'python -m dev.week' and commit what it writes"


def test_what_passes_is_told_from_what_lasts() -> None:
    before = "✓ Python packages 1m2s\n✓ week is retired: GPU 1 is free. 4.1 s\n  ssh-ed25519 AAAAC3Nz\nab laptop"
    after = "✓ week is retired: GPU 0 is free.\n 0.2 s\n  ssh-ed25519 AAAAX laptop"
    assert lasting(before) == lasting(after)
    built = {lasting(f"✓ The image of week is built. {took}\nexp-1") for took in ("5s", "59s", "1m", "1m 2s", "1m2s")}
    assert len(built) == 1
    goes = "Frees GPU 1\nGoes 1 changed file outside the workspace:\n  /home/sam/.jupyter/migrated\nStays"
    assert lasting(goes) == lasting("Frees GPU 2\nStays")
    assert lasting("free. 0.3 s\nGone 1 changed file outside the workspace\nStays") == lasting("free. 2 s\nStays")
    assert lasting(goes.replace(".jupyter/migrated", "thesis.tex")) != lasting("Frees GPU 2\nStays")
    disk = "disk 175.7M (images 175.7M, containers 0B, volumes 0B{}) of 60G"
    assert lasting(disk.format(", build cache 6.2M")) == lasting(disk.format("")) != lasting(disk.format(", jobs 6.2M"))
    young = "NAME   STATE    GPU  BUSY\nexp-2  running  0      0%\nweek   running  1      0%\nNext"
    old = (
        "NAME   STATE    GPU  BUSY  IDLE LEFT  TIME LEFT\n"
        "exp-2  running  0      0%\nweek   running  1      0%        29m      7h59m\nNext"
    )
    assert lasting(young) == lasting(old) != lasting(old.replace("week   running", "week   paused"))
    assert lasting("week is retired") != lasting("week is removed")
