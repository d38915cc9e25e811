"""What ``ds01 container logs`` takes and says."""

from ds01.cli.command import USER, Argument, Command, Option, Step, flag
from ds01.domain.errors import Exit

LOGGED = Argument(
    "name", "the job, or the container", required=False, complete="logged",
    default="the container of the project you are in, or your only one",
)  # fmt: skip

COMMAND = Command(
    summary="Show what a job, or a container's main program, wrote",
    arguments=(LOGGED,),
    options=(
        flag("--follow", "stay and show what comes", short="-f"),
        Option("--tail", "N", "only the last lines", short="-n", reads="lines", default="all"),
        Option("--since", "WHEN", "only later than this: 10m, 2h, or 2026-01-31T10:00", reads="moment"),
        flag("--timestamps", "each line with its time", short="-t"),
        USER,
    ),
    examples=(
        ("ds01 logs thesis", "all of it"),
        ("ds01 logs thesis --follow", "stay and watch"),
        ("ds01 logs thesis --tail 20", "the last 20 lines"),
        ("ds01 logs thesis-17 --follow", "a job, until it has ended; exits with its code"),
        ("ds01 logs thesis > log.txt", "into a file"),
    ),
    about="Of a job it shows what its command printed, from the workspace, also long after it ended; with --follow it"
    " stays until the job has ended, and exits with its code. Of a container it shows what the main program wrote"
    " to its output (on stdout here) and its errors (on stderr). A container of 'ds01 launch' has no main program"
    " of its own, so its log is short: what you start in a shell writes to that shell. Containers made with docker"
    " or compose usually have one. --since and --timestamps are for containers.",
    idea="A container's log goes with it; a job's stays in the workspace.",
    topics=("jobs", "containers"),
    guide=(
        Step("The log is what a job, or the main program of a container, wrote. Of which one?", asks="name"),
        Step("You can stay and watch what comes.", asks="--follow"),
    ),
    exits=(Exit.NOT_FOUND, Exit.NOT_ALLOWED),
    passes_code=True,
    related=("why", "events", "attach"),
)
