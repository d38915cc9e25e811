"""The programs that the types around torch start with, run by a Python that has their packages: on a real GPU.

``DS01_EXAMPLES_PYTHON`` names it; they compute on the GPU when that Python sees one. In their images, on the CPU, they
run in ``tests/engine/projects/test_examples.py``.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.engine.projects.test_examples import TORCH, check, project, result

PYTHON = os.environ.get("DS01_EXAMPLES_PYTHON", "")


@pytest.mark.skipif(not PYTHON, reason="DS01_EXAMPLES_PYTHON names no Python with torch and the types' packages")
@pytest.mark.parametrize("kind", [*TORCH, "ml"])
def test_the_example_runs_with_its_packages(tmp_path: Path, kind: str) -> None:
    folder = project(tmp_path, kind)
    ran = subprocess.run(
        [PYTHON, "scripts/example.py"], cwd=folder, capture_output=True, text=True, check=False, timeout=300
    )
    assert ran.returncode == 0, ran.stderr
    check(kind, result(folder))
