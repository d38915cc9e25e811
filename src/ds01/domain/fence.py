"""The fence around users' networks: what the host's firewall says of them, whatever the engine's own rules say.

The engine keeps networks apart by rules of its own, which another engine on the same host, or an admin who reloads her
firewall, empties. These stand beside them: no user's container reaches another user's, the metadata service of a cloud,
or a service of this host. What a container reaches outside, and its own network, is untouched.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

LINK_LOCAL = IPv4Network("169.254.0.0/16")
"""Where clouds answer who a machine is and what it may do."""

_GOING_ON = "-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN"


@dataclass(frozen=True, kw_only=True)
class FencePlan:
    """``pool`` is where all networks of users are, ``networks`` those there are, ``ports`` what of the host stays open.

    ``name`` begins the names of the chains, so that two DS01 on one host do not share them.
    """

    name: str
    pool: IPv4Network
    networks: Sequence[IPv4Network]
    ports: Sequence[int]

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
        """What leads into the one chain."""
        return f"-s {self.pool} -j {self.forward}"

    @property
    def jump_input(self) -> str:
        """What leads into the other. The host may call itself by any of its addresses."""
        return f"-s {self.pool} ! -i lo -j {self.input}"

    @property
    def seal(self) -> str:
        """Tells these rules from those of another plan."""
        return hashlib.sha256("\n".join((*_forward(self), *_input(self))).encode()).hexdigest()[:16]

    @property
    def rules(self) -> dict[str, tuple[str, ...]]:
        """The rules of each chain, in order. The first of each is the seal, which does nothing."""
        seal = f"-m comment --comment {self.seal}"
        return {self.forward: (seal, *_forward(self)), self.input: (seal, *_input(self))}


def _forward(plan: FencePlan) -> tuple[str, ...]:
    within = (f"-s {each} -d {each} -j RETURN" for each in sorted(plan.networks))
    return (_GOING_ON, *within, f"-d {plan.pool} -j DROP", f"-d {LINK_LOCAL} -j DROP")


def _input(plan: FencePlan) -> tuple[str, ...]:
    """Names are looked up wherever the host says; a refusal comes at once, so that nobody waits for nothing."""
    ports = (f"-p {kind} -m {kind} --dport {port} -j RETURN" for port in plan.ports for kind in ("udp", "tcp"))
    refusal = "-j REJECT --reject-with icmp-port-unreachable"
    return (_GOING_ON, *ports, "-p icmp -m icmp --icmp-type 8 -j RETURN", refusal)
