"""How a job ended, from how its container did, and whether it is tried again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ds01.domain.container import ContainerId, ContainerState, StopReason
from ds01.domain.gpu_ask import GpuAsk
from ds01.domain.jobs.after import After, Standing, read, split
from ds01.domain.jobs.ending import SETTLED, Ending, ending, worth_another
from ds01.domain.jobs.job import Job, JobEnd, JobId, JobState, asked_to_end, ended
from ds01.domain.jobs.words import advice, code, words
from ds01.domain.people import Uid
from tests.values import NOW, container

JOB = Job(
    id=JobId("job-1"), uid=Uid(1001), epoch=1, number=1, name="thesis-1", submitted_at=NOW, ask=GpuAsk(), order="{}",
    state=JobState.RUNNING, attempt=1, retries=1, container=ContainerId("c"), started_at=NOW,
    planned=timedelta(hours=1),
)  # fmt: skip


def found(reason: StopReason | None, detail: str = "", *, job: Job = JOB, lost: str = "") -> Ending | None:
    stopped = replace(
        container("thesis-1", state=ContainerState.STOPPED), reason=reason, reason_detail=detail, stopped_at=NOW
    )
    return ending(job, stopped, NOW, gpu_lost=lost)


def test_while_its_container_is_there_it_goes_on() -> None:
    for state in (ContainerState.RUNNING, ContainerState.PAUSED, ContainerState.QUARANTINED):
        assert ending(JOB, container("thesis-1", state=state), NOW) is None


@pytest.mark.parametrize(
    ("reason", "detail", "end", "exit_code"),
    [
        (StopReason.EXIT, "0", JobEnd.EXIT, 0),
        (StopReason.EXIT, "3", JobEnd.EXIT, 3),
        (StopReason.OOM, "1/2", JobEnd.OOM, None),
        (StopReason.USER, "", JobEnd.CANCELLED, None),
        (StopReason.RETIRED, "", JobEnd.CANCELLED, None),
        (StopReason.ADMIN, "carol", JobEnd.CANCELLED, None),
        (StopReason.RUNTIME, "1h", JobEnd.RUNTIME, None),
        (StopReason.IDLE, "30m", JobEnd.IDLE, None),
        (StopReason.ENGINE, "", JobEnd.ENGINE, None),
        (StopReason.HOST_RESTART, "", JobEnd.HOST_RESTART, None),
        (StopReason.QUARANTINE, "Xid 79", JobEnd.QUARANTINE, None),
        (StopReason.PREEMPTED, "", JobEnd.PREEMPTED, None),
        (StopReason.GPU_HOLD, "", JobEnd.ENGINE, None),
        (None, "", JobEnd.ENGINE, None),
    ],
)
def test_its_end_follows_from_the_containers(
    reason: StopReason | None, detail: str, end: JobEnd, exit_code: int | None
) -> None:
    assert found(reason, detail) == Ending(end=end, detail=detail, exit_code=exit_code)


def test_a_container_that_is_gone_from_the_ledger_was_lost() -> None:
    assert ending(JOB, None, NOW) == Ending(end=JobEnd.ENGINE)


def test_what_was_asked_for_is_the_reason() -> None:
    asked = asked_to_end(asked_to_end(JOB, JobEnd.RUNTIME, "1h"), JobEnd.CANCELLED)
    assert found(StopReason.EXIT, "0", job=asked) == Ending(end=JobEnd.RUNTIME, detail="1h")


def test_an_end_by_signal_waits_until_it_is_settled() -> None:
    assert found(StopReason.EXIT, "137") is None
    stopped = replace(
        container("x", state=ContainerState.STOPPED), reason=StopReason.EXIT, reason_detail="137", stopped_at=NOW
    )
    assert ending(JOB, stopped, NOW + SETTLED) == Ending(end=JobEnd.EXIT, detail="137", exit_code=137)


def test_a_failure_with_an_ill_gpu_is_the_gpus_and_a_success_is_not() -> None:
    assert found(StopReason.EXIT, "1", lost="Xid 79") == Ending(end=JobEnd.QUARANTINE, detail="Xid 79")
    assert found(StopReason.EXIT, "0", lost="Xid 79") == Ending(end=JobEnd.EXIT, detail="0", exit_code=0)


def test_what_gave_way_is_repeated_however_often_unless_somebody_ended_it() -> None:
    assert worth_another(replace(JOB, attempt=9), Ending(end=JobEnd.PREEMPTED))
    assert not worth_another(asked_to_end(JOB, JobEnd.CANCELLED), Ending(end=JobEnd.PREEMPTED))


@pytest.mark.parametrize("end", [end for end in JobEnd if end is not JobEnd.PREEMPTED])
def test_only_what_the_server_did_is_repeated(end: JobEnd) -> None:
    fault = end in (JobEnd.ENGINE, JobEnd.HOST_RESTART, JobEnd.QUARANTINE)
    assert worth_another(JOB, Ending(end=end)) is fault
    assert not worth_another(replace(JOB, attempt=2), Ending(end=end))
    assert not worth_another(asked_to_end(JOB, JobEnd.CANCELLED), Ending(end=end))


@pytest.mark.parametrize("end", JobEnd)
def test_every_end_has_words_and_a_code(end: JobEnd) -> None:
    for detail in ("", "3", "1/2"):
        assert words(end, detail)
        assert not words(end, detail).endswith(".")
    assert not advice(end) or advice(end).endswith(".")
    assert code(ended(JOB, end, NOW)) in (1, 124, 130, 137)


def test_the_words_say_what_matters() -> None:
    assert words(JobEnd.EXIT, "0") == "done"
    assert words(JobEnd.EXIT, "3") == "failed: exit code 3"
    assert words(JobEnd.EXIT, "139") == (
        "failed: exit code 139, it crashed: it touched memory that is not its own (SIGSEGV)"
    )
    assert words(JobEnd.CANCELLED, "carol") == "cancelled by admin carol"
    assert code(ended(JOB, JobEnd.EXIT, NOW, detail="3", exit_code=3)) == 3


def test_what_it_comes_after_is_kept_and_read() -> None:
    for after in (After(number=17), After(number=17, index=3), After(number=1, index=0, anyhow=True)):
        assert read(after.kept) == after
    assert split("sweep") == ("sweep", False)
    assert split("sweep:ok") == ("sweep", False)
    assert split("sweep:any") == ("sweep", True)
    with pytest.raises(ValueError, match="NAME:any"):
        split("sweep:perhaps")


def test_it_may_run_once_all_tasks_are_done() -> None:
    assert After(number=1).standing(going=True, failed=False) is Standing.NOT_YET
    assert After(number=1).standing(going=True, failed=True) is Standing.NEVER
    assert After(number=1).standing(going=False, failed=True) is Standing.NEVER
    assert After(number=1, anyhow=True).standing(going=True, failed=True) is Standing.NOT_YET
    assert After(number=1, anyhow=True).standing(going=False, failed=True) is Standing.READY
    assert After(number=1, index=0).standing(going=False, failed=False) is Standing.READY


def test_only_what_runs_has_a_deadline() -> None:
    assert JOB.deadline == NOW + timedelta(hours=1)
    assert replace(JOB, planned=None).deadline is None
    assert replace(JOB, state=JobState.WAITING).deadline is None
