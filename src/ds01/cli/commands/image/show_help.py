"""What ``ds01 image show`` takes and says."""

from ds01.cli.command import Argument, Command, Step, flag
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Show what an image is",
    arguments=(
        Argument(
            "name",
            "the project, or an image's whole name",
            required=False,
            complete="built",
            default="the project you are in",
        ),
    ),
    options=(flag("--packages", "every package in it, one a line"),),
    examples=(
        ("ds01 image show thesis", "a project's image"),
        ("ds01 image show", "that of the project you are in"),
        ("ds01 image show thesis:20260131-101500", "one build of it"),
        ("ds01 image show thesis --packages", "with every package in it"),
        ("ds01 image show thesis --json", "for programs"),
    ),
    about="Prints the image's names, when it was built, what each of its layers takes, its base, whether it"
    " is what the project file says now and, if not, why, the containers that were made from it, and the packages that"
    " are in it, as its own Python and Debian list them.",
    idea="An image is told by labels what it was made from: the hash of its recipe and the id of its base. Comparing"
    " them with the project file says whether it is behind.",
    topics=("images",),
    guide=(
        Step("Which image do you want to look at?", asks="name"),
        Step("Every package in it can be listed.", asks="--packages"),
    ),
    prints="ImageContents",
    exits=(Exit.NOT_FOUND,),
    related=("image list", "image history", "image diff", "project show"),
)
