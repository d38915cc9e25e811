"""What reads bytes of users is fuzzed for a while, each part in a program of its own; ``dev/fuzz.py`` for longer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.effort import COMPLETE

SECONDS = 10 if COMPLETE else 2
ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.slow
@pytest.mark.parametrize("target", ["head", "chunks", "json", "create", "target"])
def test_p13_p18_nothing_is_found(target: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dev.fuzz", target, str(SECONDS), str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Done" in done.stderr
