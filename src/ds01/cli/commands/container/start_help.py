"""What ``ds01 container start`` takes and says."""

from ds01.cli.command import CONTAINER, REASON, USER, Command, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Start a stopped container",
    arguments=(CONTAINER,),
    options=(USER, REASON),
    examples=(
        ("ds01 start thesis", "start it and come back"),
        ("ds01 start", "that of the project you are in"),
        ("ds01 start thesis --dry-run", "what would happen"),
        ("ds01 start thesis --user bob", "an admin starts his"),
        ("ds01 launch thesis", "start it and step in"),
    ),
    about="Everything in the container is as it was when it stopped, apart from programs and memory. Its GPU is leased"
    " again: the same one if it is free or still kept, else another. Where another GPU means another set of devices,"
    " the container is made anew on its own files, and the answer says so. When no GPU is free nothing is started and"
    " the exit code is 3.",
    idea="Stopping keeps a container's files for a while, and its GPU for a shorter while. Starting takes it up again.",
    topics=("containers",),
    guide=(Step("Start takes a stopped container up again, with its files and a GPU as before.", asks="name"),),
    prints="StartResult",
    changes=True,
    exits=(Exit.NO_RESOURCE, Exit.NOT_FOUND, Exit.NOT_ALLOWED),
    related=("launch", "stop", "attach", "why"),
)
