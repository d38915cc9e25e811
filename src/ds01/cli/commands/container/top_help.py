"""What ``ds01 container top`` takes and says."""

from ds01.cli.command import CONTAINER, USER, Command, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="List the programs running in a container",
    arguments=(CONTAINER,),
    options=(USER,),
    examples=(
        ("ds01 container top thesis", "its programs"),
        ("ds01 container top", "those of the project you are in"),
        ("ds01 container top thesis --json", "for programs"),
        ("ds01 container top thesis --plain", "for a screen reader"),
        ("ds01 stats thesis", "how much they use together"),
    ),
    about="One line for each process, as 'ps' shows it: the numbers are those of the server, not of the container.",
    idea="Leaving a shell does not end what you started in it. Top shows what still runs, also behind your back.",
    topics=("containers",),
    guide=(Step("Top lists what runs in a container. Which one?", asks="name"),),
    prints="Processes",
    exits=(Exit.NOT_FOUND, Exit.NOT_ALLOWED),
    related=("stats", "exec", "stop"),
)
