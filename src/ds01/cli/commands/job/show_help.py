"""What ``ds01 job show`` takes and says."""

from ds01.cli.command import USER, Argument, Command, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Show a job: what it ran, with what, where its log is, and how it ended",
    arguments=(Argument("name", "the job, or an array", complete="job"),),
    options=(USER,),
    examples=(
        ("ds01 job show thesis-17", "everything about it"),
        ("ds01 job show sweep", "all tasks of an array"),
        ("ds01 job show thesis-17 --json", "for programs"),
        ("ds01 logs thesis-17", "what it wrote"),
        ("ds01 why thesis-17", "what happened to it"),
    ),
    about="What a job was made from is fixed when it is submitted: the command, the image by its id, the folder, the"
    " variables, and the git commit the project's files were at (with + when they differed from it). With these its"
    " result can be made again. Times, GPUs, tries and the end are there too.",
    idea="An experiment counts when it can be repeated. What a job ran with is remembered, so you need not.",
    topics=("jobs",),
    guide=(Step("A job remembers all it was made from. Which one?", asks="name"),),
    prints="JobsView",
    exits=(Exit.NOT_FOUND, Exit.NOT_ALLOWED),
    related=("job list", "why", "container logs"),
)
