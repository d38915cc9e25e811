"""Jobs at the command line: what is sent, what is said, whose exit code it is, and the log."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ds01.cli.joblog import how
from ds01.domain.errors import NO_CONTAINER, NO_JOB, Ds01Error
from ds01.projects.version import commit
from ds01.wire.containers import WhyEntry, WhyView
from ds01.wire.images import BaseView, BuildSettings
from ds01.wire.jobs import JobPlan, JobsView, JobView
from tests.unit.cli.conftest import Run
from tests.unit.cli.daemon import Asked, Daemon

UNKNOWN = Ds01Error(NO_JOB, "You have no job 'x'.", hint="ds01 runs")


def ago(seconds: float) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()


def job(name: str = "thesis-1", state: str = "running", **more: Any) -> JobView:
    fields: dict[str, Any] = {
        "number": 1, "owner": "anna", "text": state, "told": "", "command": ("python", "train.py"),
        "project": "thesis", "workspace": "/home/anna/workspace/thesis", "log": f"/nowhere/{name}/log",
        "submitted_at": ago(60), "asked": "--gpus 1", "image": "ds01-1/thesis:latest", "image_id": "sha256:" + "a" * 64,
    }  # fmt: skip
    return JobView(name=name, state=state, **(fields | more))


def over(name: str = "thesis-1", code: int = 0, **more: Any) -> JobView:
    told = f"{name} is done." if not code else f"{name} failed with exit code {code}."
    fields: dict[str, Any] = {
        "text": "done" if not code else f"failed: exit code {code}", "told": told, "end": "exit", "detail": str(code),
        "exit_code": code, "code": code, "started_at": ago(30), "ended_at": ago(10), "ran": True, "attempt": 1,
    }  # fmt: skip
    return job(name, "ended", **(fields | more))


def view(*jobs: JobView, name: str = "") -> JobsView:
    return JobsView(name=name or jobs[0].array or jobs[0].name, jobs=jobs)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project, and one stands in a folder of it."""
    folder = tmp_path / "workspace" / "thesis"
    (folder / "src").mkdir(parents=True)
    (folder / "ds01.toml").write_text(
        '[project]\nname = "thesis"\n[run]\ngpus = 2\ntime = "2h"\non_stop = "sh save.sh"\nenv = {A = "1", B = "2"}\n'
    )
    monkeypatch.chdir(folder / "src")
    return folder


@pytest.fixture
def ready(daemon: Daemon, project: Path) -> Daemon:
    """A ds01d that takes every job."""
    daemon.answers["GET", "/v1/images/settings"] = BuildSettings(bases=())
    daemon.answers["POST", "/v1/jobs/plan"] = JobPlan(
        name="thesis-1", image="ds01-1/thesis:latest", build="", gpus="2", planned_seconds=7200, tasks=1
    )
    daemon.answers["POST", "/v1/jobs"] = view(job(state="queued", text="2nd of 3 in the queue: others go first"))
    return daemon


def sent(daemon: Daemon) -> dict[str, Any]:
    (asked,) = [asked for asked in daemon.asked if asked.path == "/v1/jobs" and asked.method == "POST"]
    return dict(asked.body or {})


# submitting ----------------------------------------------------------------------------------------------


def test_an_image_that_is_behind_is_asked_about_and_may_be_used_as_it_is(ds01: Run, ready: Daemon) -> None:
    """Whatever the words are by which ds01d says why."""
    minimal = BaseView(name="minimal", reference="ds01/minimal:latest", description="", digest="sha256:b")
    ready.answers["GET", "/v1/images/settings"] = BuildSettings(bases=(minimal,))
    ready.answers["POST", "/v1/jobs/plan"] = JobPlan(
        name="thesis-1", image="ds01-1/thesis:latest", build="its base has no image yet", gpus="2",
        planned_seconds=7200, tasks=1,
    )  # fmt: skip
    ran = ds01("run", "--", "python", "train.py")
    assert ran.code == 2
    assert "--no-build" in ran.err
    assert ds01("run", "--no-build", "--", "python", "train.py").code == 0
    assert sent(ready)["command"] == ["python", "train.py"]


