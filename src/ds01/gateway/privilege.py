"""Giving up root: the gateway needs the engine's socket and nothing else."""

from __future__ import annotations

import os
import pwd
from pathlib import Path


def become(login: str, engine: Path) -> None:
    """Turn into ``login``, with the one supplementary group that opens the engine's socket."""
    account = pwd.getpwnam(login)
    if account.pw_uid == 0:
        raise ValueError("the gateway does not run as root")
    os.setgroups([engine.stat().st_gid])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)
