"""The record of events, as its admin sees it."""

from ds01.cli.command import Group

GROUP = Group(
    summary="Verify that the record of events is as DS01 wrote it",
    idea="Every event carries a hash over itself and the hash before it, so an edit made around DS01 shows.",
    topics=("containers",),
    default="verify",
)
