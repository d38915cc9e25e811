"""What ``ds01 image delete`` takes and says."""

from ds01.cli.command import Argument, Command, Step, flag
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Delete an image; its recipe and your files stay",
    arguments=(Argument("name", "the project, or PROJECT:BUILD", complete="image"),),
    options=(flag("--older", "only earlier builds, and of those only what no container uses"),),
    examples=(
        ("ds01 image delete thesis", "a project's image with all its builds"),
        ("ds01 image delete thesis:20260131-101500", "one build"),
        ("ds01 image delete thesis --older", "earlier builds that nothing uses any more"),
        ("ds01 image delete thesis --dry-run", "what would go and what would stay"),
        ("ds01 image list --all", "what there is"),
    ),
    about="Deletes the image of a project with all its builds, or one build when it is named, or with --older the"
    " earlier ones that no container uses. The project folder stays as it is: the project file, the Dockerfile and"
    " every file of the workspace; 'ds01 launch' builds the image again. An image that containers still need is not"
    " deleted, and the containers are named.",
    idea="An image can always be made again from its project file, so deleting one frees space and loses nothing but"
    " the time of a build, and the versions of that day where the project file leaves them open.",
    topics=("images",),
    guide=(
        Step("Deleting an image frees its space; the project and its files stay. Which one?", asks="name"),
        Step("Only its earlier builds can go, too.", asks="--older"),
    ),
    prints="RemovedImage",
    asks=True,
    changes=True,
    exits=(Exit.NOT_FOUND,),
    related=("image list", "retire", "image create"),
)
