"""A newer engine starts with the file that installing writes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from dev import engine26 as newer

from ds01.install.engine_file import merged

pytestmark = [pytest.mark.root, pytest.mark.engine]
OWN = {"log-opts": {"max-size": "10m"}, "live-restore": True, "builder": {"gc": {"enabled": True}}}


def validated(file: Path) -> subprocess.CompletedProcess[str]:
    command = [str(newer.programs() / "dockerd"), "--validate", "--config-file", str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("before", [None, json.dumps(OWN)])
def test_the_file_is_one_the_engine_reads(before: str | None, tmp_path: Path) -> None:
    if not newer.available():
        pytest.skip("left out: the newer engine needs mmdebstrap and patchelf")
    guard, file = tmp_path / "guard", tmp_path / "daemon.json"
    guard.mkdir()
    file.write_text(merged(before, str(guard), "26.1.5"))
    assert validated(file).returncode == 0, validated(file).stderr
    file.write_text(json.dumps(json.loads(file.read_text()) | {"no-such-key": 1}))
    assert "no-such-key" in validated(file).stderr
