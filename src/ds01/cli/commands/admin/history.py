"""``ds01 admin history``: what everybody leased, as a trace for the simulator."""

from __future__ import annotations

import csv
import io

from ds01.cli.call import Call

HEADING = ("job_id", "user", "submit_s", "duration_s", "gpus", "asked_s", "idle_s", "held_s")


def run(call: Call, *, since: str | None) -> int:
    """Print the trace."""
    jobs = call.client.history(since or "")
    if call.talk.json:
        call.talk.emit(jobs)
        return 0
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(HEADING)
    lines.writerows([getattr(job, name) for name in HEADING] for job in jobs)
    for line in text.getvalue().splitlines():
        call.talk.data(line)
    if not jobs:
        call.talk.say("No GPU was leased in that time.")
    return 0