def test_a_job_is_sent_with_all_the_project_says_and_the_folder_one_is_in(ds01: Run, ready: Daemon) -> None:
    ran = ds01("run", "-e", "B=3", "--retries", "0", "--image", "x:1", "--", "python", "train.py", "--lr", "0.1")
    assert ran.code == 0
    body = sent(ready)
    assert body["command"] == ["python", "train.py", "--lr", "0.1"]
    assert (body["project"], body["folder"], body["image"]) == ("thesis", "src", "x:1")
    assert (body["gpus"], body["time_seconds"], body["retries"]) == ("2", 7200, 0)
    assert body["environment"] == {"A": "1", "B": "3"}
    assert body["on_stop"] == "sh save.sh"
    assert "✓ thesis-1 is submitted; it is 2nd of 3 in the queue: others go first." in ran.err
    assert "It runs by itself, also when you log out." in ran.err
    assert "ds01 logs thesis-1 --follow" in ran.err
    assert ran.out == ""


def test_options_after_the_command_belong_to_it_also_without_dashes(ds01: Run, ready: Daemon) -> None:
    ds01("run", "--image", "x:1", "python", "--gpus", "9", "--wait")
    assert sent(ready)["command"] == ["python", "--gpus", "9", "--wait"]


def test_an_array_and_what_comes_after(ds01: Run, ready: Daemon) -> None:
    tasks = tuple(job(f"sweep-{n}", "queued", array="sweep", index=n) for n in range(3))
    ready.answers["POST", "/v1/jobs"] = view(*tasks)
    ran = ds01(
        "run", "--image", "x:1", "--name", "sweep", "--array", "0-2%1", "--after", "a", "--after", "b:any", "--", "x"
    )
    assert (sent(ready)["array"], sent(ready)["after"]) == ("0-2%1", ["a", "b:any"])
    assert "✓ sweep is submitted: 3 tasks, sweep-0 first." in ran.err
    assert ds01("run", "--follow", "--array", "0-2", "--", "x").code == 2


def test_nothing_to_run_is_a_mistake_of_the_line(ds01: Run, ready: Daemon) -> None:
    ran = ds01("run", "--gpus", "1")
    assert ran.code == 2
    assert "COMMAND is missing" in ran.err


def test_a_dry_run_says_what_would_be_submitted_and_submits_nothing(ds01: Run, ready: Daemon) -> None:
    ran = ds01("run", "--dry-run", "--image", "x:1", "--", "x")
    assert "thesis-1 would be submitted: --gpus 2, at most 2h" in ran.err
    assert "Nothing was changed." in ran.err
    assert not any(asked.path == "/v1/jobs" for asked in ready.asked)
    assert json.loads(ds01("run", "--dry-run", "--json", "--image", "x:1", "--", "x").out)["gpus"] == "2"


def test_the_commit_of_the_files_is_remembered(tmp_path: Path) -> None:
    assert commit(str(tmp_path)) == ""
    git = ("git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b")
    subprocess.run([*git, "init", "-q"], check=True)
    assert commit(str(tmp_path)) == ""
    (tmp_path / "x.py").write_text("1")
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-qm", "x"], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    assert commit(str(tmp_path)) == head
    (tmp_path / ".ds01" / "jobs").mkdir(parents=True)
    (tmp_path / ".ds01" / "jobs" / "log").write_text("x")
    assert commit(str(tmp_path)) == head, "what DS01 keeps there is no change of the user's"
    (tmp_path / "new.py").write_text("1")
    assert commit(str(tmp_path)) == head + "+"
    assert commit(str(tmp_path / "nowhere")) == ""


# waiting and following -----------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [0, 3, 124])
def test_wait_exits_with_the_code_of_the_job(ds01: Run, ready: Daemon, code: int) -> None:
    ready.answers["GET", "/v1/jobs/thesis-1/follow"] = lambda _: iter([view(job()), view(over(code=code))])
    ran = ds01("run", "--wait", "--image", "x:1", "--", "x")
    assert ran.code == code
    assert over(code=code).told in ran.err
    ran = ds01("job", "wait", "thesis-1", "--json")
    assert (ran.code, json.loads(ran.out)["jobs"][0]["code"]) == (code, code)


