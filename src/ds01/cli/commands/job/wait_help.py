"""What ``ds01 job wait`` takes and says."""

from ds01.cli.command import Argument, Command, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Wait until a job has ended, and exit with its code",
    arguments=(Argument("name", "the job, or an array", complete="job"),),
    examples=(
        ("ds01 job wait thesis-17", "until it has ended"),
        ("ds01 job wait sweep", "until all its tasks have"),
        ("ds01 job wait thesis-17 --quiet", "only its exit code"),
        ("ds01 job wait thesis-17 --json", "and print how it ended"),
        ("ds01 logs thesis-17 --follow", "watch its log meanwhile"),
    ),
    about="The exit code is that of the job's command; 124 when its time was over, 137 out of memory, 130 when it was"
    " cancelled, else 1; of an array the largest. Ctrl-C ends the waiting, never the job. A ds01d that restarts is"
    " waited for.",
    idea="For scripts: submit much, wait for what the next step needs. Where the next step is a job itself,"
    " 'ds01 run' can make it come after this one, and nobody waits.",
    topics=("jobs",),
    guide=(Step("You can wait for a job to end. Which one?", asks="name"),),
    prints="JobsView",
    exits=(Exit.NOT_FOUND,),
    passes_code=True,
    related=("job run", "job list", "container logs"),
)
