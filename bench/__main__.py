"""Runs the benchmarks and prints one table; ``--write`` keeps it in docs/reference/performance.md.

make bench                       everything
make bench ARGS="cli ledger"     only these
make bench ARGS="--write"        and write the page
"""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import platform
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import bench
from bench.row import Row

PAGE = Path(__file__).resolve().parent.parent / "docs/reference/performance.md"
HEADINGS = ("path", "ours", "peer", "ratio", "budget", "kept")


def found() -> list[str]:
    """The names of all benchmarks."""
    return sorted(m.name for m in pkgutil.iter_modules(bench.__path__) if m.name not in ("__main__", "row", "stage"))


def cells(row: Row) -> tuple[str, ...]:
    """A row as the table shows it."""
    peer = f"{_figure(row.peer)} {row.unit} ({row.peer_name})" if row.peer is not None else "-"
    ratio = f"{row.ratio:.2f}" if row.ratio is not None else "-"
    return (row.path, f"{_figure(row.ours)} {row.unit}", peer, ratio, row.rule, "yes" if row.met else "NO")


def table(rows: Iterable[Row]) -> str:
    """The table, as Markdown that is also readable on a terminal."""
    lines = [HEADINGS, *(cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    shown = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    return "\n".join([shown[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *shown[1:]])


def page(rows: Iterable[Row]) -> str:
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
    options = parser.parse_args()
    rows: list[Row] = []
    for name in options.names or found():
        print(f"measuring {name}", file=sys.stderr, flush=True)
        for row in importlib.import_module(f"bench.{name}").measure():
            print("  " + "  ".join(cells(row)), file=sys.stderr, flush=True)
            rows.append(row)
    print(table(rows))
    if options.write:
        PAGE.write_text(page(rows))
    return 0 if all(row.met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
