"""What programs leave behind on the host when they end, or were killed: bridges, firewall rules, mounts, containers.

Everything is found by a name or an address that only this state directory uses, never by looking like ours.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import shlex
import signal
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from ds01.adapters.host.fence import take_down
from ds01.domain.fence import FencePlan
from ds01.domain.settings import POOL
from ds01.services import fence

_FENCES = "DS01-"
"""How the chains of every DS01 begin but of the one that is the server's."""


def clear(folders: Iterable[Path], subnets: Iterable[str]) -> None:
    """Take away what stopped programs left: mounts below their folders, and links and firewall rules of their
    engine, which alone used the address ranges ``subnets``.
    """
    unmount(*(folder.resolve() for folder in folders))
    networks = [ipaddress.ip_network(subnet) for subnet in subnets]
    links = list(_links(networks))
    _unrule(links, networks)
    for link in links:
        subprocess.run(["ip", "link", "delete", link], check=False, capture_output=True)


def unmount(*folders: Path) -> None:
    """Undo every mount below these folders, the deepest first."""
    for point in sorted(_mounts(), key=len, reverse=True):
        if any(Path(point).is_relative_to(folder) for folder in folders):
            subprocess.run(["umount", "--lazy", point], check=False, capture_output=True)


def end_containers(engine: Path) -> bool:
    """End containers that outlived a killed engine of this root; False when there were none.

    Their shims name the engine's containerd on their command line; a container's processes are its descendants.
    """
    socket = str(engine.resolve() / "exec/containerd/containerd.sock")
    shims = [pid for pid, words in _commands() if "-address" in words and socket in words]
    for shim in shims:
        for pid in [*_children(shim), shim]:
            _kill(pid)
    return bool(shims)


def in_use(bridge: str) -> bool:
    """Whether a running engine was started on this bridge."""
    return any("--bridge" in words and bridge in words for _, words in _commands())


def names(pid: int, word: str) -> bool:
    """Whether the process of this pid has this word on its command line."""
    return any(found == pid and word in words for found, words in _commands())


def _links(networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> Iterator[str]:
    shown = subprocess.run(["ip", "-o", "-4", "addr"], capture_output=True, text=True, check=True).stdout
    for name, address in re.findall(r"^\d+: (\S+)\s+inet ([0-9.]+)/", shown, re.MULTILINE):
        if any(ipaddress.ip_address(address) in network for network in networks):
            yield name


def _unrule(links: list[str], networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> None:
    """Delete the firewall rules that an engine made for these links and their addresses, and the fences around them.
    A fence goes whole: what is left of one might stop what has nothing to do with it.
    """
    about = [rule for rule in _rules("filter") if _about(rule, links, networks)]
    chains = {chain for rule in about if (chain := shlex.split(rule)[1]).startswith(_FENCES)}
    for name in {chain.rpartition("-")[0] for chain in chains}:
        _unfence(name)
    for table in ("nat", "filter"):
        for rule in _rules(table):
            if _about(rule, links, networks):
                command = ["iptables", "-t", table, "-D", *shlex.split(rule)[1:]]
                subprocess.run(command, check=False, capture_output=True)


def unfence(run: Path) -> None:
    """Take away the fence of the ds01d whose sockets were in this folder."""
    _unfence(fence.name_of(run))


def _unfence(name: str) -> None:
    take_down(FencePlan(name=name, pool=POOL, networks=(), ports=()))


def _rules(table: str) -> list[str]:
    shown = subprocess.run(["iptables", "-t", table, "-S"], capture_output=True, text=True, check=False).stdout
    return [rule for rule in shown.splitlines() if rule.startswith("-A ")]


def _about(rule: str, links: list[str], networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    if any(word in links for word in rule.split()):
        return True
    addresses = re.findall(r"\b(\d+\.\d+\.\d+\.\d+)(?:/\d+)?\b", rule)
    return any(ipaddress.ip_address(address) in network for address in addresses for network in networks)


def _mounts() -> Iterator[str]:
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        yield line.split()[4].encode().decode("unicode_escape")


def _commands() -> Iterator[tuple[int, list[str]]]:
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        yield int(entry.name), words


def _children(pid: int) -> list[int]:
    """Of every thread: any of them may have started one."""
    found: list[int] = []
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found += [int(word) for word in thread.read_text().split()]
    return found


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
