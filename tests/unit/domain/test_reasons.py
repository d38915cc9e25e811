"""Why a container stopped, as people read it."""

import pytest

from ds01.domain.container import StopReason
from ds01.domain.jobs.job import JobEnd
from ds01.domain.jobs.words import words as job_words
from ds01.domain.reasons import advice, exit_meaning, oom_detail, words

GIB = 1024**3


@pytest.mark.parametrize("reason", list(StopReason))
def test_e6_every_reason_has_words_with_and_without_a_detail(reason: StopReason) -> None:
    assert words(reason) == words(reason).strip(" :(") != ""
    assert words(reason, "x").strip()
    again = "undo thesis" if reason in (StopReason.IDLE, StopReason.RUNTIME) else "start thesis"
    assert again in advice(reason, "0", "thesis") or reason in {
        StopReason.EXIT, StopReason.QUARANTINE, StopReason.RETIRED, StopReason.ADMIN,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("code", "said"),
    [(0, "ended normally"), (1, "error of its own"), (127, "not found"), (134, "SIGABRT"), (137, "SIGKILL"),
     (139, "SIGSEGV"), (143, "SIGTERM"), (255, "error of its own")],
)  # fmt: skip
def test_e6_an_exit_code_is_explained(code: int, said: str) -> None:
    assert said in exit_meaning(code)
    assert str(code) in words(StopReason.EXIT, str(code))


def test_e6_out_of_memory_says_peak_and_limit() -> None:
    assert words(StopReason.OOM, oom_detail(31 * GIB, 32 * GIB)) == "out of memory (used 31G of 32G)"
    assert words(StopReason.OOM, oom_detail(None, 32 * GIB)) == "out of memory (its limit is 32G)"
    assert words(StopReason.OOM, oom_detail(31 * GIB, 0)) == "out of memory (used 31G)"
    assert words(StopReason.OOM, oom_detail(None, 0)) == "out of memory"


def test_e6_what_gave_way_went_to_no_higher_priority() -> None:
    """Who is preemptible gives way to anybody who waits for the GPU or has it booked."""
    said = "gave way to somebody else, who was to have its GPU"
    assert words(StopReason.PREEMPTED) == job_words(JobEnd.PREEMPTED, "") == said


def test_e6_it_says_who_did_it() -> None:
    assert words(StopReason.ADMIN, "carol") == "stopped by admin carol"
    assert words(StopReason.USER, owner="alice") == "stopped by alice"
