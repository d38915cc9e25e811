"""``make`` says what there is, and does nothing of it by itself."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = next(line for line in MAKEFILE.splitlines() if line.startswith(".PHONY:")).split()[1:]


@pytest.mark.parametrize("typed", [["make"], ["make", "help"]], ids=" ".join)
def test_make_alone_says_what_there_is(typed: list[str]) -> None:
    dry = subprocess.run([*typed, "-n"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "dev/make" not in dry.stdout, "starts something"
    done = subprocess.run(typed, cwd=ROOT, capture_output=True, text=True, check=True)
    block = [line.removeprefix("#").removeprefix(" ") for line in MAKEFILE.splitlines() if line.startswith("#")]
    assert done.stdout.splitlines() == block
    assert max(map(len, block)) <= 80


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_is_in_what_make_says(target: str) -> None:
    assert f"make {target}" in MAKEFILE.split("MAKEFLAGS")[0]
