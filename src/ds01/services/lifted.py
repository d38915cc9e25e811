"""Exemptions that admins gave by word: laid over the limits file, and kept in the ledger.

The limits of everybody are asked for all the time and by functions that cannot wait, so what the ledger has of them is
remembered here, and read again whenever somebody changes it.
"""

from __future__ import annotations

from dataclasses import replace

from ds01.domain.exemption import GrantedExemption
from ds01.domain.settings import Settings
from ds01.ports.ledger import Ledger


class Lifted:
    """What is in force besides the file."""

    def __init__(self) -> None:
        self._given: tuple[GrantedExemption, ...] = ()
        self._made: tuple[Settings, Settings] | None = None

    async def load(self, ledger: Ledger) -> None:
        """Read them again."""
        self._given = await ledger.read(lambda books: books.granted_exemptions())
        self._made = None

    def over(self, settings: Settings) -> Settings:
        """The file with them: the same object as long as neither changes."""
        if not self._given:
            return settings
        if self._made is None or self._made[0] is not settings:
            policy = settings.policy
            exemptions = (*policy.exemptions, *(each.lifted for each in self._given))
            self._made = (settings, replace(settings, policy=replace(policy, exemptions=exemptions)))
        return self._made[1]
