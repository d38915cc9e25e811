"""What ``ds01 container pause`` takes and says."""

from ds01.cli.command import CONTAINER, REASON, USER, Command, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Freeze a container where it is",
    arguments=(CONTAINER,),
    options=(USER, REASON),
    examples=(
        ("ds01 pause thesis", "freeze it"),
        ("ds01 pause", "that of the project you are in"),
        ("ds01 pause thesis --dry-run", "what would happen"),
        ("ds01 pause thesis --json", "for programs"),
        ("ds01 unpause thesis", "let it go on"),
    ),
    about="The programs of a paused container stand still: they use no CPU, and keep their memory and their GPU. A"
    " container that is paused with a GPU for longer than your idle limit will be stopped after a warning.",
    idea="Pause is for minutes: to look at something in peace, or to let another of your containers have the CPU. It"
    " frees neither memory nor GPU; for that, stop or retire it.",
    topics=("containers",),
    guide=(Step("Pause freezes a container; it keeps its memory and GPU. Which one?", asks="name"),),
    prints="ContainerView",
    changes=True,
    exits=(Exit.NOT_FOUND, Exit.NOT_ALLOWED),
    related=("unpause", "stop"),
)
