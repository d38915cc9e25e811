"""How a rule says no, and how it says what it changed.

A refusal names the rule, so that a user can look it up and an admin can count it; the docker command prints the
sentence as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

MORE = "ds01 why-refused"
"""What tells of the last refusal and its rule."""

ABSENT = "own.absent"
"""The rule of what is not there for whoever asks, which any engine would say of it."""


class RefusedError(Exception):
    """A request that may not pass: which rule, what it says, and what to do instead, in sentences."""

    def __init__(self, rule: str, what: str, advice: str = "", *, status: int = 403) -> None:
        super().__init__(what)
        self.rule = rule
        self.what = what
        self.advice = advice
        self.status = status

    @property
    def message(self) -> str:
        """The text a Docker client shows."""
        return f"{self.sentences} More: {MORE}"

    @property
    def sentences(self) -> str:
        """What it says without where more is told of it."""
        advice = f" {self.advice}" if self.advice else ""
        return f"DS01: {self.what} ({self.rule}).{advice}"


class UnrecordedError(RefusedError):
    """A refusal of which nothing is on the record: something is away, or who asks is not even heard."""

    @property
    def message(self) -> str:
        """The sentences alone: nobody could tell more."""
        return self.sentences


def not_allowed(rule: str, what: str, advice: str = "") -> RefusedError:
    """The usual refusal: ``what`` is a noun phrase."""
    return RefusedError(rule, f"{what} is not allowed here", advice)


def malformed(rule: str, what: str, advice: str = "") -> RefusedError:
    """A request that cannot be read in exactly one way."""
    return RefusedError(rule, what, advice, status=400)


def absent(kind: str, name: str) -> RefusedError:
    """Foreign or not there: the engine's own words, so that nobody can tell which."""
    return AbsentError(kind, name)


class EngineWordsError(RefusedError):
    """A refusal in the engine's own words, for what would make no sense to any engine."""

    @property
    def message(self) -> str:
        """The engine's text, without any sign of DS01."""
        return self.what


_ABSENT = {"volume": "get {name}: no such volume", "network": "network {name} not found"}
"""The engine's words where they are others."""


class AbsentError(EngineWordsError):
    """Something that is not there for this user. Reads exactly like the engine's own answer."""

    def __init__(self, kind: str, name: str) -> None:
        self.kind = kind
        self.name = name
        super().__init__(ABSENT, _ABSENT.get(kind, "No such {kind}: {name}").format(kind=kind, name=name), status=404)


@dataclass(frozen=True, kw_only=True)
class Change:
    """Something a rule changed in a request; ``told`` says whether the user gets to read it as a warning."""

    rule: str
    text: str
    told: bool = False
