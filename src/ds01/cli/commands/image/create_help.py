"""What ``ds01 image create`` takes and says."""

from ds01.cli.command import Argument, Command, Step, flag
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Build a project's image from its project file",
    arguments=(Argument("name", "the project", required=False, complete="project", default="the one you are in"),),
    options=(
        flag("--no-cache", "build every step anew, also what was built before"),
        flag("--overwrite-dockerfile", "write the Dockerfile anew though it was edited; yours is kept beside it"),
    ),
    examples=(
        ("ds01 image create thesis", "build it, if it is not up to date"),
        ("ds01 image create", "that of the project you are in"),
        ("ds01 image create thesis --dry-run", "whether it would be built, and why"),
        ("ds01 image create thesis --no-cache", "from the ground up, with today's versions"),
        ("ds01 image create thesis --verbose", "with everything the build prints"),
    ),
    about="Writes the Dockerfile that the project file asks for and builds it as you, through the same door that docker"
    " uses. An image that is what the project file says is left alone. When a build fails, the step, its last lines and"
    " the likely cause are told, and the image of before stays. A Dockerfile that you edited is never overwritten"
    " unasked; one that is named under [image] in the project file is yours and is built as it is.",
    idea="Building turns the project file into an image. 'ds01 launch' does it by itself when there is no image yet and"
    " asks when it is behind, so this command is for those who want to build without launching.",
    topics=("images",),
    guide=(
        Step("Building turns the project file into an image. Which project?", asks="name"),
        Step("Steps that were built before are taken from there, quickly. Build them anew, too?", asks="--no-cache"),
        Step(
            "A Dockerfile that you edited is never overwritten unasked. Write it anew, and keep yours beside it?",
            asks="--overwrite-dockerfile",
        ),
    ),
    prints="BuildView",
    asks=True,
    changes=True,
    exits=(Exit.NO_RESOURCE, Exit.NOT_FOUND, Exit.NOT_ALLOWED),
    related=("image update", "image show", "launch"),
)
