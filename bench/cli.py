"""The command line: what typing a command costs, on a server with 200 containers."""

from __future__ import annotations

from collections.abc import Iterator

from bench.row import Row, interleaved, p50
from bench.stage import MANY, crowd

TIMES = 21
BUDGETS = {("--help",): 60, ("status",): 100, ("list",): 150, ("greet",): 50, ("__complete", "ds01", "stop", ""): 100}


def measure() -> Iterator[Row]:
    """Each command, interleaved with the Python that starts it doing nothing."""
    user = crowd().ben
    python = str(user.commands / "python")
    commands = [lambda words=words: user.ds01(*words) for words in BUDGETS]
    nothing, *ours = interleaved(TIMES, lambda: user.person.run(python, "-I", "-c", "pass"), *commands)
    for (words, budget), taken in zip(BUDGETS.items(), ours, strict=True):
        yield Row(
            path=f"ds01 {' '.join(words)} ({MANY} containers)", ours=p50(taken), unit="ms", peer_name="python -c pass",
            peer=p50(nothing), rule=f"≤ {budget} ms", judged=p50(taken), budget=budget,
        )  # fmt: skip
