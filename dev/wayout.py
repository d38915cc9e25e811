"""A network of one's own with a way out: for tests that start engines and fetch packages, beside others that do, too.

A pair of linked interfaces joins it to the host, which forwards for it and lends it its address.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

LINK = "10.219.0.{}/30"
"""Which addresses the link has: nobody's here, and none of those that engines choose for their networks."""


@contextmanager
def network(name: str) -> Iterator[tuple[str, ...]]:
    """Make it, give the words that a command begins with to run in it, and take it away. Needs root."""
    here = f"{name[:13]}-o"
    rules = (
        ("-t", "nat", "{}", "POSTROUTING", "-s", LINK.format(0), "-j", "MASQUERADE"),
        ("{}", "FORWARD", "-i", here, "-j", "ACCEPT"),
        ("{}", "FORWARD", "-o", here, "-j", "ACCEPT"),
    )
    within = ("nsenter", f"--net=/run/netns/{name}")
    try:
        _run("ip", "netns", "add", name)
        _run("ip", "link", "add", here, "type", "veth", "peer", "name", "eth0", "netns", name)
        _run("ip", "address", "add", LINK.format(1), "dev", here)
        _run("ip", "link", "set", here, "up")
        _run("sysctl", "-qw", "net.ipv4.ip_forward=1")
        for rule in rules:
            _run("iptables", "--wait", *(word.format("-I") for word in rule))
        _run(*within, "ip", "address", "add", LINK.format(2), "dev", "eth0")
        for device in ("lo", "eth0"):
            _run(*within, "ip", "link", "set", device, "up")
        _run(*within, "ip", "route", "add", "default", "via", LINK.format(1).partition("/")[0])
        yield within
    finally:
        for rule in rules:
            _run("iptables", "--wait", *(word.format("-D") for word in rule), check=False)
        _run("ip", "link", "delete", here, check=False)
        _run("ip", "netns", "delete", name, check=False)


def _run(*words: str, check: bool = True) -> None:
    subprocess.run(words, check=check, capture_output=not check)
