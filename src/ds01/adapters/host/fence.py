"""The Fence port over ``iptables`` and ``ip6tables``: two chains of our own in each, filled in one step, and a rule
that leads into each.

Where the engine made its chain for such rules (``DOCKER-USER``), the one for forwarding hangs there, which is before
all of the engine's own.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ds01.adapters.host import bridged
from ds01.domain.errors import FENCE_FAILED, Ds01Error
from ds01.domain.fence import FencePlan

_FOR_USERS = "DOCKER-USER"
_LIST = ("-w", "5", "-S")
_HELD = "xtables lock"
"""What is in the words of both programs when another one changes the firewall for longer than they wait."""
_SECONDS = 20
_TRIES = 4
_PAUSE_SECONDS = 0.5
_ADDRESSES_6 = Path("/proc/net/if_inet6")


Standing = Mapping[str, Sequence[str]]
"""The rules of each chain as the firewall writes them."""


@dataclass(frozen=True, kw_only=True)
class _Wall:
    """What is to stand in the firewall of one protocol, and what stands; ``program`` is what speaks to it."""

    program: str
    chains: Mapping[str, tuple[str, ...]]
    forward: str
    to_host: str
    standing: Standing


class IptablesFence:
    """Rules of the ``filter`` table, for IPv4 and, where there is a firewall for it, for IPv6.

    One change at a time: two that fill the same chains would take each other's rules away.
    """

    def __init__(self) -> None:
        self._changing = asyncio.Lock()

    async def missing(self, plan: FencePlan) -> str:
        """Compares the seal, the number of rules, and the ways into the chains."""
        return await asyncio.to_thread(_missing, plan)

    async def left_open(self, plan: FencePlan) -> str:
        """IPv6, where this host speaks it and has no program to close it with; and a bridge whose own traffic the
        kernel does not show to the firewall.
        """
        return await asyncio.to_thread(_left_open, plan)

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
            await asyncio.to_thread(take_down, plan)


def take_down(plan: FencePlan) -> None:
    """What the port has a method for, where nothing else goes on."""
    for wall in _walls(plan):
        for chain in ("INPUT", "FORWARD", _FOR_USERS):
            for jump in (wall.forward, wall.to_host):
                _leave(wall, chain, jump)
        for chain in wall.chains:
            if chain in wall.standing:
                _run([wall.program, "-w", "5", "-F", chain])
                _run([wall.program, "-w", "5", "-X", chain])


def _walls(plan: FencePlan) -> list[_Wall]:
    """What is asked for all of it at once: each question starts a program."""
    ways = {"forward": plan.jump_forward, "to_host": plan.jump_input}
    walls = [_Wall(program="iptables", chains=plan.rules, standing=_standing("iptables"), **ways)]
    standing_6 = _standing_6()
    if standing_6:
        walls.append(_Wall(program="ip6tables", chains=plan.rules_6, standing=standing_6, **ways))
    return walls


def _standing_6() -> Standing:
    """Nothing where there is no firewall for IPv6: neither the program nor the kernel's part is everywhere. One that is
    there and busy is no such one.
    """
    if shutil.which("ip6tables") is None:
        return {}
    done = _ask(["ip6tables", *_LIST])
    if done.returncode != 0 and _HELD not in done.stderr:
        return {}
    return _chains(done)


def _standing(program: str) -> Standing:
    return _chains(_ask([program, *_LIST]))


def _chains(done: subprocess.CompletedProcess[str]) -> Standing:
    """The chains of the ``filter`` table. Raises Ds01Error (``fence.failed``) when the firewall did not tell."""
    if done.returncode != 0:
        raise _unasked(done.stderr.strip())
    found: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        kind, chain = line.split(" ", 2)[:2]
        rules = found.setdefault(chain, [])
        if kind == "-A":
            rules.append(line)
    return found


def _left_open(plan: FencePlan) -> str:
    found = []
    if _speaks_6() and not _standing_6():
        found.append("IPv6 (ip6tables does not work here)")
    if plan.default and not bridged.shown(plan.default.interface):
        found.append(f"what goes from one to another on {plan.default.interface} (br_netfilter is not loaded)")
    return " and ".join(found)


def _speaks_6() -> bool:
    try:
        return bool(_ADDRESSES_6.read_text().strip())
    except OSError:
        return False


def _missing(plan: FencePlan) -> str:
    found = next((found for wall in _walls(plan) if (found := _missing_of(wall))), "")
    if not found and plan.default and bridged.hidden(plan.default.interface):
        return f"the firewall does not see what goes from one to another on {plan.default.interface}"
    return found


def _missing_of(wall: _Wall) -> str:
    for chain, rules in wall.chains.items():
        standing = wall.standing.get(chain, ())
        if len(standing) != len(rules) or rules[0] not in standing[0].replace('"', ""):
            return f"the rules of the chain {chain} ({wall.program}) are not as they should be"
    for chain, jump in _ways(wall).items():
        if not _leads(wall.standing.get(chain, ()), f"-A {chain} {jump}"):
            return f"nothing leads first from {chain} ({wall.program}) into DS01's rules"
    return ""


def _leads(listed: Sequence[str], way: str) -> bool:
    """Whether nothing comes before but the ways of another DS01 on this host."""
    before = listed[: listed.index(way)] if way in listed else None
    return before is not None and all(rule.rpartition(" ")[2].startswith("DS01") for rule in before)


def _put_up(plan: FencePlan) -> None:
    for wall in _walls(plan):
        _run([f"{wall.program}-restore", "-w", "5", "--noflush"], _filled(wall))
    if plan.default and bridged.hidden(plan.default.interface):
        bridged.show(plan.default.interface)


def _filled(wall: _Wall) -> str:
    """Naming a chain empties it; all of it becomes true at once, so that no packet passes between two steps."""
    lines = ["*filter", *(f":{chain} - [0:0]" for chain in wall.chains)]
    lines += [f"-A {chain} {rule}" for chain, rules in wall.chains.items() for rule in rules]
    for chain, jump in _ways(wall).items():
        lines += [f"-D {rule.removeprefix('-A ')}" for rule in _leading(wall, chain, jump)]
        lines.append(f"-I {chain} 1 {jump}")
    return "\n".join([*lines, "COMMIT", ""])


def _leave(wall: _Wall, chain: str, jump: str) -> None:
    """Remove every way of ours out of a chain."""
    for rule in _leading(wall, chain, jump):
        _run([wall.program, "-w", "5", "-D", *rule.removeprefix("-A ").split()])


def _leading(wall: _Wall, chain: str, jump: str) -> list[str]:
    """The rules of a chain that lead where this one does, wherever they stand."""
    target = jump.rpartition(" ")[2]
    return [rule for rule in wall.standing.get(chain, ()) if rule.endswith(f"-j {target}")]


def _ways(wall: _Wall) -> dict[str, str]:
    forward = _FOR_USERS if _FOR_USERS in wall.standing else "FORWARD"
    return {forward: wall.forward, "INPUT": wall.to_host}


def _ask(command: Sequence[str], given: str = "") -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, input=given, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _unasked(str(error)) from error


def _unasked(reason: str) -> Ds01Error:
    return Ds01Error(FENCE_FAILED, "The firewall cannot be asked.", reason=reason, hint="ds01 doctor")


def _run(command: Sequence[str], given: str = "") -> None:
    done = _ask(command, given)
    if done.returncode != 0:
        raise Ds01Error(
            FENCE_FAILED, "The firewall refused DS01's rules.", reason=done.stderr.strip() or " ".join(command),
            hint="ds01 doctor",
        )  # fmt: skip
