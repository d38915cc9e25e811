"""What ``ds01 image history`` takes and says."""

from ds01.cli.command import Argument, Command, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="List the builds of a project's image",
    arguments=(Argument("name", "the project", required=False, complete="built", default="the one you are in"),),
    examples=(
        ("ds01 image history thesis", "every build that is still here"),
        ("ds01 image history", "of the project you are in"),
        ("ds01 image history thesis --json", "for programs"),
        ("ds01 image diff thesis", "what the last build changed"),
        ("ds01 image rollback thesis", "go back to the build before"),
    ),
    about="One line for each build, the newest first: its name, when it was built, its size, whether the project's name"
    " points to it (current), and the containers that were made from it. Sizes count shared layers more than once. A"
    " build goes with: ds01 image delete PROJECT:BUILD.",
    idea="Every build keeps a name of its own, the time it was begun. 'latest' is the one that new containers are made"
    " from; rebuilding moves that name, and the earlier builds stay until you delete them.",
    topics=("images",),
    guide=(Step("Which project's builds do you want to see?", asks="name"),),
    prints="list of ImageView",
    exits=(Exit.NOT_FOUND,),
    related=("image diff", "image rollback", "image show", "image delete"),
)
