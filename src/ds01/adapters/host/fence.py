"""The Fence port over ``iptables``: two chains of our own, filled in one step, and a rule that leads into each.

Where the engine made its chain for such rules (``DOCKER-USER``), the one for forwarding hangs there, which is before
all of the engine's own.
"""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Sequence

from ds01.domain.errors import FENCE_FAILED, Ds01Error
from ds01.domain.fence import FencePlan

_FOR_USERS = "DOCKER-USER"
_SECONDS = 20
_TRIES = 4
_PAUSE_SECONDS = 0.5


class IptablesFence:
    """Rules of the ``filter`` table, IPv4: users' networks have no other addresses.

    One change at a time: two that fill the same chains would take each other's rules away.
    """

    def __init__(self) -> None:
        self._changing = asyncio.Lock()

    async def missing(self, plan: FencePlan) -> str:
        """Compares the seal, the number of rules, and the ways into the chains."""
        return await asyncio.to_thread(_missing, plan)

    async def put_up(self, plan: FencePlan) -> None:
        """Fill the chains, then lead into them. An engine that starts takes its own chains away for a moment, and
        with them what would lead into ours: so it is tried again before it counts as refused.
        """
        async with self._changing:
            for left in reversed(range(_TRIES)):
                try:
                    await asyncio.to_thread(_put_up, plan)
                    break
                except Ds01Error:
                    if not left:
                        raise
                    await asyncio.sleep(_PAUSE_SECONDS)

    async def take_down(self, plan: FencePlan) -> None:
        """Remove the ways in, then the chains."""
        async with self._changing:
            await asyncio.to_thread(_take_down, plan)


def _missing(plan: FencePlan) -> str:
    for chain, rules in plan.rules.items():
        standing = _listed(chain)
        if len(standing) != len(rules) or plan.seal not in standing[0]:
            return f"the rules of the chain {chain} are not as they should be"
    for chain, jump in _ways(plan).items():
        if not _leads(_listed(chain), f"-A {chain} {jump}"):
            return f"nothing leads first from {chain} into DS01's rules"
    return ""


def _leads(listed: Sequence[str], way: str) -> bool:
    """Whether nothing comes before but the ways of another DS01 on this host."""
    before = listed[: listed.index(way)] if way in listed else None
    return before is not None and all(rule.rpartition(" ")[2].startswith("DS01") for rule in before)


def _put_up(plan: FencePlan) -> None:
    _run(["iptables-restore", "-w", "5", "--noflush"], _filled(plan))
    for chain, jump in _ways(plan).items():
        _leave(chain, jump)
        _run(["iptables", "-w", "5", "-I", chain, "1", *jump.split()])


def _filled(plan: FencePlan) -> str:
    """Naming a chain empties it; all of it becomes true at once."""
    lines = ["*filter", *(f":{chain} - [0:0]" for chain in plan.rules)]
    lines += [f"-A {chain} {rule}" for chain, rules in plan.rules.items() for rule in rules]
    return "\n".join([*lines, "COMMIT", ""])


def _take_down(plan: FencePlan) -> None:
    for chain in ("INPUT", "FORWARD", _FOR_USERS):
        for rule in _listed(chain):
            if rule.endswith((f"-j {plan.forward}", f"-j {plan.input}")):
                _run(["iptables", "-w", "5", "-D", *rule.removeprefix("-A ").split()])
    for chain in plan.rules:
        if _exists(chain):
            _run(["iptables", "-w", "5", "-F", chain])
            _run(["iptables", "-w", "5", "-X", chain])


def _leave(chain: str, jump: str) -> None:
    """Remove every way of ours out of a chain, wherever it stands."""
    target = jump.rpartition(" ")[2]
    for rule in _listed(chain):
        if rule.endswith(f"-j {target}"):
            _run(["iptables", "-w", "5", "-D", *rule.removeprefix("-A ").split()])


def _ways(plan: FencePlan) -> dict[str, str]:
    forward = _FOR_USERS if _exists(_FOR_USERS) else "FORWARD"
    return {forward: plan.jump_forward, "INPUT": plan.jump_input}


def _exists(chain: str) -> bool:
    return _ask(["iptables", "-w", "5", "-S", chain]).returncode == 0


def _listed(chain: str) -> list[str]:
    """The rules of a chain as the firewall writes them."""
    found = _ask(["iptables", "-w", "5", "-S", chain])
    return [line for line in found.stdout.splitlines() if line.startswith("-A ")]


def _ask(command: Sequence[str], given: str = "") -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, input=given, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Ds01Error(FENCE_FAILED, "The firewall cannot be asked.", reason=str(error)) from error


def _run(command: Sequence[str], given: str = "") -> None:
    done = _ask(command, given)
    if done.returncode != 0:
        raise Ds01Error(
            FENCE_FAILED, "The firewall refused DS01's rules.", reason=done.stderr.strip() or " ".join(command),
            hint="ds01 doctor",
        )  # fmt: skip
