"""The tutorial works as printed: each command in it, in order, as a new user."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from dev.promises.lab import Lab

pytestmark = [pytest.mark.e2e, pytest.mark.root, pytest.mark.engine, pytest.mark.slow]

PAGE = Path(__file__).resolve().parents[2] / "docs/tutorial/first-day.md"


def commands() -> list[str]:
    """What a reader types: the lines that begin with ``$`` in the page's console blocks."""
    blocks = re.findall(r"```console\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return [line.removeprefix("$ ") for block in blocks for line in block.splitlines() if line.startswith("$ ")]


def test_the_first_day_works_as_printed(lab: Lab) -> None:
    newcomer = lab.student("ds01-test-n")
    person = replace(newcomer.person, extra={**newcomer.person.extra, "NO_COLOR": "1"})
    assert len(commands()) > 10
    for command in commands():
        done = person.run("bash", "-c", command)
        assert done.code == 0, f"$ {command}\n{done.out}{done.err}"
    assert newcomer.workspace("thesis").joinpath("accuracy.txt").read_text() == "0.93\n"
    assert newcomer.containers() == []
