"""The block for the laptop's ``~/.ssh/config``, as the laptop's own ``ssh`` reads it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ds01.cli import laptop

HOSTILE = ("a$(touch x)", "a`id`", "a;id", "a|id", "a&id", "a>x", "a<x", "(a)")


def proxy(config: Path, host: str) -> str:
    """What ``ssh`` would start to get there; ``""`` where it refuses the name or has no block for it."""
    words = ["ssh", "-G", "-F", str(config), "--", host]
    told = subprocess.run(words, capture_output=True, text=True, check=False).stdout
    return next((line for line in told.splitlines() if line.startswith("proxycommand ")), "")


def test_ssh_picks_the_block_up_for_every_container(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(laptop.ssh_block(None, "gpu.lab.org") + "\n")
    for host in ("thesis.ds01", "a.ds01", "my-thesis_2.ds01"):
        assert proxy(config, host).endswith("ssh --stdio %h") or proxy(config, host).endswith(f"ssh --stdio {host}")
    assert proxy(config, "thesis.other") == ""


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("suffix", [None, "lab"])
def test_a_name_that_a_shell_would_act_on_is_no_container(tmp_path: Path, name: str, suffix: str | None) -> None:
    config = tmp_path / "config"
    config.write_text(laptop.ssh_block(None, "gpu.lab.org", suffix) + "\n")
    assert proxy(config, laptop.host("thesis", suffix)) != ""
    assert proxy(config, laptop.host(name, suffix)) == ""


def test_the_block_of_one_container_is_for_that_one(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(laptop.ssh_block("thesis", "gpu.lab.org") + "\n")
    assert "Host thesis.ds01\n" in config.read_text()
    assert proxy(config, "thesis.ds01") != ""
    assert proxy(config, "other.ds01") == ""
