"""The fence around users' networks: what the host's firewall says of them, whatever the engine's own rules say.

The engine keeps networks apart by rules of its own, which another engine on the same host, or an admin who reloads her
firewall, empties. These stand beside them: no user's container reaches another user's, the metadata service of a cloud,
or a service of this host. What a container reaches outside, and its own network, is untouched.

Who sends a packet says the bridge it comes through, not the address in it: what comes through a user's bridge with an
address of elsewhere is dropped first. Users' networks have no IPv6, so nothing of it leaves their bridges.

The engine's default bridge is fenced as well: BuildKit's steps are on it, whoever's they are, so nothing on it reaches
anything else there. Its IPv6, where an admin gave it some, goes out like the rest.

What comes from outside comes by a published port, and is sent on to a container by the engine. Who sends to the own
address of a container instead, as a neighbour of this server can, would find what is published on loopback alone:
engines before 28 let that in.

Every rule that stops something says whose: were the rules before it taken away, the host is still reached by others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network

LINK_LOCAL = IPv4Network("169.254.0.0/16")
"""Where clouds answer who a machine is and what it may do."""

METADATA_6 = IPv6Network("fd00:ec2::/32")
"""Where one of them answers the same by IPv6."""

BRIDGES = "br-"
"""How the engine begins the name of a network's bridge, before the first twelve letters of the network's id."""

_GOING_ON = "-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN"
_PING = "-p icmp -m icmp --icmp-type 8 -j RETURN"
_NEIGHBOURS_6 = (128, 135, 136)
"""Of ICMPv6: ping, and the two kinds without which nobody finds the way out."""


class BridgeRule(StrEnum):
    """What becomes of the engine's default bridge: fenced like users' networks, or as the engine leaves it."""

    CLOSED = "closed"
    OPEN = "open"


@dataclass(frozen=True, kw_only=True, order=True)
class Bridge:
    """A network: its addresses, and the interface through which the host meets it."""

    range: IPv4Network
    interface: str


def interface(network: str) -> str:
    """The interface of the network with this id."""
    return f"{BRIDGES}{network[:12]}"


@dataclass(frozen=True, kw_only=True)
class FencePlan:
    """``pool`` is where all networks of users are, ``networks`` those there are, ``ports`` what of the host stays open.

    ``name`` begins the names of the chains, so that two DS01 on one host do not share them. ``default`` is the engine's
    default bridge, None where there is none or it is left open.
    """

    name: str
    pool: IPv4Network
    networks: Sequence[Bridge]
    ports: Sequence[int]
    default: Bridge | None = None

    @property
    def forward(self) -> str:
        """The chain of what goes through the host."""
        return f"{self.name}-FWD"

    @property
    def input(self) -> str:
        """The chain of what goes to the host."""
        return f"{self.name}-IN"

    @property
    def jump_forward(self) -> str:
        """What leads into the one chain: everything. Its rules say what is of users."""
        return f"-j {self.forward}"

    @property
    def jump_input(self) -> str:
        """What leads into the other. The host may call itself by any of its addresses."""
        return f"! -i lo -j {self.input}"

    @property
    def rules(self) -> Mapping[str, tuple[str, ...]]:
        """The rules of each chain, in order. The first of each is the seal, which does nothing."""
        return self._sealed(_forward(self), _input(self))

    @property
    def rules_6(self) -> Mapping[str, tuple[str, ...]]:
        """The same for IPv6."""
        return self._sealed(_forward_6(self), _input_6(self))

    def _sealed(self, forward: Sequence[str], to_host: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        seal = f"-m comment --comment {seal_of((*forward, *to_host))}"
        return {self.forward: (seal, *forward), self.input: (seal, *to_host)}


def seal_of(rules: Sequence[str]) -> str:
    """Tells these rules from those of another plan."""
    return hashlib.sha256("\n".join(rules).encode()).hexdigest()[:16]


def _of_users(plan: FencePlan) -> tuple[str, ...]:
    """What lets all else pass, and of users' only what says truly where it comes from."""
    forged = (_forged(each) for each in sorted(plan.networks))
    return (f"! -s {plan.pool} ! -i {BRIDGES}+ -j RETURN", *forged, f"! -s {plan.pool} -j RETURN")


def _forward(plan: FencePlan) -> tuple[str, ...]:
    within = (f"-s {each.range} -d {each.range} -j RETURN" for each in sorted(plan.networks))
    to_default = (f"-o {plan.default.interface} -j DROP",) if plan.default else ()
    closed = (f"-d {plan.pool} -j DROP", f"-d {LINK_LOCAL} -j DROP")
    stopped = (f"-s {plan.pool} {rule}" for rule in (*closed, *to_default))
    return (*_default_forward(plan, closed), _from_outside(plan), *_of_users(plan), _GOING_ON, *within, *stopped)


def _from_outside(plan: FencePlan) -> str:
    """What nobody of users' sent, goes to one of them, and came by no published port."""
    return f"-d {plan.pool} ! -i {BRIDGES}+ -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP"


def _default_forward(plan: FencePlan, closed: Sequence[str]) -> tuple[str, ...]:
    """What comes from the engine's default bridge: the way out, and nothing else."""
    if plan.default is None:
        return ()
    beside = f"-o {plan.default.interface} -j DROP"
    return (_forged(plan.default), *_from(plan.default, (beside, _GOING_ON, *closed, "-j RETURN")))


def _input(plan: FencePlan) -> tuple[str, ...]:
    """Names are looked up wherever the host says; a refusal comes at once, so that nobody waits for nothing."""
    allowed, refusal = (_GOING_ON, *_open_ports(plan), _PING), "-j REJECT --reject-with icmp-port-unreachable"
    default = (_forged(plan.default), *_from(plan.default, (*allowed, refusal))) if plan.default else ()
    return (*default, *_of_users(plan), *allowed, f"-s {plan.pool} {refusal}")


def _open_ports(plan: FencePlan) -> tuple[str, ...]:
    return tuple(f"-p {kind} -m {kind} --dport {port} -j RETURN" for port in plan.ports for kind in ("udp", "tcp"))


def _forged(bridge: Bridge) -> str:
    return f"! -s {bridge.range} -i {bridge.interface} -j DROP"


def _from(bridge: Bridge, rules: Sequence[str]) -> tuple[str, ...]:
    """The same rules for what comes through this bridge."""
    return tuple(f"-i {bridge.interface} {rule}" for rule in rules)


def _forward_6(plan: FencePlan) -> tuple[str, ...]:
    rules = ((f"-i {each.interface} -o {each.interface} -j RETURN", f"-i {each.interface} -j DROP")
             for each in sorted(plan.networks))  # fmt: skip
    return (*_default_forward_6(plan), *(rule for pair in rules for rule in pair))


def _default_forward_6(plan: FencePlan) -> tuple[str, ...]:
    if plan.default is None:
        return ()
    return _from(plan.default, (f"-o {plan.default.interface} -j DROP", f"-d {METADATA_6} -j DROP"))


def _input_6(plan: FencePlan) -> tuple[str, ...]:
    """A bridge has an address of its own here, by which everything that listens on ``[::]`` would be reached."""
    return (*_default_input_6(plan), *(f"-i {each.interface} -j DROP" for each in sorted(plan.networks)))


def _default_input_6(plan: FencePlan) -> tuple[str, ...]:
    if plan.default is None:
        return ()
    kinds = (f"-p ipv6-icmp -m icmp6 --icmpv6-type {kind} -j RETURN" for kind in _NEIGHBOURS_6)
    return _from(plan.default, (_GOING_ON, *_open_ports(plan), *kinds, "-j DROP"))
