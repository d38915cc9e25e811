"""What ``ds01 container unpause`` takes and says."""

from ds01.cli.command import CONTAINER, REASON, USER, Command, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Let a paused container go on",
    arguments=(CONTAINER,),
    options=(USER, REASON),
    examples=(
        ("ds01 unpause thesis", "let it go on"),
        ("ds01 unpause", "that of the project you are in"),
        ("ds01 unpause thesis --dry-run", "what would happen"),
        ("ds01 unpause thesis --json", "for programs"),
        ("ds01 launch thesis", "let it go on and step in"),
    ),
    about="Its programs go on where they were frozen, with the memory and the GPU they had.",
    idea="Pausing and unpausing is invisible to the programs, apart from the clock.",
    topics=("containers",),
    guide=(Step("Unpause lets a frozen container go on. Which one?", asks="name"),),
    prints="ContainerView",
    changes=True,
    exits=(Exit.NOT_FOUND, Exit.NOT_ALLOWED),
    related=("pause", "attach"),
)
