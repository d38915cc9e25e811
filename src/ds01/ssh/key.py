"""The key that the laptop knows these connections by: one for each user, made when it is first needed."""

from __future__ import annotations

import os
from pathlib import Path

import asyncssh


def own(state: str) -> asyncssh.SSHKey:
    """The user's key below ``state``. A new one is written whole or not at all, for its owner alone."""
    path = Path(state) / "ssh_host_ed25519_key"
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{os.getpid()}")
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(asyncssh.generate_private_key("ssh-ed25519", comment="ds01").export_private_key())
        try:
            os.link(part, path)  # two at once: the first stays
        except FileExistsError:
            pass
        finally:
            part.unlink()
    return asyncssh.read_private_key(path)
