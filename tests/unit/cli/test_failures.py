"""Whatever goes wrong: one sentence, why, what next, and the right exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ds01.cli import failures
from ds01.cli.talk import talk
from ds01.domain.errors import DAEMON_DOWN, GPU_FULL, NO_CONTAINER, Ds01Error
from ds01.wire.launches import LaunchEvent
from tests.unit.cli import values
from tests.unit.cli.conftest import Run
from tests.unit.cli.daemon import Asked, Daemon


def test_without_ds01d_the_exit_code_is_6_and_the_reason_is_told(ds01: Run) -> None:
    ran = ds01("list")
    assert ran.code == 6
    assert ran.out == ""
    assert "ds01d does not answer." in ran.err
    assert "systemctl start ds01d" in ran.err


def test_an_error_of_ds01d_is_told_as_it_is(ds01: Run, daemon: Daemon) -> None:
    daemon.answers["POST", "/v1/containers/exp/start"] = Ds01Error(
        GPU_FULL, "No GPU is free right now.", reason="4 of 4 are in use.", hint="ds01 launch exp --gpus 0"
    )
    ran = ds01("start", "exp")
    assert ran.code == 3
    assert [line.lstrip("✗ ") for line in ran.err.splitlines()] == [
        "No GPU is free right now.", "4 of 4 are in use.", "Try: ds01 launch exp --gpus 0",
    ]  # fmt: skip


def test_with_json_the_error_is_data_too(ds01: Run, daemon: Daemon) -> None:
    daemon.answers["POST", "/v1/containers/exp/start"] = Ds01Error(GPU_FULL, "No GPU is free right now.")
    ran = ds01("start", "exp", "--json")
    assert ran.code == 3
    assert json.loads(ran.out)["error"]["code"] == "gpu.full"


def test_a_name_that_is_nearly_right_gets_the_right_one(ds01: Run, daemon: Daemon) -> None:
    daemon.have(values.container("thesis"))
    daemon.answers["POST", "/v1/containers/tesis/stop"] = Ds01Error(NO_CONTAINER, "You have no container 'tesis'.")
    ran = ds01("stop", "tesis")
    assert ran.code == 4
    assert "Did you mean 'thesis'?" in ran.err


def test_an_answer_that_is_no_answer_is_a_sentence(ds01: Run, daemon: Daemon) -> None:
    daemon.answers["GET", "/v1/status"] = b"<html>Bad Gateway</html>"
    ran = ds01("status")
    assert ran.code == 1
    assert "ds01d answered with status 500." in ran.err


def test_a_stream_that_breaks_off_is_a_sentence(ds01: Run, daemon: Daemon) -> None:
    def broken() -> Iterator[LaunchEvent]:
        yield LaunchEvent(step="lease", text="Leasing a GPU")
        raise ConnectionResetError

    daemon.answers["GET", "/v1/events"] = lambda asked: broken() if asked.query.get("follow") else []
    ran = ds01("events", "--follow")
    assert ran.code in (1, 6)
    assert "Traceback" not in ran.err


def test_reads_are_asked_again_when_ds01d_restarts(ds01: Run, daemon: Daemon) -> None:
    seen: list[Asked] = []

    def answer(asked: Asked) -> object:
        seen.append(asked)
        if len(seen) == 1:
            raise ConnectionResetError
        return []

    daemon.answers["GET", "/v1/containers"] = answer
    assert ds01("list").code == 0
    assert len(seen) == 2


def test_changes_are_never_asked_twice(ds01: Run, daemon: Daemon) -> None:
    seen: list[Asked] = []

    def answer(asked: Asked) -> object:
        seen.append(asked)
        raise ConnectionResetError

    daemon.answers["POST", "/v1/containers/exp/stop"] = answer
    ran = ds01("stop", "exp")
    assert ran.code == 6
    assert len(seen) == 1
    assert "ended early" in ran.err


def test_a_mistake_of_our_own_is_an_id_and_a_file(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    try:
        raise ZeroDivisionError("deep inside")
    except ZeroDivisionError as error:
        code = failures.unexpected(error, talk())
    said = capsys.readouterr().err
    (log,) = tmp_path.glob("ds01/*.log")
    assert code == 1
    assert "Traceback" not in said
    assert "deep inside" not in said
    assert log.stem.removeprefix("ds01-") in said
    assert "deep inside" in log.read_text()
    assert log.stat().st_mode & 0o077 == 0


MISTAKE = """
from ds01.cli import failures
from ds01.cli.talk import talk
try:
    raise ZeroDivisionError("it was hunter2")
except ZeroDivisionError as error:
    failures.unexpected(error, talk())
"""


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (("run", "-e", "PGPASS=hunter2", "thesis"), "ds01 run -e PGPASS=[hidden] thesis"),
        (("run", "-ePGPASS=hunter2 and more"), "ds01 run -ePGPASS=[hidden]"),
        (("run", "-de", "PGPASS=a=hunter2\nhunter2"), "ds01 run -de PGPASS=[hidden]"),
        (("run", "--env=PGPASS=hunter2", "--gpus=1"), "ds01 run --env=PGPASS=[hidden] --gpus=1"),
        (("exec", "x", "--", "env", "PGPASS=hunter2", "psql"), "ds01 exec x -- env PGPASS=[hidden] psql"),
    ],
)
def test_what_is_kept_of_a_mistake_has_no_values_of_variables(
    tmp_path: Path, words: tuple[str, ...], shown: str
) -> None:
    environment = os.environ | {"XDG_STATE_HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", MISTAKE, *words], env=environment, capture_output=True, check=True)
    (log,) = tmp_path.glob("ds01/*.log")
    assert log.read_text().splitlines()[0] == shown
    assert "ZeroDivisionError" in log.read_text()


def test_a_value_that_the_mistake_itself_repeats_is_not_kept_either(tmp_path: Path) -> None:
    environment = os.environ | {"XDG_STATE_HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", MISTAKE, "run", "-e", "PGPASS=hunter2"], env=environment, check=True)
    (log,) = tmp_path.glob("ds01/*.log")
    assert "hunter2" not in log.read_text().replace(MISTAKE, "")


def run_program(*words: str, **more: object) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"DS01_SOCKET": "/nonexistent/ds01d.sock"}
    return subprocess.run(
        [sys.executable, "-m", "ds01.cli", *words],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        timeout=120,
    )


def test_a_reader_that_has_had_enough_is_no_error() -> None:
    ran = subprocess.run(
        f"set -o pipefail; {sys.executable} -m ds01.cli help commands --json | head -c 10",
        shell=True, executable="/bin/bash", capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, "")


BROKEN = """
import sys
from ds01.cli.main import Program, run
def broken(self, words):
    raise BrokenPipeError("the other program ended")
Program.run = broken
sys.exit(run(["list"]))
"""


def test_a_pipe_to_another_program_that_breaks_is_an_error(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", BROKEN], capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, "XDG_STATE_HOME": str(tmp_path)},
    )  # fmt: skip
    assert ran.returncode == 1
    assert "DS01 made a mistake" in ran.stderr


def test_ctrl_c_is_130_and_says_what_stands(ds01: Run, daemon: Daemon) -> None:
    def interrupted(_: Asked) -> Iterator[object]:
        raise KeyboardInterrupt

    daemon.have(values.container("exp"))
    code = failures.interrupted(talk(), "exp is being stopped; it will be kept.")
    assert code == 130


def test_the_error_of_a_missing_daemon_has_its_own_code() -> None:
    ran = run_program("status")
    assert ran.returncode == int(DAEMON_DOWN.exit) == 6
    assert ran.stdout == ""
