"""The month as CSV: one line for each project of each user, plain figures, nobody's energy among them, no sum."""

from __future__ import annotations

import csv
import io

from ds01.wire.report import ReportView

FIGURES = ("running_hours", "gpu_hours", "gpueq_hours", "cpu_hours", "memory_gib_hours", "energy_wh", "co2_g")
HEADING = ("month", "user", "project", *FIGURES)
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def sheet(report: ReportView) -> str:
    """The whole table."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(HEADING)
    for line in report.projects:
        figures = ("" if (value := getattr(line, name)) is None else value for name in FIGURES)
        lines.writerow([report.month, _word(line.user), _word(line.project), *figures])
    return text.getvalue()


def _word(text: str) -> str:
    """A spreadsheet takes what begins like a formula for one; a quote in front makes it a word."""
    return f"'{text}" if text.startswith(FORMULA) else text
