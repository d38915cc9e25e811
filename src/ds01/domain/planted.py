"""What somebody made past DS01 and made to last: containers that the engine starts again by itself, and names of the
form that only DS01 gives.

While the gateway only watches, whoever is in the group docker is root and may make any of them. None is believed: what
the ledger does not know is nobody's. But they stay when the gateway is in force, so an admin is told of each.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ds01.domain.image import Image
from ds01.domain.own_images import is_made_by_ds01
from ds01.domain.quantity import many

_STORED = re.compile(r".+\._\.[0-9]+")
_OWN_NETWORK = re.compile(r"ds01-u[0-9]+")
MOST_TOLD = 20
"""Of those that are named in one text."""


@dataclass(frozen=True, kw_only=True)
class Planted:
    """One thing: ``kind`` is container, image, volume or network, ``why`` follows "it"."""

    kind: str
    name: str
    why: str

    @property
    def removal(self) -> str:
        """What removes it, without the program."""
        verbs = {"container": "rm --force --volumes", "image": "rmi", "volume": "volume rm", "network": "network rm"}
        return f"{verbs[self.kind]} {self.name}"


HAS_NAME = "has a name that only DS01 gives"


def planted_container(name: str, restart: str) -> Planted | None:
    """A container that the ledger does not know."""
    again = restart not in ("", "no")
    why = f"is started again by the engine ({restart})" if again else HAS_NAME if _STORED.fullmatch(name) else ""
    return Planted(kind="container", name=name, why=why) if why else None


def planted_names(image: Image) -> tuple[str, ...]:
    """Names of an image that are DS01's to give, whoever's they look like."""
    return tuple(name for name in (*image.tags, *image.pins) if is_made_by_ds01(name))


def is_planted_volume(name: str) -> bool:
    """Whether a volume that the ledger does not know has a user's name."""
    return _STORED.fullmatch(name) is not None


def is_planted_network(name: str) -> bool:
    """Whether a network that the ledger does not know has a user's name."""
    return (_STORED.fullmatch(name) or _OWN_NETWORK.fullmatch(name)) is not None


def counted(found: tuple[Planted, ...]) -> str:
    """``2 containers, 1 image``; empty for none."""
    kinds = ("container", "image", "volume", "network")
    numbers = {kind: sum(each.kind == kind for each in found) for kind in kinds}
    return ", ".join(many(number, kind) for kind, number in numbers.items() if number)


def named(found: tuple[Planted, ...]) -> str:
    """Each by its kind and name, the first of very many."""
    told = "; ".join(f"{each.kind} {each.name} {each.why}" for each in found[:MOST_TOLD])
    return f"{told}; and {len(found) - MOST_TOLD} more" if len(found) > MOST_TOLD else told
