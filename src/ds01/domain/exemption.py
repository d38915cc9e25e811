"""Limits an admin lifted for one user for a while, with a word and not in the limits file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from ds01.domain.limits import Exemption
from ds01.domain.people import Uid

ExemptionId = NewType("ExemptionId", str)


@dataclass(frozen=True, kw_only=True)
class GrantedExemption:
    """``keys`` are the limits that do not hold for ``login`` until ``until``; ``by`` is the admin who said so."""

    id: ExemptionId
    at: datetime
    by: Uid
    login: str
    keys: frozenset[str]
    until: datetime
    reason: str

    @property
    def lifted(self) -> Exemption:
        """As the limits know it."""
        return Exemption(
            login=self.login, keys=self.keys, until=self.until, reason=self.reason, source=f"exemption {self.id}"
        )
