"""What ``ds01 container extend`` takes and says."""

from ds01.cli.command import CONTAINER, REASON, USER, Argument, Command, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Let a container run longer than its runtime limit",
    arguments=(CONTAINER, Argument("by", "how much longer (4h, 90m)", required=False, reads="seconds")),
    options=(USER, REASON),
    examples=(
        ("ds01 extend thesis 4h", "four hours more"),
        ("ds01 extend thesis 90m", "an hour and a half more"),
        ("ds01 extend thesis 4h --dry-run", "what would happen"),
        ("ds01 extend thesis 4h --json", "for programs"),
        ("ds01 limits explain runtime", "how long a container may run in the first place"),
    ),
    about="A container with a GPU (any, where runtime_without_gpu says so) is stopped when its running time, over"
    " restarts too, reaches your runtime limit or the time you launched it for. This adds to that time. How"
    " much can be added to one container in all is the server's policy; the answer says what is left. It is"
    " recorded, and it changes nothing about idling: for that there is ds01 keep.",
    idea="Limits of time give everybody a turn. A run that needs a little more should not be lost to them, so you can"
    " add some time yourself; whoever needs much more asks an admin for an exemption.",
    topics=("time", "containers"),
    guide=(
        Step("A container's running time can be extended a little. Which container?", asks="name"),
        Step("How much longer is it to run?", asks="by"),
    ),
    prints="ExtendView",
    changes=True,
    exits=(Exit.NO_RESOURCE, Exit.NOT_FOUND, Exit.NOT_ALLOWED),
    related=("keep", "undo", "why", "limits"),
)
