"""What ``ds01 admin foreign`` takes and says."""

from ds01.cli.command import Command, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Show who works on a GPU outside DS01: who, what, since when",
    examples=(
        ("ds01 admin foreign", "all of them, now"),
        ("ds01 admin foreign --json", "for programs"),
        ("ds01 admin foreign --plain", "one fact a line"),
        ("ds01 gpus", "which GPUs that keeps from others"),
        ("ds01 events --type slot --all", "when it was noticed"),
    ),
    about="A line for each process on a GPU or MIG instance that is not in the container the slot is leased to:"
    " somebody logged in as root, a service of the machine, a container of another's. Programs that draw the screen do"
    " not count. FOR is how long it has run, IN the container of DS01 it is in, if any, LEASED TO whose the slot is.",
    idea="A GPU that somebody uses by another way is given to nobody. DS01 tells and never ends a process that is not"
    " its own: somebody may have a reason.",
    topics=("gpus",),
    guide=(Step("Processes outside DS01 are shown, none is ended."),),
    prints="list of ForeignView",
    exits=(Exit.NOT_ALLOWED,),
    related=("gpus", "doctor", "admin drain"),
)
