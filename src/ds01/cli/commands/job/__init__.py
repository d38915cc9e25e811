"""Jobs: commands that run to their end by themselves."""

from ds01.cli.command import Group

GROUP = Group(
    summary="Jobs: commands that run to their end by themselves, through the queue",
    idea="A job is a command that needs nobody to watch it. It waits for its GPUs, runs in a container of its own,"
    " gives everything back at its end, and leaves its log and its exit code.",
    topics=("jobs",),
)
