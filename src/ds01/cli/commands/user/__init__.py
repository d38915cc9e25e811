"""The user: her first day, her own settings."""

from ds01.cli.command import Group

GROUP = Group(
    summary="You: the first day",
    idea="You are known here by your account on the server; there is nothing to register and no password to set.",
    topics=("start",),
)
