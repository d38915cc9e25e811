"""Networks: each user has one of her own, and may make a few more; no two users share one.

Every network gets a small range out of one pool of the server's: the engine's own pools end after some thirty
networks, and a range that a user chose could be the campus's, which the host would then no longer reach.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Network

from ds01.domain.errors import BAD_REQUEST, NETWORK_QUOTA, NO_ADDRESSES, Ds01Error
from ds01.domain.limits import Limits
from ds01.domain.people import Uid

OWN = "bridge"
"""What a user calls her own network, which she has without making it."""

PREFIX = 26
"""Length of the prefix of every network: 61 containers."""

LARGEST = 24
"""Of a network whose user chose its range."""


@dataclass(frozen=True, kw_only=True)
class Network:
    """One network in the ledger. ``id`` is the engine's, ``stored`` its name there, ``name`` its owner's."""

    id: str
    uid: Uid
    epoch: int
    name: str
    stored: str
    created_at: datetime


def check_networks(networks: Sequence[Network], limits: Limits) -> None:
    """Raises Ds01Error (``network.quota``) when one more would be too many. Her own does not count."""
    limit = limits.networks
    made = [network for network in networks if network.name != OWN]
    if limit is None or len(made) < limit:
        return
    source = limits.sources["networks"].source
    raise Ds01Error(
        NETWORK_QUOTA,
        f"You have {len(made)} of {limit} networks: {', '.join(sorted(network.name for network in made))}.",
        reason=f"The limit of {limit} comes from {source}.",
        hint="docker network prune",
    )


def free_range(pool: IPv4Network, taken: Iterable[IPv4Network], name: str) -> IPv4Network:
    """A range of the pool that overlaps none of ``taken``. Raises Ds01Error (``network.addresses``).

    The search begins at a place that follows from the name, so that a network that is made again has its range again.
    """
    blocks = 1 << max(0, PREFIX - pool.prefixlen)
    size = 1 << (32 - max(PREFIX, pool.prefixlen))
    held = tuple(taken)
    start = zlib.crc32(name.encode()) % blocks
    for step in range(blocks):
        first = int(pool.network_address) + (start + step) % blocks * size
        found = IPv4Network((first, max(PREFIX, pool.prefixlen)))
        if not any(found.overlaps(other) for other in held):
            return found
    raise Ds01Error(NO_ADDRESSES, f"All {blocks} address ranges for networks are in use.", hint="Tell your admin")


def checked_range(pool: IPv4Network, text: str) -> IPv4Network:
    """A range that a user chose. Raises Ds01Error when it is none, too large, or outside the pool."""
    try:
        found = IPv4Network(text)
    except ValueError as error:
        raise Ds01Error(BAD_REQUEST, f"'{text}' is no range of addresses.", hint="Leave the range out") from error
    if not found.subnet_of(pool) or found.prefixlen < LARGEST:
        raise Ds01Error(
            NO_ADDRESSES,
            f"The address range {text} is not allowed here.",
            reason=f"Networks are below {pool} and not larger than /{LARGEST}.",
            hint="Leave the range out",
        )
    return found
