"""A way to reach somebody: one Protocol for terminals, shells, files, mail and webhooks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ds01.domain.container import Container
from ds01.domain.lifecycle.case import Level
from ds01.domain.notice import Preferences
from ds01.domain.people import User


@dataclass(frozen=True, kw_only=True)
class Letter:
    """One message to one user about something of hers called ``name``: a container, or one that is not there yet
    (``container`` None). ``title`` is for who reads it at once, ``subject`` says the same to who reads it at any time.
    ``text`` may have several lines.
    """

    user: User
    name: str
    container: Container | None
    level: Level
    title: str
    subject: str
    text: str
    wishes: Preferences


class Channel(Protocol):
    """Delivers letters. ``proves`` says whether what it reached is likely to be read: a file nobody opens is not.
    ``inside``: it reaches a container, and has nowhere to bring what is about none. ``nowhere`` is what it means that
    there was nowhere to bring one, as the record of it says.
    """

    name: str
    proves: bool
    inside: bool
    nowhere: str

    async def deliver(self, letter: Letter) -> str:
        """Where it arrived (``pts/3``, an address); ``""`` when there was nowhere to bring it. Raises Ds01Error."""
        ...
