"""What ``ds01 cancel`` takes and says."""

from ds01.cli.command import Argument, Command, Option, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Give a job up, or a place in the queue",
    arguments=(Argument("name", "the job, the array, or what waits", complete="ending"),),
    options=(Option("--user", "LOGIN", "of this user; admins only"),),
    examples=(
        ("ds01 cancel thesis", "give its place up"),
        ("ds01 cancel thesis --dry-run", "what would happen"),
        ("ds01 cancel thesis --user bob", "an admin ends somebody's wait"),
        ("ds01 cancel sweep", "all tasks of an array that are left"),
        ("ds01 cancel thesis-17 --json", "for programs"),
    ),
    about="A job that waits ends at once. One that runs gets SIGTERM, the grace of your limits, then SIGKILL; what it"
    " wrote stays. Of an array all tasks go that have not ended. A launch that waits gives its place up, and GPUs that"
    " were kept for it go to the next one; who waits anew begins at the end. A container you work in is no matter of"
    " this: 'ds01 stop' and 'ds01 retire' end those. Prints JobsView for a job, PlaceView for a place.",
    idea="What you do not need any more keeps others waiting for nothing.",
    topics=("jobs", "queue"),
    guide=(Step("A job or a place in the queue can be given up at any time. Which one?", asks="name"),),
    prints="PlaceView",
    changes=True,
    exits=(Exit.NOT_FOUND, Exit.NOT_ALLOWED),
    related=("job list", "queue", "claim"),
)
