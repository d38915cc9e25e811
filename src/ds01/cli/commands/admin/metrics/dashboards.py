"""``ds01 admin metrics dashboards``: what ds01d measures, in pictures."""

from __future__ import annotations

from ds01.cli.call import Call
from ds01.cli.files import deliver


def run(call: Call, *, to: str | None) -> int:
    """Print them, or write each into its file."""
    from ds01.monitoring import grafana

    if deliver(call, grafana.files(), to):
        call.talk.next("ds01 admin metrics rules, which they need")
    return 0
