"""What ``ds01 admin report`` takes and says."""

from ds01.cli.command import Command, Option, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Write the month: who used what, what nobody used, who waited",
    options=(
        Option("--month", "MONTH", "which one, as 2026-11", reads="month", default="the present one, so far"),
        Option("--format", "FORM", "Markdown, CSV, or a page", choices=("md", "csv", "html"), default="md"),
        Option("--to", "FILE", "write it there", complete="file"),
    ),
    examples=(
        ("ds01 admin report", "this month so far"),
        ("ds01 admin report --month 2026-11", "a month that is over"),
        ("ds01 admin report --month 2026-11 --format html --to november.html", "a page with charts, to send"),
        ("ds01 admin report --month 2026-11 --format csv --to november.csv", "for a spreadsheet"),
        ("ds01 admin report --json", "for programs"),
    ),
    about="GPU and CPU hours, memory, energy and CO2 by user and project, by day; how long people waited for GPUs, and"
    " what they were told. Energy is what the GPUs' own meters show: what nobody had is the line (idle), what was drawn"
    " while ds01d was down (unattributed), and all lines together are the meters. The page is one file that needs"
    " nothing else. The CSV has a line for each project and no sum. Days are UTC.",
    idea="Whoever pays for a server wants to know what it was used for, and whoever runs it what stood idle.",
    topics=("gpus",),
    guide=(Step("Which month? As 2026-11; empty is the present one.", asks="--month"),
           Step("As Markdown, CSV or a page?", asks="--format")),
    prints="ReportView",
    changes=True,
    exits=(Exit.NOT_ALLOWED,),
    related=("usage", "admin history", "admin metrics"),
)  # fmt: skip
