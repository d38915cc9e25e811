"""Volumes: files that outlive a container and belong to one user.

The engine has one namespace of volumes for everybody. A volume is stored as ``<name>._.<uid>``, so that two users of
one compose file, or VS Code's one volume ``vscode``, never meet. Whose it is, is written in the ledger.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ds01.domain.errors import VOLUME_QUOTA, Ds01Error
from ds01.domain.limits import Limits
from ds01.domain.people import Uid


@dataclass(frozen=True, kw_only=True)
class Volume:
    """One volume in the ledger. ``id`` is the engine's name, ``name`` what its owner calls it.

    ``anonymous``: nobody named it, the engine made it for a container; both names are the engine's then.
    """

    id: str
    uid: Uid
    epoch: int
    name: str
    created_at: datetime
    anonymous: bool = False


def check_volumes(have: int, more: int, limits: Limits) -> None:
    """Raises Ds01Error (``volume.quota``) when ``more`` volumes are too many for a user who has so many."""
    limit = limits.volumes
    if limit is None or not more or have + more <= limit:
        return
    source = limits.sources["volumes"].source
    raise Ds01Error(
        VOLUME_QUOTA,
        f"You have {have} of {limit} volumes" + (f", and this needs {more} more." if more > 1 else "."),
        reason=f"The limit of {limit} comes from {source}.",
        hint="docker volume prune",
    )
