"""The tables of a project file that was read before come from the cache, and are always those of its text."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds01.projects import file, toml

TEXT = '[project]\nname = "thesis"\n\n[run]\ngpus = 2\n'
SCRIPT = "import sys; from ds01.projects import file; file.load(sys.argv[1]); print('tomllib' in sys.modules)"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    folder = tmp_path / "thesis"
    folder.mkdir()
    (folder / "ds01.toml").write_text(TEXT)
    return folder


def kept(project: Path) -> list[Path]:
    return list((project.parent / ".cache/ds01/toml").glob("*"))


def parses(project: Path) -> bool:
    """Whether reading this project takes Python's reader of TOML."""
    done = subprocess.run([sys.executable, "-c", SCRIPT, project], capture_output=True, text=True, check=True)
    return done.stdout == "True\n"


def test_reading_keeps_nothing_and_what_was_kept_is_read_without_a_reader(project: Path) -> None:
    assert parses(project)
    assert not kept(project)
    file.keep(str(project))
    assert not parses(project)
    assert file.load(str(project)).run.gpus == "2"


def test_another_text_is_read_anew_and_takes_the_place_of_the_first(project: Path) -> None:
    file.keep(str(project))
    (project / "ds01.toml").write_text(TEXT.replace("2", "1"))
    assert file.load(str(project)).run.gpus == "1"
    assert parses(project)
    file.keep(str(project))
    assert len(kept(project)) == 1
    assert not parses(project)


def test_what_is_kept_is_written_once(project: Path) -> None:
    file.keep(str(project))
    (place,) = kept(project)
    before = place.stat().st_ino
    file.keep(str(project))
    assert place.stat().st_ino == before


@pytest.mark.parametrize(
    "spoilt", ["", "[", '["x"]', '["{0}", "["]', '["{0}", "[1]"]', '["{0}"]', '["{1}", "{{}}"]', '["{1}", "{{}}", "x"]']
)
def test_a_cache_that_somebody_spoilt_is_as_none(project: Path, spoilt: str) -> None:
    file.keep(str(project))
    (place,) = kept(project)
    digest = json.loads(place.read_text())[0]
    place.write_text(spoilt.format(digest, "0" * 64))
    assert file.load(str(project)).run.gpus == "2"


@pytest.mark.parametrize("value", ["2026-11-27", "07:32:00", "nan", "[1, 2026-11-27T07:32:00Z]"])
def test_what_json_cannot_say_is_not_kept(project: Path, value: str) -> None:
    (project / "ds01.toml").write_text(f"{TEXT}[other]\nx = {value}\n")
    file.keep(str(project))
    assert not kept(project)


def test_a_file_that_is_none_is_not_kept(project: Path) -> None:
    (project / "ds01.toml").write_text("[project\n")
    file.keep(str(project))
    (project / "ds01.toml").unlink()
    file.keep(str(project))
    assert not kept(project)


def test_nobody_writes_into_the_home_of_another(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    file.keep(str(project))
    assert not kept(project)


@given(
    tables=st.dictionaries(
        st.sampled_from("abc"),
        st.recursive(
            st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(), st.lists, max_leaves=4
        ),
    )
)  # fmt: skip
def test_what_is_kept_is_what_was_read(tables: dict[str, Any]) -> None:
    written = toml._written(tables)
    assert written is not None
    assert repr(toml._read(written)) == repr(tables)
