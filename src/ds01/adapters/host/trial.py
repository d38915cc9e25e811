"""Facts that only trying tells: what a program says of itself, what the kernel gives, what a session may open."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

_MOST_BYTES = 1 << 20
_SECONDS = 5
_TRY = (
    "import os, sys\n"
    "if sys.argv[2]:\n"
    "    open(sys.argv[2], 'w').write(str(os.getpid()))\n"
    "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
    "os.close(os.open(sys.argv[1], os.O_RDWR | os.O_NONBLOCK))\n"
)
"""Enters the cgroup, gives its rights up, opens the device. Ends with 0 when all of it worked."""


def text(path: str) -> str | None:
    """What is in a file."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read(_MOST_BYTES)
    except (OSError, ValueError):
        return None


def version_of(program: str) -> str:
    """The first numbers with dots in what ``program --version`` says."""
    found = shutil.which(program)
    if found is None:
        return ""
    try:
        said = subprocess.run([found, "--version"], capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    numbers = re.search(r"\d+(?:\.\d+)+", said.stdout + said.stderr)
    return numbers[0] if numbers else ""


def crypto_sockets() -> bool:
    """Whether such a socket can be had at all."""
    try:
        socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET).close()
    except OSError:
        return False
    return True


def has_address(address: str) -> bool:
    """Whether something could listen on it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tried:
        try:
            tried.bind((address, 0))
        except OSError:
            return False
    return True


def opens(path: str, cgroups: Path) -> bool | None:
    """Whether nobody, in the cgroup of a session, opens the device. None: it cannot be tried."""
    sessions = sorted(cgroups.glob("user.slice/user-*.slice"))
    unified = (cgroups / "cgroup.controllers").exists()
    if os.geteuid() != 0 or not os.path.exists(path) or (unified and not sessions):
        return None
    if not unified:
        return _try(path, "")
    place = sessions[0] / f"ds01-try-{os.getpid()}"
    try:
        place.mkdir()
        return _try(path, str(place / "cgroup.procs"))
    except OSError:
        return None
    finally:
        with contextlib.suppress(OSError):
            place.rmdir()


def _try(path: str, procs: str) -> bool | None:
    try:
        done = subprocess.run(
            [sys.executable, "-IS", "-c", _TRY, path, procs], capture_output=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.returncode == 0
