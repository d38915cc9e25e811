"""Names of containers, networks and volumes as Docker users write them, one namespace per user.

A name that looks like a short id is refused: it would win over the id in every command somebody else types. What
the engine stores is ``<name>._.<uid>``.
"""

from __future__ import annotations

import random
import re
from collections.abc import Container, Iterable, Sequence

from ds01.domain.dockerpolicy.namepattern import NamePatterns
from ds01.domain.dockerpolicy.verdict import EngineWordsError, malformed, not_allowed

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
NETWORK_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_. -]{0,126}[A-Za-z0-9_.-])?")
"""With blanks in it, as the engine has it."""
_LIKE_AN_ID = re.compile(r"[0-9a-f]{6,64}")
_ENGINES = re.compile(r"[0-9a-f]{64}")
RESERVED_NETWORKS = ("bridge", "host", "none", "default")
_HOW = ("amber", "brave", "calm", "clever", "eager", "fair", "gentle", "glad", "happy", "keen", "kind", "lively",
        "lucid", "merry", "neat", "noble", "proud", "quick", "quiet", "ready", "sharp", "swift", "tidy", "warm",
        "wise", "witty")  # fmt: skip
_WHO = ("banach", "bohr", "curie", "darwin", "dirac", "euler", "fermat", "fermi", "franklin", "galois", "gauss",
        "germain", "goedel", "hilbert", "hopper", "hypatia", "kepler", "lamarr", "leibniz", "lovelace", "mendel",
        "newton", "noether", "pascal", "planck", "riemann", "turing", "wiles")  # fmt: skip


def container_name(text: str) -> str:
    """The name a user gave, without the slash some clients add."""
    name = text.removeprefix("/")
    if not _NAME.fullmatch(name):
        shown = text.encode("ascii", "backslashreplace").decode()
        what = f"Invalid container name ({shown}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"
        raise EngineWordsError("create.name", what, status=400)
    _check(name, "create.name", "a container's name")
    if _LIKE_AN_ID.fullmatch(name):
        raise malformed("create.name", f"'{name}' looks like an id and cannot be a name", "Choose another one.")
    return name


def network_name(text: str) -> str:
    """The name of a network to make. Those the engine has for itself are nobody's to make."""
    if not text.strip():
        raise EngineWordsError("networks.name", f"invalid name: {text}", status=400)
    _check(text, "networks.name", "a network's name", NETWORK_NAME)
    if _LIKE_AN_ID.fullmatch(text):
        raise malformed("networks.name", f"'{text}' looks like an id and cannot be a name", "Choose another one.")
    if text in RESERVED_NETWORKS:
        raise not_allowed("networks.name", f"operation on pre-defined {text} network", "Choose another name.")
    return text


def volume_name(text: str) -> str:
    """The name of a volume. 64 hex digits are a name only the engine gives."""
    _check(text, "volumes.name", "a volume's name")
    if len(text) < 2:
        raise malformed(
            "volumes.name", "volume name is too short, names should be at least two alphanumeric characters"
        )
    if _ENGINES.fullmatch(text):
        raise malformed("volumes.name", f"'{text}' looks like an id and cannot be a name", "Choose another one.")
    return text


def _check(name: str, rule: str, what: str, known: re.Pattern[str] = _NAME) -> None:
    if not known.fullmatch(name) or "._." in name:
        raise malformed(
            rule,
            f"{name!r} cannot be {what}",
            "Names have letters, digits, '_', '.' and '-', and start with a letter or digit.",
        )


class NameFilter:
    """The name filters of a list. The engine would match them with its own names, so they are applied here."""

    def __init__(self, wanted: Sequence[str]) -> None:
        self._wanted = len(wanted)
        try:
            self._patterns = NamePatterns(wanted)
        except ValueError as error:
            raise malformed("filters.name", f"The name filter {error}", "Use a part of the name.") from error

    def __bool__(self) -> bool:
        return self._wanted > 0

    def matches(self, name: str) -> bool:
        """Whether one of them fits."""
        return not self._wanted or self._patterns.find(name)

    def one_of(self, names: Iterable[str]) -> bool:
        """Whether one of them fits one of these names."""
        return any(map(self.matches, names))


def invented(choose: random.Random, taken: Container[str] = ()) -> str:
    """A name for a container nobody named, and not one that is ``taken``."""
    while True:
        name = f"{choose.choice(_HOW)}_{choose.choice(_WHO)}{choose.randrange(1000)}"
        if name not in taken:
            return name
