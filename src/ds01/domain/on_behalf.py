"""What the owner of a container is told when an admin acted on it: who, what, and why in the admin's own words."""

from __future__ import annotations


def title(admin: str, did: str, name: str) -> str:
    """``carol, an admin, stopped your container thesis``."""
    return f"{admin}, an admin, {did} your container {name}"


def text(admin: str, name: str, reason: str) -> str:
    """Her reason, if she gave one, and where to read what happened."""
    said = f"{admin} says: {reason}" if reason else f"{admin} gave no reason; ask her."
    return f"{said}\nWhat happened: ds01 why {name}"
