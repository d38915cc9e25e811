"""What ``ds01 limits`` takes and says."""

from ds01.cli.command import Command, Option, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="See how much you may use",
    options=(Option("--user", "LOGIN", "somebody else's, for admins"),),
    examples=(
        ("ds01 limits", "yours, with what you use of them"),
        ("ds01 limits explain gpus.max", "one of them, and where it comes from"),
        ("ds01 limits --json", "for programs"),
        ("ds01 limits --user anna", "as an admin: anna's"),
        ("ds01 limits --plain", "for a screen reader"),
    ),
    about="Every limit in force for you: its name, its value, and the line of the limits file that set it. 'no limit'"
    " means what it says. Limits come from built-in defaults, the file's defaults, your group, you by name, and the"
    " door a container came through; the later wins.",
    idea="Limits leave something for everybody. They are no secret: each says where it is from.",
    topics=("limits",),
    guide=(Step("Limits say how much you may hold at once, and for how long."),),
    prints="LimitsView",
    exits=(Exit.NOT_FOUND, Exit.NOT_ALLOWED),
    related=("limits explain", "status"),
)
