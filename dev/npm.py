"""Programs of npm's registry that tests use as clients, each kept below the cache once it was fetched."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from dev import base


def available() -> bool:
    """Whether one could be fetched and run."""
    return all(shutil.which(name) for name in ("node", "npm"))


def kept(name: str, begin: Callable[[Path], None], *words: str) -> Path:
    """The folder with what ``npm`` installs with these words where ``begin`` has put what it reads; fetched now if it
    never was. Raises RuntimeError when it cannot be.
    """
    place = base.cache() / name
    with base.alone(base.cache() / f"{name}.lock"):
        if not place.exists():
            part = place.with_name(f"{name}.part")
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            begin(part)
            _run(part, *words)
            part.chmod(0o755)
            part.rename(place)
    return place


def _run(folder: Path, *words: str) -> None:
    wanted = ["npm", *words, "--prefix", str(folder), "--no-audit", "--no-fund"]
    done = subprocess.run(wanted, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{folder.stem} cannot be fetched: {done.stderr.strip()[-500:]}")
