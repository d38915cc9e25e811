"""uv, the checkout's own or this machine's, told to trust the authorities that this machine trusts."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from dev import base

_CHECKOUT = Path(__file__).resolve().parent.parent
PIP = ("tool", "run", "--from", "pip", "pip")
"""The words that make it run pip, which this machine's Python may lack and whose settings this machine may have."""


def program() -> str:
    """How it is called."""
    private = _CHECKOUT / ".cache/uv/bin/uv"
    return str(private) if private.exists() else (shutil.which("uv") or "uv")


def environment() -> dict[str, str]:
    """The environment it runs in: it has a list of authorities of its own unless it is told of this machine's."""
    trusted = {"SSL_CERT_FILE": str(base.host_certificates())} if base.host_certificates().exists() else {}
    return os.environ | trusted


def run(*words: str) -> str:
    """What it prints. Raises BaseError when it fails."""
    done = subprocess.run(
        [program(), *words], cwd=_CHECKOUT, env=environment(), capture_output=True, text=True, check=False
    )  # fmt: skip
    if done.returncode != 0:
        raise base.BaseError(f"uv {words[0]} failed: {done.stderr.strip()}")
    return done.stdout
