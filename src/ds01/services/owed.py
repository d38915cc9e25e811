"""The reservations that are to end and could not be ended, because the disk was full."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ds01.domain.lease import LeaseId


class Owed:
    """They live in memory: a ds01d that starts ends every reservation of a launch that was under way."""

    def __init__(self) -> None:
        self._why: dict[LeaseId, str] = {}

    def __bool__(self) -> bool:
        return bool(self._why)

    def add(self, lease: LeaseId, why: str) -> None:
        """Remember one, and why it ends."""
        self._why[lease] = why

    def all(self) -> Mapping[LeaseId, str]:
        """Every one with its reason, as of now."""
        return dict(self._why)

    def forget(self, leases: Iterable[LeaseId]) -> None:
        """These are done with."""
        for lease in leases:
            self._why.pop(lease, None)
