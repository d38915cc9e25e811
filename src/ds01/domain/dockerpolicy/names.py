"""Names of containers as Docker users write them, one namespace per user.

A name that looks like a short id is refused: it would win over the id in every command somebody else types. What
the engine stores is ``<name>._.<uid>``.
"""

from __future__ import annotations

import random
import re

from ds01.domain.dockerpolicy.verdict import malformed

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_LIKE_AN_ID = re.compile(r"[0-9a-f]{6,64}")
_HOW = ("amber", "brave", "calm", "clever", "eager", "fair", "gentle", "glad", "happy", "keen", "kind", "lively",
        "lucid", "merry", "neat", "noble", "proud", "quick", "quiet", "ready", "sharp", "swift", "tidy", "warm",
        "wise", "witty")  # fmt: skip
_WHO = ("banach", "bohr", "curie", "darwin", "dirac", "euler", "fermat", "fermi", "franklin", "galois", "gauss",
        "germain", "goedel", "hilbert", "hopper", "hypatia", "kepler", "lamarr", "leibniz", "lovelace", "mendel",
        "newton", "noether", "pascal", "planck", "riemann", "turing", "wiles")  # fmt: skip


def container_name(text: str) -> str:
    """The name a user gave, without the slash some clients add."""
    name = text.removeprefix("/")
    if not _NAME.fullmatch(name) or "._." in name:
        raise malformed(
            "create.name",
            f"{text!r} cannot be a container's name",
            "Names have letters, digits, '_', '.' and '-', and start with a letter or digit.",
        )
    if _LIKE_AN_ID.fullmatch(name):
        raise malformed("create.name", f"'{name}' looks like an id and cannot be a name", "Choose another one.")
    return name


def invented(choose: random.Random) -> str:
    """A name for a container nobody named."""
    return f"{choose.choice(_HOW)}_{choose.choice(_WHO)}{choose.randrange(1000)}"
