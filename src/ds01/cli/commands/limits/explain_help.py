"""What ``ds01 limits explain`` takes and says."""

from ds01.cli.command import Argument, Command, Option, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Explain one limit: what it limits, its value, where it comes from",
    arguments=(Argument("key", "the limit, for example gpus.max", complete="limit"),),
    options=(Option("--user", "LOGIN", "somebody else's, for admins"),),
    examples=(
        ("ds01 limits explain gpus.max", "how many GPUs at once"),
        ("ds01 limits explain idle", "how long a GPU may idle"),
        ("ds01 limits explain container_hold", "how long a stopped container stays"),
        ("ds01 limits explain memory --json", "for programs"),
        ("ds01 limits explain runtime --user anna", "as an admin: anna's"),
    ),
    about="Prints what the limit means, the value in force for you, and the file and line that set it.",
    idea="Every value comes from exactly one line of the admin's file, or from the built-in defaults. Ask for the line"
    " before asking for an exception.",
    topics=("limits",),
    guide=(Step("Each limit has a name, as 'ds01 limits' lists them. Which one?", asks="key"),),
    prints="LimitView",
    exits=(Exit.NOT_FOUND, Exit.NOT_ALLOWED),
    related=("limits",),
)
