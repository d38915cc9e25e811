"""What ``ds01 container undo`` takes and says."""

from ds01.cli.command import CONTAINER, REASON, USER, Command, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Start a container again that was stopped for idling or its runtime",
    arguments=(CONTAINER,),
    options=(USER, REASON),
    examples=(
        ("ds01 undo thesis", "run it again"),
        ("ds01 undo", "that of the project you are in"),
        ("ds01 undo thesis --dry-run", "what would happen"),
        ("ds01 undo thesis --json", "for programs"),
        ("ds01 why thesis", "why it was stopped"),
    ),
    about="The container is started with everything that was in it, apart from programs and memory. It gets the GPU"
    " that is still kept for it, or a free one; when there is none, nothing is started and the exit code is 3. One"
    " that its runtime limit stopped is warned again at once and has the warning time to finish, or to be extended.",
    idea="What DS01 stops by itself can be taken back: a stop is never a loss of files.",
    topics=("time", "containers"),
    guide=(Step("Undo starts a container again that DS01 stopped by itself. Which one?", asks="name"),),
    prints="StartResult",
    changes=True,
    exits=(Exit.NO_RESOURCE, Exit.NOT_FOUND, Exit.NOT_ALLOWED),
    related=("why", "keep", "extend", "start"),
)
