"""JupyterLab in a container, from packages that are fetched once on this machine and kept."""

from __future__ import annotations

import shutil
import subprocess

from dev import base
from dev.promises.lab import Student


def install(student: Student, container: str, project: str) -> None:
    """By pip, as she would do it. ``project`` is the one whose folder is the container's workspace."""
    kept, wheels = base.cache() / "jupyterlab", student.workspace(project) / "wheels"
    if kept.exists():
        shutil.copytree(kept, wheels)
        subprocess.run(["chown", "-R", f"{student.uid}:{student.person.gid}", str(wheels)], check=True)
    else:
        student.inside(container, "pip download -q -d wheels jupyterlab")
        shutil.copytree(wheels, kept.with_suffix(".part"), dirs_exist_ok=True)
        kept.with_suffix(".part").rename(kept)
    student.inside(container, "pip install -q --no-index --find-links wheels jupyterlab")
