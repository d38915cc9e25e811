"""``ds01 admin metrics rules``: the rules and alerts that fit what ds01d measures."""

from __future__ import annotations

from ds01.cli.call import Call
from ds01.cli.files import deliver


def run(call: Call, *, to: str | None) -> int:
    """Print them, or write each into its file."""
    from ds01.monitoring import prometheus

    if deliver(call, prometheus.files(), to):
        call.talk.next("promtool check rules FILE", "ds01 admin metrics dashboards")
    return 0
