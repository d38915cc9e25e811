"""What its owner is told when an admin, or the instructor of her class, acted on a container: who, what, and why."""

from __future__ import annotations


def title(who: str, office: str, did: str, name: str) -> str:
    """``carol, an admin, stopped your container thesis``."""
    return f"{who}, an {office}, {did} your container {name}"


def text(who: str, name: str, reason: str) -> str:
    """Her reason, if she gave one, and where to read what happened."""
    said = f"{who} says: {reason}" if reason else f"{who} gave no reason; ask her."
    return f"{said}\nWhat happened: ds01 why {name}"
