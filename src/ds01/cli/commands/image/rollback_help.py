"""What ``ds01 image rollback`` takes and says."""

from ds01.cli.command import Argument, Command, Step, flag
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Go back to an earlier build of a project's image",
    arguments=(
        Argument("name", "the project", required=False, complete="built", default="the one you are in"),
        Argument(
            "build",
            "the build, or how its name begins",
            required=False,
            reads="build",
            default="the one before the present",
        ),
    ),
    options=(flag("--keep-project-file", "leave the project file as it is"),),
    examples=(
        ("ds01 image rollback thesis", "to the build before"),
        ("ds01 image rollback thesis 20261126-091500", "to this one"),
        ("ds01 image rollback thesis --dry-run", "what would change"),
        ("ds01 image rollback thesis --keep-project-file", "the image only"),
        ("ds01 launch thesis --recreate", "then: a new container from it"),
    ),
    about="The project's name points to that build from then on, so new containers are made from it; nothing is built"
    " and no build goes. Containers that exist keep the image they were made from, and are named. An image knows what"
    " [image] said when it was built: that is shown, and written into the project file if you like, so that the next"
    " launch does not find the image behind. Requirements files are not put back: git can do that.",
    idea="Every build stays under its own name. Going back is moving one name, takes no time, and can be taken back the"
    " same way.",
    topics=("images",),
    guide=(
        Step("An earlier build becomes the project's image again. Which project?", asks="name"),
        Step("Which build? ds01 image history shows them. Nothing: the one before.", asks="build"),
        Step("The project file can go back with it, or stay.", asks="--keep-project-file"),
    ),
    prints="RollbackView",
    asks=True,
    changes=True,
    exits=(Exit.NOT_FOUND, Exit.NOT_ALLOWED),
    related=("image history", "image diff", "launch"),
)
