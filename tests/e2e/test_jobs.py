"""Batch runs as their users meet them: submitted, logged out, and everything there in the morning."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from dev import programs
from dev.promises.lab import Lab, Student

pytestmark = [pytest.mark.e2e, pytest.mark.root, pytest.mark.engine, pytest.mark.slow]


@pytest.fixture
def ada(lab: Lab) -> Iterator[Student]:
    """A student with a project and nothing running."""
    lab.fresh()
    lab.ada.project("thesis", "six>=1.15,<1.17")
    yield lab.ada
    lab.ada.retires_all()


def job(student: Student, name: str) -> dict[str, Any]:
    (found,) = student.data("job", "show", name)["jobs"]
    return dict(found)


def until(student: Student, name: str, state: str, *, attempt: int = 0) -> dict[str, Any]:
    """Wait until it is in this state."""
    deadline = time.monotonic() + 120
    while (found := job(student, name))["state"] != state or found["attempt"] < attempt:
        assert time.monotonic() < deadline, found
        time.sleep(0.2)
    return found


def test_an_array_and_what_needs_all_of_it_run_while_nobody_is_there_and_ds01d_is_killed(
    lab: Lab, ada: Student
) -> None:
    """Each command of hers is a session that is over when it returns: nothing of her is left but her jobs."""
    script = 'import os; print(int(os.environ["DS01_ARRAY_INDEX"]) ** 2)'
    ada.shell(f"cd ~/workspace/thesis && ds01 run --name squares --array 0-4%2 --gpus 0 -- python -c '{script}'")
    total = "import glob; print(sum(int(open(f).read()) for f in glob.glob('.ds01/jobs/*/*/log')))"
    ada.ds01(
        "run",
        "--project",
        "thesis",
        "--name",
        "total",
        "--after",
        "squares",
        "--gpus",
        "1",
        "--",
        "python",
        "-c",
        total,
    )
    lab.kill_ds01d()
    done = until(ada, "total", "ended")
    (gpu,) = done["gpus"]
    assert done["code"] == 0
    assert ada.ds01("logs", "total").out.strip() == "30"
    assert {task["code"] for task in ada.data("job", "show", "squares")["jobs"]} == {0}
    assert programs.until(lambda: ada.containers() == [] and lab.leases() == [], 60)
    assert programs.until(lambda: "its job is over" in ada.ds01("why", "total").out, 60)
    assert f"total took GPU {gpu} into use" in ada.ds01("why", "total").out


def test_follow_shows_the_output_and_exits_with_the_code_of_the_command(ada: Student) -> None:
    followed = ada.tries("run", "--project", "thesis", "--gpus", "0", "--follow", "--", "sh", "-c", "echo seen; exit 3")
    assert (followed.code, followed.out.strip()) == (3, "seen")
    assert "failed with exit code 3" in followed.err


def test_an_engine_that_restarts_costs_a_job_nothing_but_time(lab: Lab, ada: Student) -> None:
    script = "echo begun $DS01_JOB_ATTEMPT; until [ -e go ]; do sleep 0.1; done; echo over"
    ada.ds01("run", "--project", "thesis", "--name", "long", "--gpus", "1", "--", "sh", "-c", script)
    until(ada, "long", "running")
    assert programs.until(lambda: "begun 1" in ada.ds01("logs", "long").out, 60)
    lab.restart_engine()
    until(ada, "long", "running", attempt=2)
    ada.shell("touch ~/workspace/thesis/go")
    assert until(ada, "long", "ended")["code"] == 0
    log = ada.ds01("logs", "long").out.splitlines()
    assert [line for line in log if not line.startswith(("---", "Terminated"))] == ["begun 1", "begun 2", "over"]
    assert any("started again, attempt 2: lost: the Docker engine stopped" in line for line in log)
