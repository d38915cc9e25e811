"""Jobs on a real engine: what a command gets, how it ends, and that ds01d may be killed at any moment of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from dev import tiny
from dev.people import acting_as

from ds01.client.daemon import Client
from ds01.wire.jobs import JobRequest, JobsView, JobView
from tests.engine.daemon.conftest import Daemon, Docker, User, eventually

pytestmark = [pytest.mark.engine, pytest.mark.root]


def submit(user: User, script: str, **changes: object) -> JobsView:
    values: dict[str, object] = {
        "command": ("sh", "-c", script), "project": "thesis", "workspace": str(user.workspace()),
        "image": tiny.REFERENCE, "gpus": "0",
    }  # fmt: skip
    found = user.ask("submit", JobRequest(**{**values, **changes}))  # type: ignore[arg-type]
    assert isinstance(found, JobsView)
    return found


def job(user: User, name: str) -> JobView:
    found = user.ask("job", name)
    assert isinstance(found, JobsView)
    return found.jobs[0]


def state(user: User, name: str) -> str:
    return job(user, name).state


def ended(user: User, name: str) -> JobView:
    """Wait for its end and for everything it had to be given back."""
    eventually(lambda: state(user, name) == "ended")
    eventually(lambda: all(container.name != name for container in user.containers()))
    return job(user, name)


def log(view: JobView) -> str:
    return Path(view.log).read_text()


def test_a_command_has_its_gpu_its_folder_and_a_log_of_its_own(alice: User, docker: Docker) -> None:
    alice.person.run("mkdir", "-p", str(alice.workspace() / "src"))
    script = 'pwd; id -u; ls /dev | grep nvidia; echo "to stderr" >&2; echo "$SEED $DS01_JOB"; echo x >out; exit 3'
    (view,) = submit(alice, script, gpus="2", folder="src", environment={"SEED": "7"}).jobs
    done = ended(alice, view.name)
    assert (done.end, done.exit_code, done.code, done.attempt) == ("exit", 3, 3, 1)
    assert log(done).splitlines() == [
        "/workspace/src", str(alice.uid), "nvidia0", "nvidia1", "to stderr", f"7 {view.name}",
    ]  # fmt: skip
    assert Path(done.log).stat().st_uid == alice.uid
    assert (alice.workspace() / "src" / "out").stat().st_uid == alice.uid
    assert done.gpus == ("0", "1")
    assert not alice.daemon.root().leases(everybody=True)
    assert docker("ps", "-aq", "--filter", "label=ds01.owner.uid") == ""


def test_a_command_that_is_not_there_says_so_in_its_log(alice: User) -> None:
    (view,) = submit(alice, "", command=("nosuchprogram",)).jobs
    done = ended(alice, view.name)
    assert done.exit_code == 127
    assert "nosuchprogram" in log(done)


def test_a_folder_that_is_gone_is_said_in_the_log(alice: User) -> None:
    (view,) = submit(alice, "true", folder="nowhere").jobs
    done = ended(alice, view.name)
    assert done.exit_code == 74
    assert "/workspace/nowhere, is not there" in log(done)


def test_e5_when_its_time_is_over_every_process_gets_sigterm_and_the_grace(alice: User) -> None:
    child = "trap 'sleep 1; echo saved; exit 0' TERM; echo training; while :; do sleep 0.1; done"
    (view,) = submit(alice, f'sh -c "{child}" & wait; echo after', time_seconds=8).jobs
    done = ended(alice, view.name)
    assert (done.end, done.code) == ("runtime", 124)
    assert "saved" in log(done)
    assert done.text == "out of time: it had 8s"


def test_one_that_ignores_sigterm_is_killed_at_the_end_of_the_grace(alice: User) -> None:
    (view,) = submit(alice, "trap '' TERM; while :; do sleep 0.1; done").jobs
    eventually(lambda: state(alice, view.name) == "running")
    alice.ask("cancel_job", view.name)
    done = ended(alice, view.name)
    assert (done.end, done.text) == ("cancelled", "cancelled")


def test_a_program_that_ends_well_because_it_was_asked_to_is_not_done(alice: User, docker: Docker) -> None:
    """Somebody with the engine's own socket stops it; that the program took it well does not make it a success."""
    (view,) = submit(alice, "trap 'exit 0' TERM; while :; do sleep 0.1; done", retries=0).jobs
    eventually(lambda: state(alice, view.name) == "running")
    docker("stop", "-t", "5", alice.container(view.name).id)
    assert ended(alice, view.name).exit_code == 143