def test_of_an_array_the_largest_code_counts(ds01: Run, daemon: Daemon) -> None:
    tasks = view(over("sweep-0", array="sweep"), over("sweep-1", 4, array="sweep"), over("sweep-2", 1, array="sweep"))
    daemon.answers["GET", "/v1/jobs/sweep/follow"] = lambda _: iter([tasks])
    ran = ds01("job", "wait", "sweep")
    assert ran.code == 4
    assert "sweep has ended: 1 done, 2 failed." in ran.err


@pytest.mark.parametrize(
    ("tasks", "next_"),
    [
        ((over(),), "ds01 logs thesis-1 · ds01 runs"),
        ((over(code=3),), "ds01 logs thesis-1 · ds01 runs"),
        ((over(code=1, ran=False, attempt=0),), "ds01 why thesis-1 · ds01 runs"),
        ((over("sweep-0", array="sweep"), over("sweep-1", array="sweep")), "ds01 logs sweep-0 · ds01 runs"),
        ((over("sweep-0", array="sweep"), over("sweep-1", 4, array="sweep")), "ds01 logs sweep-1 · ds01 runs"),
    ],
)
def test_whoever_waited_is_told_where_the_output_is(
    ds01: Run, daemon: Daemon, tasks: tuple[JobView, ...], next_: str
) -> None:
    seen = view(*tasks)
    daemon.answers["GET", f"/v1/jobs/{seen.name}/follow"] = lambda _: iter([seen])
    assert ds01("job", "wait", seen.name).err.endswith(f"Next: {next_}\n")


def test_waiting_goes_on_over_a_restart_of_ds01d(ds01: Run, daemon: Daemon) -> None:
    def first(_: Asked) -> Iterator[JobsView]:
        daemon.answers["GET", "/v1/jobs/thesis-1/follow"] = lambda _: iter([view(over())])
        yield view(job())
        raise ConnectionError

    daemon.answers["GET", "/v1/jobs/thesis-1/follow"] = first
    assert ds01("job", "wait", "thesis-1").code == 0


def test_follow_shows_the_log_as_it_grows_and_passes_the_code(ds01: Run, ready: Daemon, tmp_path: Path) -> None:
    log = tmp_path / "log"
    seen: list[int] = []

    def answer(_: Asked) -> JobsView:
        seen.append(1)
        if len(seen) == 1:
            log.write_bytes(b"epoch 1\n")
            return view(job(ran=True, log=str(log)))
        with log.open("ab") as file:
            file.write(b"epoch 2\n")
        return view(over(code=3, log=str(log)))

    ready.answers["GET", "/v1/jobs/thesis-1"] = answer
    ran = ds01("run", "--follow", "--image", "x:1", "--", "x")
    assert (ran.code, ran.out) == (3, "epoch 1\nepoch 2\n")
    assert "thesis-1 failed with exit code 3. It ran for 20s." in ran.err


def test_the_log_of_a_job_is_read_from_the_workspace(ds01: Run, daemon: Daemon, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"".join(b"line %d\n" % number for number in range(1, 30_001)))
    daemon.answers["GET", "/v1/jobs/thesis-1"] = view(over(log=str(log)))
    assert ds01("logs", "thesis-1").out == log.read_text()
    assert ds01("logs", "thesis-1", "--tail", "2").out == "line 29999\nline 30000\n"
    assert ds01("logs", "thesis-1", "--tail", "20000").out.splitlines()[0] == "line 10001"
    assert ds01("logs", "thesis-1", "--tail", "0").out == ""
    assert ds01("logs", "thesis-1", "--since", "1h").code == 2
    assert ds01("logs", "thesis-1", "--follow").code == 0


def test_a_log_that_is_not_there_says_why(ds01: Run, daemon: Daemon) -> None:
    daemon.answers["GET", "/v1/jobs/thesis-1"] = view(job(state="waiting", text="comes after sweep"))
    ran = ds01("logs", "thesis-1")
    assert ran.code == 4
    assert "thesis-1 has no log yet; it comes after sweep." in ran.err
    daemon.answers["GET", "/v1/jobs/sweep"] = view(job("sweep-0", array="sweep"), job("sweep-1", array="sweep"))
    assert "sweep is an array; each of its 2 tasks has a log." in ds01("logs", "sweep").err
    daemon.answers["GET", "/v1/jobs/nothing"] = UNKNOWN
    daemon.answers["GET", "/v1/containers/nothing"] = Ds01Error(NO_CONTAINER, "You have no container 'nothing'.")
    assert "You have no container 'nothing'." in ds01("logs", "nothing").err


