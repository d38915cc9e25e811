"""What ``ds01 container remove`` takes and says."""

from ds01.cli.command import REASON, USER, Argument, Command, Step, flag
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Remove a container without looking into it",
    arguments=(Argument("name", "the container", complete="container"),),
    options=(flag("--force", "also when it is running: its programs are ended at once"), USER, REASON),
    examples=(
        ("ds01 remove exp-2", "remove a stopped container"),
        ("ds01 remove exp-2 --user bob", "an admin removes his"),
        ("ds01 remove exp-2 --force", "also a running one"),
        ("ds01 remove exp-2 --dry-run", "what would go and what would stay"),
        ("ds01 retire exp-2", "the careful way"),
    ),
    about="Removes the container and frees its GPU. Unlike 'ds01 retire' it does not look for packages or files that"
    " would be lost: everything in the container outside /workspace is gone. The image, the project file and the"
    " workspace stay. A running container is removed only with --force.",
    idea="Remove is the plain tool, retire the careful one: retire shows what would be lost and helps to keep it.",
    topics=("containers", "workspaces"),
    guide=(
        Step(
            "Remove deletes a container without looking into it; 'ds01 retire' would look first. Which one?",
            asks="name",
        ),
        Step("A running container is removed only when forced.", asks="--force"),
    ),
    prints="ContainerView",
    asks=True,
    changes=True,
    exits=(Exit.NOT_FOUND, Exit.NOT_ALLOWED),
    related=("retire", "stop", "list"),
)
