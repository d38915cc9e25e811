"""Importing what an older system left behind."""

from ds01.cli.command import Group

GROUP = Group(
    summary="Take over what an older system left behind",
    idea="A lab that ran containers before has a limits file of another kind. Importing accounts for every key of it.",
    topics=("limits",),
)
