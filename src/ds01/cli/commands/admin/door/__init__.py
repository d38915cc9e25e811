"""The gateway, as its admin sees it."""

from ds01.cli.command import Group

GROUP = Group(
    summary="Go past the gateway for a while, and see what it would refuse",
    idea="Admins use the same socket as everybody, see everything on it and act on it; what they create is policed like"
    " all. Past it leads a way of its own, opened for a while, with a reason that is written down.",
    topics=("containers",),
)
