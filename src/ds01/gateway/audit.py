"""The record of decisions: every change and every refusal, with its rule.

Records go to ds01d in small batches, so that no request waits for the disk. A refusal does not wait for its batch when
none was sent a moment ago: who is refused looks it up next. When they cannot be written any more, nothing may be
changed any more: what is not recorded does not happen. Only giving back goes on. Equal records in one batch are
counted, not repeated, in the place of the latest. Of a user's refusals, and of what else she does, only so many are
written one by one, in the log too, so that nobody fills the disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace

import structlog

from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.gateway.door import Door
from ds01.gateway.held import DoorDownError
from ds01.wire.door import DoorAudit

SOON_SECONDS = 0.005
BATCH_SECONDS = 0.2
PENDING = 5000
PER_USER = 50
"""Refusals of one user that wait to be sent; what is beyond is counted in one more."""

CHANGES_PER_USER = 500
"""The same for what was allowed: more than an engine does between two batches."""

REFUSALS = 2000
"""Refusals of one user that are recorded one by one in quick succession."""

REFUSALS_PER_SECOND = 0.1
"""How many more each second allows; what is beyond is counted and told by the next record."""

ALLOWED, ALLOWED_PER_SECOND = 5000, 0.5
"""The same for what is no refusal: more than people and their tools do, and no more than a disk holds."""

LENGTH = 300
"""Characters of one text in a record."""

CHANGES = 20
"""Changes of one request that are recorded one by one."""

_LOG = structlog.get_logger("ds01.gateway.audit")


class Audit:
    """Collects records and sends them."""

    def __init__(self, door: Door, clock: Callable[[], float] = time.monotonic) -> None:
        self._door = door
        refusals = Budget(clock, most=REFUSALS, per_second=REFUSALS_PER_SECOND, what="refusals")
        allowed = Budget(clock, most=ALLOWED, per_second=ALLOWED_PER_SECOND, what="records")
        self._budgets = {"denied": refusals, "observed": refusals, "allowed": allowed}
        self._pending: Counter[DoorAudit] = Counter()
        self._waiting: Counter[tuple[int, str]] = Counter()
        self._fresh: list[tuple[DoorAudit, Mapping[str, float]]] = []
        self._failing = ""
        """Why nothing can be written down; empty as long as it can."""
        self._wake = asyncio.Event()
        self._refused = asyncio.Event()

    def record(self, entry: DoorAudit, **told: float) -> None:
        """Remember a decision. ``told`` is for the log alone: by figures equal records would differ.

        It is put down a moment later, so that whoever was answered does not wait for it with what she asks next.
        """
        if not self._fresh:
            asyncio.get_running_loop().call_later(SOON_SECONDS, self.put_down)
        self._fresh.append((entry, told))

    def put_down(self) -> None:
        """Log what was recorded since, and put it among what is sent."""
        fresh, self._fresh = self._fresh, []
        for entry, told in fresh:
            self._one(recordable(entry), told)

    def _one(self, entry: DoorAudit, told: Mapping[str, float]) -> None:
        budget = self._budgets.get(entry.outcome)
        if budget is None:
            _log(entry, told)
        elif entry not in self._pending:
            if not budget.allow(entry.uid):
                return
            entry = budget.told(entry)
            _log(entry, told)
        if entry not in self._pending:
            self._waiting[entry.uid, entry.outcome] += 1
            most = CHANGES_PER_USER if entry.outcome == "allowed" else PER_USER
            if self._waiting[entry.uid, entry.outcome] > most:
                entry = DoorAudit(uid=entry.uid, method="", path="", subject="", outcome=entry.outcome, rule="many",
                                  reason="more of the same user's in the same moment")  # fmt: skip
        _count(self._pending, entry, 1)
        self._wake.set()
        if entry.outcome == "denied":
            self._refused.set()

    def check_writable(self, *, frees: bool = False) -> None:
        """Raises RefusedError (503) when nothing can be recorded. What ``frees`` something may happen as long as
        there is room for its record to wait: on a full disk nobody could make room otherwise.
        """
        if (self._failing and not frees) or len(self._pending) + len(self._fresh) > PENDING:
            why = self._failing or "too much waits for it"
            raise RefusedError(
                "audit.failing", f"This goes on the record, which cannot be written right now: {why}",
                "Try again in a moment; if it stays, tell your admin.", status=503,
            )  # fmt: skip

    async def run(self) -> None:
        """Send, for as long as the gateway runs, at most once in ``BATCH_SECONDS``."""
        loop = asyncio.get_running_loop()
        next_at = loop.time()
        while True:
            await self._wake.wait()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(BATCH_SECONDS):
                    await self._refused.wait()
            await asyncio.sleep(next_at - loop.time())
            await self.flush()
            next_at = loop.time() + BATCH_SECONDS

    async def flush(self) -> None:
        """Send what is pending. What cannot be sent stays, and so does what is broken off: where ds01d took it and its
        answer was lost, it is on the record twice, and that is better than not at all.
        """
        self.put_down()
        self._wake.clear()
        self._refused.clear()
        batch, self._pending = self._pending, Counter()
        if not batch:
            return
        try:
            await self._door.audit([_counted(entry, count) for entry, count in batch.items()])
            self._failing = ""
            self._waiting = Counter((entry.uid, entry.outcome) for entry in self._pending)
        except (DoorDownError, RefusedError) as error:
            if not self._failing:
                _LOG.warning("audit.failing", reason=str(error))
            self._failing = _within(str(error)) or "ds01d does not say why"
            self._keep(batch)
        except BaseException:
            self._keep(batch)
            raise

    def _keep(self, batch: Counter[DoorAudit]) -> None:
        since, self._pending = self._pending, batch
        for entry, count in since.items():
            _count(self._pending, entry, count)
        self._wake.set()


def _within(sentence: str) -> str:
    """A sentence as it goes on after a colon; names stay as they are written."""
    return sentence[:1].lower() + sentence[1:] if sentence[1:2].islower() or sentence[1:2] == " " else sentence


class Budget:
    """How many records of each user may still be written, and how many were not; ``what`` they are."""

    def __init__(self, clock: Callable[[], float], *, most: int, per_second: float, what: str) -> None:
        self._clock = clock
        self._most = float(most)
        self._per_second = per_second
        self._what = what
        self._left: dict[int, tuple[float, float]] = {}
        self._unwritten: Counter[int] = Counter()

    def allow(self, uid: int) -> bool:
        """Whether one more may be written."""
        now = self._clock()
        left, since = self._left.get(uid, (self._most, now))
        left = min(self._most, left + (now - since) * self._per_second)
        self._left[uid] = (left - 1 if left >= 1 else left, now)
        if left < 1:
            self._unwritten[uid] += 1
        return left >= 1

    def told(self, entry: DoorAudit) -> DoorAudit:
        """The record, with the number of those before it that were not written."""
        missing = self._unwritten.pop(entry.uid, 0)
        return replace(entry, changes=(*entry.changes, f"{missing} {self._what} before it")) if missing else entry


def recordable(entry: DoorAudit) -> DoorAudit:
    """The entry in text that every ledger can hold: what a user wrote must not be able to stop the record."""
    changes = [_plain(change) for change in entry.changes[:CHANGES]]
    if len(entry.changes) > CHANGES:
        changes.append(f"and {len(entry.changes) - CHANGES} more")
    return replace(
        entry, path=_plain(entry.path), subject=_plain(entry.subject), reason=_plain(entry.reason),
        advice=_plain(entry.advice), changes=tuple(changes),
    )  # fmt: skip


def _plain(text: str) -> str:
    """Text without control characters and without what is no character, at most ``LENGTH`` of it."""
    if len(text) <= LENGTH and text.isprintable():
        return text
    spelled = text[:LENGTH].encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in spelled)[:LENGTH]


def _log(entry: DoorAudit, told: Mapping[str, float]) -> None:
    _LOG.info(
        "request", uid=entry.uid, login_uid=entry.login_uid, method=entry.method, path=entry.path,
        subject=entry.subject, outcome=entry.outcome, rule=entry.rule, reason=entry.reason,
        changes=list(entry.changes), **told,
    )  # fmt: skip


def _count(pending: Counter[DoorAudit], entry: DoorAudit, count: int) -> None:
    """Add a record that came so many times, as the latest."""
    pending[entry] = pending.pop(entry, 0) + count


def _counted(entry: DoorAudit, count: int) -> DoorAudit:
    if count == 1:
        return entry
    return replace(entry, changes=(*entry.changes, f"{count} times"))
