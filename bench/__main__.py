"""Runs the benchmarks and prints one table; ``--write`` keeps it in docs/reference/performance.md.

make bench                       everything
make bench ARGS="cli ledger"     only these
make bench ARGS="--write"        and write the page
make bench ARGS="cli --write"    and put these into the page, in place of what it had of them
make bench ARGS="sched --slurm"  the queue, and jobs end to end beside Slurm's
DS01_BENCH_ENGINE=26 make bench  on Docker Engine 26 instead of this machine's
"""

from __future__ import annotations

import argparse
import os
import pkgutil
import platform
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

import bench
from bench import slurm
from bench.row import Row, measure

PAGE = Path(__file__).resolve().parent.parent / "docs/reference/performance.md"
ALONE = ("jobs", "ledger", "sched", "watch")
"""Those that need no server."""
NO_BENCHMARKS = ("__main__", "row", "slurm", "stage")
HEADINGS = ("path", "ours", "peer", "ratio", "budget", "kept")


def found() -> list[str]:
    """The names of all benchmarks."""
    return sorted(m.name for m in pkgutil.iter_modules(bench.__path__) if m.name not in NO_BENCHMARKS)


Cells = tuple[str, ...]


def cells(row: Row) -> Cells:
    """A row as the table shows it."""
    peer = f"{_figure(row.peer)} {row.unit} ({row.peer_name})" if row.peer is not None else "-"
    ratio = f"{row.ratio:.2f}" if row.ratio is not None else "-"
    return (row.path, f"{_figure(row.ours)} {row.unit}", peer, ratio, row.rule, "yes" if row.met else "NO")


def table(rows: Iterable[Cells]) -> str:
    """The table, as Markdown that is also readable on a terminal."""
    lines = [HEADINGS, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    shown = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    return "\n".join([shown[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *shown[1:]])


def merged(page: str, rows: Iterable[Cells]) -> list[Cells]:
    """The rows of a page, with these in place of those of the same paths."""
    lines = [line.strip("| ").split("|") for line in page.splitlines() if line.startswith("| ")]
    had = {line[0].strip(): tuple(cell.strip() for cell in line) for line in lines[1:]}
    return [*(had | {row[0]: row for row in rows}).values()]


def page(rows: Iterable[Cells]) -> str:
    """The reference page."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    machine = f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.release()}"
    return (
        "# Performance\n\n"
        "Written by `make bench ARGS=--write`. Each figure is taken in one run, interleaved with its peer; read the\n"
        "ratios, the milliseconds belong to the machine.\n\n"
        f"{datetime.now(UTC):%Y-%m-%d}, {machine}, Python {platform.python_version()}.\n\n{table(rows)}\n"
    )


def _figure(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(
        prog="make bench", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of: {', '.join(found())}")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    parser.add_argument("--slurm", action="store_true", help="jobs end to end, too, beside Slurm where it is installed")
    options = parser.parse_args()
    names = options.names or found()
    if options.slurm:
        names += [] if "jobs" in names else ["jobs"]
        print(slurm.missing() or "Slurm is measured beside", file=sys.stderr)
    rows = [row for name in names for row in _measured(name)]
    shown = [cells(row) for row in rows]
    print(table(shown))
    if options.write:
        PAGE.write_text(page(merged(PAGE.read_text(), shown) if options.names else shown))
    return 0 if all(row.met for row in rows) else 1


def _measured(name: str) -> Iterator[Row]:
    """One benchmark. What fills the memory of its process has one of its own: starting programs from a large one takes
    longer, and that is what others measure.
    """
    print(f"measuring {name}", file=sys.stderr, flush=True)
    for row in _beside(name) if name in ALONE else measure(name):
        print("  " + "  ".join(cells(row)), file=sys.stderr, flush=True)
        yield row


def _beside(name: str) -> list[Row]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measure, name).result()


if __name__ == "__main__":
    sys.exit(main())
