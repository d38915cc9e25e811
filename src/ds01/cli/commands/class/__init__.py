"""``ds01 class``: seats for everybody on a roster."""

from ds01.cli.command import Group

GROUP = Group(
    summary="Teach: seats for everybody on a roster, the same image for all",
    idea="No queue can serve thirty people who come within a minute. A class is a booking with one seat a person:"
    " its GPUs are kept, everybody launches with one short command, and when it is over what is left of it goes."
    " Workspaces stay.",
    topics=("teaching", "queue"),
    default="list",
)
