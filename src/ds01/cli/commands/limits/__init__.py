"""Limits: how much one may use, and where each value comes from."""

from ds01.cli.command import Group

GROUP = Group(
    summary="See how much you may use, and why",
    idea="Limits say how much of the server you may use at once and for how long, so that something is left for all.",
    topics=("limits",),
    default="show",
)
