"""What ``ds01 image show`` takes and says."""

from ds01.cli.command import Argument, Command, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Show what an image is",
    arguments=(
        Argument(
            "name",
            "the project, or an image's whole name",
            required=False,
            complete="project",
            default="the project you are in",
        ),
    ),
    examples=(
        ("ds01 image show thesis", "a project's image"),
        ("ds01 image show", "that of the project you are in"),
        ("ds01 image show ds01-1001/thesis:20260131-101500", "one build of it"),
        ("ds01 image show thesis --json", "for programs"),
        ("ds01 project show thesis", "what the project file says"),
    ),
    about="Prints the image's names, when it was built, its size, the base it stands on, whether it is what the project"
    " file says now and, if not, why, and the containers that were made from it.",
    idea="An image is told by labels what it was made from: the hash of its recipe and the id of its base. Comparing"
    " them with the project file says whether it is behind.",
    topics=("images",),
    guide=(Step("Which image do you want to look at?", asks="name"),),
    prints="ImageView",
    exits=(Exit.NOT_FOUND,),
    related=("image list", "image create", "project show"),
)