def test_out_of_memory_is_told_with_the_limit(alice: User) -> None:
    (view,) = submit(alice, "exec tail /dev/zero").jobs
    done = ended(alice, view.name)
    assert (done.end, done.code) == ("oom", 137)
    assert "256M" in done.text


def test_f6_a_job_waits_in_the_same_queue_and_starts_by_itself(alice: User, bob: User) -> None:
    bob.launch("all", gpus="4")
    (view,) = submit(alice, "echo ran", gpus="1").jobs
    seen = job(alice, view.name)
    assert seen.place is not None
    assert (seen.state, seen.place.place, seen.place.of, seen.place.job) == ("queued", 1, 1, True)
    bob.ask("retire", "all")
    assert ended(alice, view.name).code == 0


def test_an_array_then_what_needs_all_of_it(alice: User) -> None:
    tasks = submit(alice, 'echo "$DS01_ARRAY_INDEX" >>results', name="sweep", array="0-3%2").jobs
    submit(alice, "sort results | tr '\\n' ' '", name="best", after=("sweep",))
    assert state(alice, "best") == "waiting"
    done = ended(alice, "best")
    assert log(done) == "0 1 2 3 "
    assert [job(alice, task.name).code for task in tasks] == [0, 0, 0, 0]


# ds01d is killed -----------------------------------------------------------------------------------------


def again(daemon: Daemon) -> None:
    daemon.kill()
    daemon.start()


def test_killed_while_it_waits_runs_and_ends(alice: User, bob: User, daemon: Daemon, docker: Docker) -> None:
    bob.launch("all", gpus="4")
    (view,) = submit(alice, "echo begun; until [ -e go ]; do sleep 0.1; done; echo over; exit 5", gpus="1").jobs
    again(daemon)
    assert state(alice, view.name) == "queued"
    bob.ask("retire", "all")
    eventually(lambda: state(alice, view.name) == "running")
    container = alice.container(view.name).id
    again(daemon)
    assert alice.container(view.name).id == container
    daemon.kill()
    alice.person.run("touch", str(alice.workspace() / "go"))
    eventually(lambda: docker("inspect", "-f", "{{.State.Status}}", container) == "exited")
    daemon.start()
    done = ended(alice, view.name)
    assert (done.exit_code, done.attempt) == (5, 1)
    assert log(done) == "begun\nover\n"


def test_whoever_waits_for_it_waits_over_a_restart(alice: User, daemon: Daemon) -> None:
    (view,) = submit(alice, "sleep 3; exit 4").jobs
    with acting_as(alice.person):
        stream = Client(str(daemon.socket)).follow_job(view.name)
        next(stream)
    again(daemon)
    found = alice.ask("wait_job", view.name)
    assert isinstance(found, JobsView)
    assert found.jobs[0].code == 4


def test_why_tells_the_whole_story_also_when_it_is_gone(alice: User) -> None:
    (view,) = submit(alice, "exit 3", gpus="1").jobs
    ended(alice, view.name)
    story = alice.ask("why", view.name)
    told = [entry.what for entry in story.entries]  # type: ignore[attr-defined]
    for part in (
        "you submitted job", "waits for its turn with --gpus 1.", "it is the turn of", "started.",
        "failed with exit code 3.", "its job is over.",
    ):  # fmt: skip
        assert any(part in line for line in told), (part, told)