# looking and giving up -----------------------------------------------------------------------------------


def test_the_list_has_an_array_in_one_line_and_all_tasks_when_asked(ds01: Run, daemon: Daemon) -> None:
    daemon.answers["GET", "/v1/jobs"] = (
        over("first"),
        over("sweep-0", array="sweep", index=0, number=2), job("sweep-1", array="sweep", index=1, number=2),
        job("last", "queued", number=3, text="in the queue"),
    )  # fmt: skip
    ran = ds01("runs")
    assert [line.split("  ")[0] for line in ran.out.splitlines()] == ["NAME", "first", "sweep", "last"]
    assert "0, 1: 1 done, 1 running" in ran.out
    assert len(ds01("runs", "--tasks").out.splitlines()) == 5
    assert [line.split("  ")[0] for line in ds01("runs", "--open").out.splitlines()] == ["NAME", "sweep", "last"]
    assert len(json.loads(ds01("runs", "--json").out)) == 4
    daemon.answers["GET", "/v1/jobs"] = ()
    assert "You have no jobs." in ds01("runs").err


def test_show_says_all_that_is_needed_to_do_it_again(ds01: Run, daemon: Daemon) -> None:
    daemon.answers["GET", "/v1/jobs/thesis-1"] = view(
        over(code=3, commit="abcdef1234567890+", environment={"A": "1"}, planned_seconds=7200, folder="src", retries=2)
    )
    out = ds01("job", "show", "thesis-1").out
    for part in (
        "python train.py", "/workspace/src", "abcdef123456, with changes of yours that are in no commit", "A=1",
        "--gpus 1 --time 2h", "1 of at most 3", "aaaaaaaaaaaa", "thesis-1 failed with exit code 3",
    ):  # fmt: skip
        assert part in out


def test_cancel_ends_jobs_and_says_which_run(ds01: Run, daemon: Daemon) -> None:
    running, waiting = job("sweep-0", array="sweep"), job("sweep-1", "waiting", array="sweep")
    daemon.answers["GET", "/v1/jobs/sweep"] = view(running, waiting)
    gone = job("sweep-1", "ended", array="sweep", text="cancelled", end="cancelled", code=130)
    daemon.answers["DELETE", "/v1/jobs/sweep"] = view(running, gone)
    assert "2 jobs would be given up; sweep-0 would be stopped." in ds01("cancel", "sweep", "--dry-run").err
    ran = ds01("cancel", "sweep")
    assert "✓ 1 job is cancelled before its start." in ran.err
    assert "✓ sweep-0 is being stopped: SIGTERM, then the grace." in ran.err


def test_why_offers_what_would_start_now_as_a_job(ds01: Run, daemon: Daemon) -> None:
    daemon.answers["GET", "/v1/containers/thesis-1/why"] = WhyView(
        name="thesis-1", state="ended", reason="done", summary="thesis-1 is done.", job=True,
        entries=(WhyEntry(at=ago(60), what="you submitted job thesis-1: x."),),
    )  # fmt: skip
    ran = ds01("why", "thesis-1")
    assert "thesis-1 is done." in ran.out
    assert "Next: ds01 runs · ds01 job show thesis-1" in ran.err


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (job(), "is running"),
        (job(text="is being stopped"), "is being stopped"),
        (job(state="queued", text="in the queue"), "is in the queue"),
        (job(state="queued", text="1st of 2 in the queue: full"), "is 1st of 2 in the queue: full"),
        (job(state="queued", text="is about to start"), "is about to start"),
        (job(state="waiting", text="comes after sweep"), "comes after sweep"),
        (over(), "has ended: done"),
    ],
)
def test_how_it_is_goes_on_from_its_name(one: JobView, said: str) -> None:
    assert how(one) == said
