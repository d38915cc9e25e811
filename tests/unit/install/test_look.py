"""What is seen of a server: programs that only root can change."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from ds01.install import look, system
from ds01.install.paths import PATH


def test_a_program_that_only_root_can_change_is_no_trouble() -> None:
    assert look.loose_on_the_way((Path("/bin/sh"),)) == ""


def test_a_program_that_others_can_change_is_seen(tmp_path: Path) -> None:
    program = tmp_path / "runc"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o777)
    assert look.loose_on_the_way((program,)) != ""


def test_a_folder_or_a_link_on_the_way_counts_too(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "runc").write_text("#!/bin/sh\n")
    folder.chmod(0o777)
    (tmp_path / "runc").symlink_to(folder / "runc")
    assert look.loose_on_the_way((tmp_path / "runc",)) != ""


def test_runc_is_not_looked_for_where_the_shell_says(tmp_path: Path) -> None:
    (tmp_path / "runc").write_text("#!/bin/sh\n")
    (tmp_path / "runc").chmod(0o755)
    seen = subprocess.run(
        [sys.executable, "-c", "from ds01.install import look; print(look.machine().runc)"],
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert not seen.stdout.startswith(str(tmp_path))


def test_nor_is_any_other_program() -> None:
    system.run("sh", "-c", f'test "$PATH" = {PATH}')
