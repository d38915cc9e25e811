"""Where a stack lives and what it starts with."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from dev import installation, policy, stack

from ds01.domain.quantity import size


def test_a_short_state_directory_is_used_as_it_is() -> None:
    assert stack.place("/var/tmp/mine") == Path("/var/tmp/mine")


def test_a_deep_state_directory_is_reached_by_a_link_short_enough_for_sockets() -> None:
    short = stack.place("/tmp/" + "deep/" * 20)
    assert short.parent == Path("/run")
    assert short == stack.place("/tmp/" + "deep/" * 20)
    assert len(f"{short}/engine/exec/containerd/containerd-debug.sock") <= stack.SOCKET_LENGTH


@pytest.mark.parametrize("target", ["run", "demo", "up"])
def test_without_root_it_says_so_before_anything_is_fetched(target: str, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "dev").mkdir()
    shutil.copy(installation.CHECKOUT / "dev/bootstrap", tmp_path / "dev")
    (tmp_path / "bin").mkdir()
    for program in ("sh", "dirname", "tr", "cat"):
        (tmp_path / "bin" / program).symlink_to(str(shutil.which(program)))
    (tmp_path / "bin/id").write_text("#!/bin/sh\necho 1000\n")
    (tmp_path / "bin/id").chmod(0o755)
    done = subprocess.run(
        [tmp_path / "dev/bootstrap", target], env={"PATH": str(tmp_path / "bin")}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert f"sudo make {target}" in done.stderr
    assert "docker.io" in done.stderr
    assert "procps" in done.stderr
    assert "stopping" not in done.stderr


def test_every_checkout_has_a_state_directory_of_its_own() -> None:
    assert stack.place(None) == stack.place("")
    assert str(stack.place(None)).startswith("/var/lib/ds01-dev-")


def test_a_file_in_a_private_folder_is_not_for_everybody(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    (private / "python").write_text("")
    assert not installation.for_everybody(private / "python")
    assert installation.for_everybody(Path("/bin/sh"))


def test_the_limits_file_is_written_once(tmp_path: Path) -> None:
    file = tmp_path / "limits.yaml"
    policy.write(file, "198.18.0.0/15")
    assert "source: auto" in file.read_text()
    assert f"simulated: {json.dumps(policy.GPUS)}" in file.read_text()
    memory = next(line.split()[1] for line in file.read_text().splitlines() if "memory:" in line)
    assert size(memory) > 0
    file.write_text("mine")
    policy.write(file, "198.18.0.0/15")
    assert file.read_text() == "mine"


def test_a_machine_with_its_own_certificates_hands_them_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = tmp_path / "bundle.crt"
    bundle.write_text("certificates")
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    monkeypatch.setenv("https_proxy", "http://proxy.lab.lan:3128")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:3128")
    policy.write(tmp_path / "limits.yaml", "198.18.0.0/15")
    text = (tmp_path / "limits.yaml").read_text()
    assert f"ca: {bundle}" in text
    assert 'https_proxy: "http://proxy.lab.lan:3128"' in text
    assert "127.0.0.1" not in text
