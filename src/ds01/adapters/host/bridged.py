"""Whether the firewall is asked about what goes from one to another on a bridge, and having it asked.

The kernel does so for every bridge, for one, or for none. Engines before 28 have it done for every bridge; elsewhere
this one is enough. Where the part of the kernel is not loaded, nothing can be done from here.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

_EVERY = tuple(Path(f"/proc/sys/net/bridge/bridge-nf-call-{program}") for program in ("iptables", "ip6tables"))
_ONE = ("nf_call_iptables", "nf_call_ip6tables")
_SECONDS = 20


def shown(interface: str) -> bool:
    """Whether it is asked, for this bridge."""
    return _loaded() and (_of_every() or _of_one(interface))


def hidden(interface: str) -> bool:
    """Whether it is not asked and could be."""
    return _loaded() and not _of_every() and not _of_one(interface)


def show(interface: str) -> None:
    """Have it asked for this bridge."""
    words = (word for name in _ONE for word in (name, "1"))
    _ip("link", "set", "dev", interface, "type", "bridge", *words)


def _loaded() -> bool:
    return all(file.exists() for file in _EVERY)


def _of_every() -> bool:
    return all(file.read_text().strip() == "1" for file in _EVERY)


def _of_one(interface: str) -> bool:
    try:
        (link,) = json.loads(_ip("-d", "-j", "link", "show", "dev", interface))
    except ValueError:
        return False
    about = link.get("linkinfo", {}).get("info_data", {})
    return all(about.get(name) == 1 for name in _ONE)


def _ip(*words: str) -> str:
    """What ``ip`` says; nothing where it is not installed or refuses, which the next look finds."""
    try:
        done = subprocess.run(["ip", *words], capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout
