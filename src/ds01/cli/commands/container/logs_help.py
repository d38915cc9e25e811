"""What ``ds01 container logs`` takes and says."""

from ds01.cli.command import CONTAINER, Command, Option, Step, flag
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Show what a container's main program wrote",
    arguments=(CONTAINER,),
    options=(
        flag("--follow", "stay and show what comes", short="-f"),
        Option("--tail", "N", "only the last lines", short="-n", reads="lines", default="all"),
        Option("--since", "WHEN", "only later than this: 10m, 2h, or 2026-01-31T10:00", reads="moment"),
        flag("--timestamps", "each line with its time", short="-t"),
    ),
    examples=(
        ("ds01 logs thesis", "all of it"),
        ("ds01 logs thesis --follow", "stay and watch"),
        ("ds01 logs thesis --tail 20", "the last 20 lines"),
        ("ds01 logs thesis --since 1h", "of the last hour"),
        ("ds01 logs thesis > log.txt", "into a file"),
    ),
    about="Shows what the main program of the container wrote to its output (on stdout here) and its errors (on"
    " stderr). A container of 'ds01 launch' has no main program of its own, so its log is short: what you start in a"
    " shell writes to that shell. Containers made with docker or compose usually have one.",
    idea="A log belongs to the container and goes with it. Keep what matters in /workspace.",
    topics=("containers",),
    guide=(
        Step("The log is what the main program of a container wrote. Which container?", asks="name"),
        Step("You can stay and watch what comes.", asks="--follow"),
    ),
    exits=(Exit.NOT_FOUND,),
    related=("why", "events", "attach"),
)
