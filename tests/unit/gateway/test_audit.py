"""The record of decisions: whatever a user writes, the ledger can hold it."""

from __future__ import annotations

from ds01.gateway.audit import CHANGES, LENGTH, recordable
from ds01.wire.door import DoorAudit


def test_a_record_is_text_of_a_bounded_length() -> None:
    entry = recordable(
        DoorAudit(
            uid=1, method="POST", path="/b\udcff", subject="\ud800", outcome="denied", rule="r",
            reason="\x1b[31m" + "x" * 10_000, changes=tuple(f"é\udc80{n}" for n in range(100)),
        )
    )  # fmt: skip
    texts = (entry.path, entry.subject, entry.reason, *entry.changes)
    assert all(text.encode("utf-8") and text.isprintable() and len(text) <= LENGTH for text in texts)
    assert (entry.path, entry.subject) == ("/b\\udcff", "\\ud800")
    assert entry.reason.startswith("\\x1b[31mxxx")
    assert len(entry.changes) == CHANGES + 1
    assert entry.changes[-1] == "and 80 more"
