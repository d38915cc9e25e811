"""Every event reads as a sentence."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ds01.domain.events import Event, EventType
from ds01.domain.people import Uid
from ds01.domain.sentences import SENTENCES, tell, who_did

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


def event(type_: EventType, /, *, actor: int | None = 1001, **details: str) -> Event:
    who = None if actor is None else Uid(actor)
    return Event(at=AT, type=type_, actor=who, uid=who, subject="ab" * 32, details=details)


def with_all(type_: EventType) -> Event:
    details = dict.fromkeys(SENTENCES[type_].details, "thing")
    return replace(event(type_), details=details)


@pytest.mark.parametrize("kind", list(EventType))
def test_every_type_of_event_has_a_sentence_with_and_without_details(kind: EventType) -> None:
    bare = tell(event(kind), "you")
    full = tell(with_all(kind), "you")
    for said in (bare, full):
        assert said.endswith(".")
        assert not said.endswith("..")
        assert "{" not in said
        assert "  " not in said
    assert SENTENCES[kind].when.endswith(".")


def test_the_name_is_shown_and_the_id_only_without_one() -> None:
    assert tell(event(EventType.CONTAINER_PAUSED, name="thesis"), "alice") == "alice paused thesis."
    assert tell(event(EventType.CONTAINER_PAUSED), "alice") == "alice paused abababababab."


def test_an_image_is_named_in_full() -> None:
    built = replace(event(EventType.IMAGE_BUILT), subject="ds01-1722830498/thesis:latest")
    assert tell(built, "you") == "you built image ds01-1722830498/thesis:latest."


def test_a_stop_carries_its_reason() -> None:
    said = tell(event(EventType.CONTAINER_STOPPED, name="thesis", reason="exit", detail="137"), "DS01")
    assert (
        said
        == "thesis stopped: its program was killed from outside, without a chance to save (SIGKILL), exit code 137."
    )
    assert tell(event(EventType.CONTAINER_STOPPED, name="thesis", reason="new-word"), "DS01").endswith(": new-word.")


def test_gpus_are_counted_and_times_are_for_people() -> None:
    until = "2026-03-02T09:45:00+00:00"
    kept = event(EventType.LEASE_HELD, name="thesis", slots="2", until=until)
    granted = event(EventType.LEASE_GRANTED, name="thesis", slots="2, 3")
    started = event(EventType.CONTAINER_STARTED, name="thesis", slots="2, 3")
    assert tell(kept, "you") == "GPU 2 of thesis is kept for it until 2026-03-02 09:45 UTC."
    assert tell(granted, "you") == "GPUs 2, 3 were reserved for thesis."
    assert tell(started, "you") == "you started thesis with GPUs 2, 3."
    assert tell(event(EventType.LEASE_RELEASED, name="thesis"), "you") == "the GPU of thesis went back."


def test_a_stop_by_somebody_says_by_whom() -> None:
    said = event(EventType.CONTAINER_STOPPED, name="thesis", reason="admin", detail="carol")
    assert tell(said, "DS01") == "thesis was stopped by admin carol."
    said = event(EventType.CONTAINER_STOPPED, name="thesis", reason="user")
    assert tell(said, "you") == "thesis was stopped by you."


def test_who_did_it() -> None:
    names = {1001: "alice"}.__getitem__
    assert who_did(event(EventType.IMAGE_BUILT), names, viewer=1001) == "you"
    assert who_did(event(EventType.IMAGE_BUILT), names, viewer=7) == "alice"
    assert who_did(event(EventType.IMAGE_BUILT, actor=None), names, viewer=7) == "DS01"


@pytest.mark.parametrize(
    ("changes", "said"),
    [("", ""), ("2 times", ", 2 times"), ("3 refusals before it; 2 times", ", 3 refusals before it, 2 times"),
     ("create.shm: a; create.cpus: b", ", changed: create.shm: a; create.cpus: b"),
     ("create.shm: a; and 4 more; 2 times", ", changed: create.shm: a; and 4 more, 2 times")],
)  # fmt: skip
def test_how_often_something_was_asked_is_no_change(changes: str, said: str) -> None:
    asked = event(EventType.DOOR_ALLOWED, method="POST", path="/x", rule="r", changes=changes)
    assert tell(asked, "anna") == f"the gateway allowed POST /x of anna (rule r){said}."
    refused = replace(asked, type=EventType.DOOR_DENIED, details={**asked.details, "reason": "no"})
    assert tell(refused, "anna").endswith(f"(rule r): no{said}.")
