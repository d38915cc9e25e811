"""What the docs show of the product is what the product shows."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from dev import captures


@pytest.fixture(scope="module")
def day() -> tuple[str, str]:
    return captures.day()


def test_the_docs_have_the_live_view_as_it_is(day: tuple[str, str]) -> None:
    again = "python -m dev.captures"
    text = captures.MONITOR.read_text()
    assert captures.put_block(text, day[1]) == text, f"ds01 top looks different now: {again}"
    assert day[1] in text


def test_the_picture_says_the_same(day: tuple[str, str]) -> None:
    svg = ElementTree.fromstring(captures.TOP.read_text())
    shown = "".join(svg.itertext()).replace("\N{NO-BREAK SPACE}", " ")
    words = re.sub(r"\s+", "", shown)
    for line in day[1].splitlines():
        assert re.sub(r"\s+", "", line) in words, line


def test_it_fits_together(day: tuple[str, str]) -> None:
    """Who was told that it does nothing does nothing; what stopped has no memory; a line for each GPU."""
    lines = day[1].splitlines()
    (notebook,) = (line for line in lines if line.startswith("▶ notebook"))
    assert "0%" in notebook
    assert any("notebook stops at" in line for line in lines)
    (old,) = (line for line in lines if line.startswith("  old"))
    assert old.rstrip().endswith("stopped: idle for 30m")
    assert sum("A100" in line for line in lines) == 4


def test_the_month_in_the_docs_adds_up() -> None:
    """Energy by user is energy by day, and GPU hours by user are those of all."""
    text = captures.MONTH.read_text()
    users = re.findall(r"^\| (anna|ben|clara|david) \| [\d.]+h \| [\d.]+h \| ([\d.]+)h", text, re.MULTILINE)
    (everybody,) = re.findall(r"^\| all \| [\d.]+h \| [\d.]+h \| ([\d.]+)h", text, re.MULTILINE)
    assert len(users) == 4
    assert sum(float(hours) for _, hours in users) == pytest.approx(float(everybody), abs=0.3)
