"""What ``ds01 why`` takes and says."""

from ds01.cli.command import CONTAINER, USER, Command, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Tell what happened to a container or a job, or why it waits",
    arguments=(CONTAINER,),
    options=(USER,),
    examples=(
        ("ds01 why thesis", "its story, the last stop explained"),
        ("ds01 why", "of the project you are in"),
        ("ds01 why thesis --user bob", "an admin reads his"),
        ("ds01 why thesis-17", "of a job, or of what waits for a GPU"),
        ("ds01 events --since 1h", "everything that happened lately"),
    ),
    about="The first lines say how the container is and why; then comes its story, oldest first: created, started, GPU"
    " leased, stopped and by whom or what, GPU given back, removed. It works for containers that are gone, too.",
    idea="Nothing on this server stops without a recorded reason: you stopped it, it ended by itself, it ran out of"
    " memory, it was idle, its time was over, an admin or a restart of the server stopped it. Why tells which.",
    topics=("containers",),
    guide=(Step("Every stop has a recorded reason. Name the container you wonder about.", asks="name"),),
    prints="WhyView",
    exits=(Exit.NOT_FOUND, Exit.NOT_ALLOWED),
    related=("events", "list", "logs"),
)
