"""The limits file, as its admin sees it."""

from ds01.cli.command import Group

GROUP = Group(
    summary="Check a limits file before it is in force",
    idea="ds01d reads its limits file again whenever it changes. A mistake leaves the last good one in force; checking"
    " first is quicker.",
    topics=("limits",),
)
