"""Containers: sessions of computing that come and go."""

from ds01.cli.command import Group

GROUP = Group(
    summary="Containers: start, enter, look at and end them",
    idea="A container is a session of computing. You start one when you work and retire it when you are done; what is"
    " in /workspace stays, everything else in it goes.",
    topics=("containers",),
)
