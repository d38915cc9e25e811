"""A student's first week on her screen, from nothing: the page in the docs is this week, and it must be as it reads."""

from __future__ import annotations

from pathlib import Path

import pytest
from dev import week as page
from dev.promises.lab import Lab

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
    "A notebook on the laptop": ("JupyterLab runs in week.", "ssh -N -L", "/lab?token="),
    "Thursday: a run without you": ("week-1 is done.", "\n42\n"),
    "Friday: why": ("week has been running since", "you started week with GPU"),
    "Until Monday": ("Ends", "week is retired", "containers  0 (0 running)", "Stays     /home/sam/workspace/week"),
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


def test_the_page_in_the_docs_has_these_steps_in_this_order(shots: dict[str, str]) -> None:
    text = Path(page.PAGE).read_text(encoding="utf-8")
    assert [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")] == list(shots)
    typed = {
        title: [line for line in screen.splitlines() if line.startswith("$ ds01")] for title, screen in shots.items()
    }
    for title, lines in typed.items():
        for line in lines:
            assert line in text, title
