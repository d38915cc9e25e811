"""What ``ds01 admin history`` takes and says."""

from ds01.cli.command import Command, Option, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Print what everybody leased, as a trace for 'ds01 simulate'",
    options=(Option("--since", "TIME", "how long ago (90d) or from when", reads="moment", default="30d"),),
    examples=(
        ("ds01 admin history", "the last 30 days"),
        ("ds01 admin history --since 90d > term.csv", "a term, to a file"),
        ("ds01 admin history | ds01 simulate --trace - --gpus 8", "what the queue makes of it"),
        ("ds01 admin history | ds01 simulate --trace - --gpus 8 --limits new.yaml", "by other limits"),
        ("ds01 admin history --json", "for programs"),
    ),
    about="CSV with the heading of a trace. A job is a lease: submitted when its owner began to wait,"
    " as long as nobody else had the GPU, what was held for a stopped container included. asked_s is what the queue"
    " planned with. A lease that is open counts until now.",
    idea="What a change of the limits would have done to the last term is better known before it is in force.",
    topics=("limits",),
    guide=(Step("It prints everybody's leases, for the simulator.", asks="--since"),),
    prints="list of TraceJobView",
    exits=(Exit.NOT_ALLOWED,),
    related=("simulate", "limits", "events"),
)
