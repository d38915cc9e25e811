"""docs/reference/events.md: every type of event, when it is recorded, and how it reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime

from dev.docs import table
from ds01.domain.events import Event, EventType
from ds01.domain.people import Uid
from ds01.domain.sentences import SENTENCES, Sentence, tell
from ds01.wire.status import EventView

NAME = "events.md"
_NOTE = "Written by `make docs` from `src/ds01/domain/sentences.py`."

_HEAD = """\
Events are what happened, in order, and are never changed: outcomes, not intents. `ds01 events` shows yours, `--follow`
waits for more, `--type lease` and `--since 2h` choose, `--json` is for programs, `--to FILE` writes all of them into a
file. Admins add `--user LOGIN` or `--all`.

## Fields
"""

_FIELDS = {
    "seq": "number, ever growing",
    "at": "when, ISO 8601 in UTC",
    "type": "one of the types below",
    "actor": "login of who did it; `DS01` for itself",
    "user": "login of whose affair it is, empty for the server's own",
    "subject": "what it is about, by its stable id",
    "outcome": "`done`, or how it ended otherwise",
    "details": "names and values, all text, as listed below; any may be missing",
    "text": "the sentence",
    "schema": "the version of the event's form, now 1",
    "actor_uid": "uid of who did it, null for DS01 itself",
    "uid": "uid of whose affair it is, null for the server's own; `account.changed` says when it came to somebody else",
    "hash": "its link to the event before: [how it is made](../explanation/ledger.md#verify-an-export)",
}

_EXAMPLES = {
    "left": "1 image", "names": "image ds01-u1001/app:1 has a name that only DS01 gives",
    "name": "thesis", "container": "3f4e…", "image": "ds01-1001/thesis:latest", "door": "ds01", "slots": "0",
    "gpueq": "1", "gpus": "1", "project": "thesis", "why": "the smallest free slot that fits",
    "until": "2026-03-02T09:45:00+00:00", "reason": "its hold is over", "detail": "", "code": "gpu.quota",
    "login_uid": "1003", "advice": "Run it without --privileged.",
    "message": "You hold 2 GPUs and may hold 2", "method": "POST", "path": "/containers/create",
    "changes": "CgroupParent", "packages": "pandas 2.2.2", "folder": "/workspace/.ds01/rescued/2026-03-02",
    "files": "3", "warnings": "", "problem": "limits.yaml:12:5 defaults.idel: no such key here; did you mean idle?",
    "login": "bob", "before": "alice", "after": "3g.20gb 2g.10gb", "version": "1.0.0", "epoch": "2", "limit": "32G",
    "peak": "32G", "file": "/home/alice/workspace/thesis/.ds01/suggested-packages.txt",
    "killed": "60s", "on_stop": "its on_stop command ended well", "how": "touch /workspace/.keep-alive", "by": "4h",
    "total": "4h", "rule": "idle", "level": "warning", "title": "thesis stops on Mon 02 Mar at 15:30 CET",
    "keys": "idle, runtime", "text": "new driver on Friday from 18:00", "events": "3210",
    "command": "python train.py", "tasks": "10", "attempt": "2", "end": "exit",
    "begins": "Tue 10 Mar 10:00", "ends": "12:00", "dates": "", "people": "alice", "given_back": "2 of 3", "kept": "1",
    "what": "", "stopped": "thesis", "asked": "--gpus 1", "planned": "24h", "waited": "1h20m", "lease": "lease-3f4e…",
}  # fmt: skip

_BOOKING = {"name": "tue-10-00", "asked": "2 GPUs", "until": "12:00", "container": "thesis", "reason": ""}

_SPECIAL = {
    EventType.GPU_DIVIDED: {"name": "1", "before": "off"},
    EventType.CONTAINER_STARTED: {"why": ""},
    EventType.CONTAINER_KEPT: {"why": ""},
    EventType.CONTAINER_EXTENDED: {"why": ""},
    EventType.CONTAINER_STOPPED: {"reason": "idle", "detail": "30m", "why": ""},
    EventType.CONTAINER_PAUSED: {"why": "GPU 2 is mended"},
    EventType.CONTAINER_UNPAUSED: {"why": ""},
    EventType.CONTAINER_UNDONE: {"reason": "idle"},
    EventType.NOTICE_DELIVERED: {"by": "terminals (pts/3)"},
    EventType.NOTICE_UNDELIVERED: {
        "why": "terminals: no terminal she is logged in on; mail: no mail server or no address"
    },
    EventType.EXEMPTION_GRANTED: {"name": "bob", "reason": "thesis deadline"},
    EventType.EXEMPTION_ENDED: {"name": "bob"},
    EventType.PACKAGES_SUGGESTED: {"problem": ""},
    EventType.CONTAINER_REMOVED: {"reason": ""},
    EventType.CONTAINER_QUARANTINED: {"reason": "its devices are not those of its lease"},
    EventType.QUEUE_RETURNED: {"reason": "its GPU was taken out of service"},
    EventType.QUEUE_EXPIRED: {"reason": "nobody claimed it in time"},
    EventType.QUEUE_CANCELLED: {"reason": ""},
    EventType.JOB_RETRIED: {"reason": "lost: the server restarted"},
    EventType.JOB_ENDED: {"detail": "3", "code": "3"},
    **{kind: _BOOKING for kind in EventType if kind.value.startswith("booking.")},
    EventType.LEASE_REVOKED: {"reason": "its GPU is gone"},
    EventType.DOOR_ALLOWED: {"rule": "E1"},
    EventType.DOOR_DENIED: {"rule": "E1", "reason": "privileged containers are not allowed here"},
    EventType.DOOR_OBSERVED: {"rule": "create.privileged", "reason": "privileged containers are not allowed here"},
    EventType.DOOR_CLOSED: {"path": "/run/ds01/u/1001-1/docker.sock", "reason": "Not a directory"},
    EventType.DOOR_GLASS: {"path": "/v1.41/volumes/old", "method": "DELETE", "reason": "what the old system left"},
    EventType.CONTAINER_CORRECTED: {"reason": "it may use more than it was granted"},
    EventType.CONTAINER_OUTSIDE: {"name": "grafana", "reason": "it was made beside DS01"},
    EventType.CONTAINER_SILENT: {"reason": "it could not be stopped yet"},
    EventType.GUARD_REFUSED: {"reason": "it asks for a start that DS01 did not grant"},
    EventType.SLOT_QUARANTINED: {"name": "2", "reason": "Xid 79: the GPU has fallen off the bus"},
    EventType.SLOT_VANISHED: {"name": "2"},
}  # fmt: skip


def page() -> str:
    """The page."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield from ("# Events", "", _NOTE, "", _HEAD)
    yield from table(("field", "meaning"), ((f"`{field.name}`", _FIELDS[field.name]) for field in fields(EventView)))
    yield from ("", "## Types", "")
    for sentence in SENTENCES.values():
        details = ", ".join(f"`{name}`" for name in sentence.details) or "none"
        yield from (
            f"### {sentence.type.value}",
            "",
            f"{sentence.when} Subject: {sentence.subject}. Details: {details}.",
            "",
            f"> {_example(sentence)}",
            "",
        )


def _example(sentence: Sentence) -> str:
    details = {name: _EXAMPLES[name] for name in sentence.details} | _SPECIAL.get(sentence.type, {})
    subject = "ds01-1001/thesis:latest" if sentence.type.value.startswith("image.") else "3f4e…"
    event = Event(
        at=datetime(2026, 3, 2, 9, tzinfo=UTC), type=sentence.type, actor=Uid(1001), uid=Uid(1001),
        subject=subject, details=details,
    )  # fmt: skip
    return tell(event, "alice")
