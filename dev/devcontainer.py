"""The devcontainer command that editors use, from its own registry of packages."""

from __future__ import annotations

from dev import npm

VERSION = "0.89.0"
available = npm.available


def command() -> list[str]:
    """How it is called; fetched now if it never was. Raises RuntimeError when it cannot be."""
    place = npm.kept(f"devcontainer-{VERSION}", lambda _: None, "install", f"@devcontainers/cli@{VERSION}")
    return ["node", str(place / "node_modules/@devcontainers/cli/devcontainer.js")]
