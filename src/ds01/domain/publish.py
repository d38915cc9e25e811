"""On which addresses of the server ports of containers are published: loopback, and what an admin adds to it.

A published port goes past the host's firewall to whoever reaches the address. So nobody's is anywhere but on loopback
by itself: the limit says which other addresses there are for a user, and she names one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import AddressValueError, IPv4Address

LOOPBACK = "127.0.0.1"
EVERY = "0.0.0.0"  # noqa: S104  nothing listens here: it is compared with what was asked for
"""What stands for all addresses of the server at once."""

NONE = "loopback"
"""How no other address is written."""
ANY = "any"
"""How all of them are."""

_LONGEST = 45


def read(text: str) -> tuple[str, ...]:
    """Addresses as an admin writes them, each once. Raises ValueError with what is wrong with one, as a clause."""
    addresses = () if text == NONE else tuple(dict.fromkeys(text.split()))
    if addresses == (ANY,):
        return addresses
    for address in addresses:
        if why := _wrong(address):
            raise ValueError(f"'{address[:_LONGEST]}' {why}")
    return addresses


def allowed(address: str, given: Sequence[str]) -> bool:
    """May ports be published on this address where these are ``given``? On loopback always."""
    if address == LOOPBACK:
        return True
    return address == EVERY or not _wrong(address) if ANY in given else address in given


def other(given: Sequence[str]) -> str:
    """What there is besides loopback, in words that follow "your group may name"; empty where there is nothing."""
    return f"any IPv4 address of this server, or {EVERY} for all" if ANY in given else " or ".join(given)


def _wrong(text: str) -> str:
    """Why this is no address to publish on, in words that follow it; empty when it is one."""
    if text in (ANY, NONE):
        return "stands alone"
    if ":" in text:
        return "is no IPv4 address, and networks of users have no IPv6"
    try:
        address = IPv4Address(text)
    except AddressValueError:
        return "is no IPv4 address"
    if address.is_unspecified:
        return f"is every address: write {ANY}"
    if address.is_loopback:
        return f"is loopback, where ports are published anyway: write {NONE}, or other addresses alone"
    if address.is_multicast or address.is_reserved:
        return "is no address of one server"
    return ""
