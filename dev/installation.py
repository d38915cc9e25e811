"""Which Python runs DS01 for everybody: the checkout's own where every account may read it, else one in the state
directory. A checkout below /root, or an interpreter that lives there, is nothing an ordinary user can run.
"""

from __future__ import annotations

import hashlib
import stat
import subprocess
import sys
from pathlib import Path

import ds01
from dev import uv

CHECKOUT = Path(__file__).resolve().parent.parent
SYSTEM_PYTHON = Path("/usr/bin/python3")


class InstallationError(Exception):
    """No Python that everybody may run; the message is a sentence."""


def python(state: Path) -> Path:
    """A Python with DS01 in it that every account of this machine can run."""
    own = Path(sys.executable)
    if for_everybody(own) and for_everybody(Path(ds01.__file__)):
        return own
    return _installed(state / "python")


def for_everybody(path: Path) -> bool:
    """Whether any account can reach and read this file: checked along the path as written and as it resolves."""
    if not path.exists():
        return False
    readable = bool(path.stat().st_mode & stat.S_IROTH)
    return readable and all(_open(folder) for start in (path, path.resolve()) for folder in start.parents)


def _open(folder: Path) -> bool:
    return bool(folder.stat().st_mode & stat.S_IXOTH)


def _installed(folder: Path) -> Path:
    """An environment of its own, kept until the source or the lock changes."""
    stamp = folder / ".source"
    now = source()
    if not (stamp.exists() and stamp.read_text() == now):
        _sync(folder)
        stamp.write_text(now)
    return folder / "bin/python"


def _sync(folder: Path) -> None:
    if not for_everybody(SYSTEM_PYTHON):
        raise InstallationError(
            f"{sys.executable} cannot be run by other accounts, and there is no {SYSTEM_PYTHON} instead; "
            "move the checkout out of the private folder, or install python3 from the distribution."
        )
    print("installing DS01 where every account can run it", file=sys.stderr, flush=True)
    command = [
        uv.program(), "sync", "--quiet", "--frozen", "--no-dev", "--no-editable", "--compile-bytecode",
        "--reinstall-package", "ds01", "--python", str(SYSTEM_PYTHON),
    ]  # fmt: skip
    environment = uv.environment() | {"UV_PROJECT_ENVIRONMENT": str(folder)}
    done = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise InstallationError(f"DS01 could not be installed into {folder}: {done.stderr.strip()}")


def source() -> str:
    """What the environment was made from: the lock, and every source file with its size and time."""
    files = sorted(CHECKOUT.glob("src/ds01/**/*"))
    facts = [f"{file.relative_to(CHECKOUT)} {s.st_size} {s.st_mtime_ns}" for file in files if (s := file.stat())]
    kept = [line for line in facts if "__pycache__" not in line]
    return hashlib.sha256("\n".join([*kept, (CHECKOUT / "uv.lock").read_text()]).encode()).hexdigest()
