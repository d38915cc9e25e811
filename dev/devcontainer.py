"""The devcontainer command that editors use, from its own registry of packages, kept below the cache."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from dev import base

VERSION = "0.89.0"


def available() -> bool:
    """Whether it could be fetched and run."""
    return all(shutil.which(name) for name in ("node", "npm"))


def command() -> list[str]:
    """How it is called; fetched now if it never was. Raises RuntimeError when it cannot be."""
    place = base.cache() / f"devcontainer-{VERSION}"
    program = place / "node_modules/@devcontainers/cli/devcontainer.js"
    with base.alone(base.cache() / "devcontainer.lock"):
        if not program.exists():
            _fetch(place)
    return ["node", str(program)]


def _fetch(place: Path) -> None:
    part = place.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    wanted = ["npm", "install", "--prefix", str(part), "--no-audit", "--no-fund", f"@devcontainers/cli@{VERSION}"]
    done = subprocess.run(wanted, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"the devcontainer command cannot be fetched: {done.stderr.strip()[-500:]}")
    part.chmod(0o755)
    part.rename(place)
