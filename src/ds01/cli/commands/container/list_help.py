"""What ``ds01 list`` takes and says."""

from ds01.cli.command import USER, Command, Option, Step, flag
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="List your containers",
    options=(
        flag("--all", "all there are: removed ones too, and for admins everybody's", short="-a"),
        Option("--limit", "N", "with --all: the latest so many", short="-n", reads="count", default="20 on a screen"),
        flag("--everybody", "those of everybody; admins only", short="-e"),
        USER,
        flag("--watch", "keep it on the screen, renewed every 2 seconds", short="-w"),
    ),
    examples=(
        ("ds01 list", "your containers"),
        ("ds01 list --all", "those already removed as well"),
        ("ds01 list --watch", "stay and watch"),
        ("ds01 list --everybody", "what everybody has, for admins"),
        ("ds01 list --plain", "one fact a line, for a screen reader"),
    ),
    about="One line for each container: its name, its state and why it stopped, the GPUs it holds and how busy they"
    " are, its memory, and how long it may still idle and run. 'stale' means that the project's image has moved on"
    " since the container was made; 'ds01 launch' can replace it. Columns that would be empty are left out, and"
    " on a narrow screen every container becomes a paragraph. A container made with docker is listed too, with the"
    " door it came through. Removed ones are left out, of everybody's too, unless --all asks for them: then the list"
    " says when and why each ended, the newest last.",
    idea="A container is one of your sessions. Running ones use memory and perhaps a GPU; stopped ones only wait, for a"
    " while, to be started again. The list is yours alone: nobody sees anybody else's.",
    topics=("containers",),
    guide=(Step("The list shows your containers, running and stopped. Removed ones can be shown too.", asks="--all"),),
    prints="list of ContainerView",
    exits=(Exit.NOT_FOUND, Exit.NOT_ALLOWED),
    related=("status", "why", "launch", "retire"),
)
