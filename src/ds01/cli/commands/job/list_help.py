"""What ``ds01 job list`` takes and says."""

from ds01.cli.command import Command, Option, Step, flag
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="List your jobs: what waits, runs and has ended",
    options=(
        flag("--tasks", "each task of an array in a line of its own", short="-t"),
        flag("--open", "only those that have not ended", short="-o"),
        Option("--limit", "N", "how many of the latest", short="-n", reads="count", default="20"),
        flag("--all", "of everybody, with names; admins only", short="-a"),
    ),
    examples=(
        ("ds01 runs", "your latest jobs"),
        ("ds01 runs --open", "what waits and runs"),
        ("ds01 runs --tasks", "with every task of an array"),
        ("ds01 runs --limit 200 --json", "for programs"),
        ("ds01 why thesis-17", "what became of one"),
    ),
    about="One line for each job, the latest last: how it is or how it ended, how long it ran, its GPUs, and its"
    " command. An array is one line with how many of its tasks are where; --tasks shows them all.",
    idea="Jobs go on without you. This is where you see what they did meanwhile.",
    topics=("jobs",),
    guide=(Step("The list shows your jobs, the latest last. Only those that have not ended?", asks="--open"),),
    prints="list of JobView",
    exits=(Exit.NOT_ALLOWED,),
    related=("job run", "job show", "why", "cancel"),
)
