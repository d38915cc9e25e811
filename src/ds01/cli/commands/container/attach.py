"""``ds01 container attach``: a shell in a running container."""

from __future__ import annotations

from ds01.cli import here
from ds01.cli.call import Call
from ds01.cli.shell import enter


def run(call: Call, *, name: str | None) -> int:
    """Open the shell; its exit code."""
    return enter(call, call.client.container(here.meant(call, name)))
