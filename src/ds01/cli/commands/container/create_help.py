"""What ``ds01 container create`` takes and says."""

from ds01.cli.command import Command, Step, flag
from ds01.cli.commands.container.launch_help import HAS, NAME
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Create a container without starting it",
    arguments=(NAME,),
    options=(*HAS, flag("--no-build", "use the image there is, even if it is behind the project file")),
    examples=(
        ("ds01 create thesis", "create it from the project's image"),
        ("ds01 create thesis --name exp-2", "a second one of the same project"),
        ("ds01 create thesis --data /data/imagenet", "with shared data at /data"),
        ("ds01 create thesis --dry-run", "what would happen"),
        ("ds01 start thesis", "start it later"),
    ),
    about="The first half of 'ds01 launch': the image is built if it is missing, the container is created with all it"
    " will have, and left there. No GPU is leased before it starts. One that is never started is removed after a"
    " while.",
    idea="Usually you launch. Creating alone is for scripts that prepare something to be started later.",
    topics=("containers",),
    guide=(
        Step("Create makes a container and leaves it there; launch would start it too. Which project?", asks="project"),
    ),
    prints="ContainerView",
    asks=True,
    changes=True,
    exits=(Exit.NO_RESOURCE, Exit.NOT_FOUND, Exit.NOT_ALLOWED),
    related=("launch", "start", "remove"),
)
