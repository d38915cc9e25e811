"""What ``ds01 usage`` takes and says."""

from ds01.cli.command import Command, Option, Step, flag
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Show what you used: GPU and processor time, memory, energy",
    options=(
        Option("--since", "TIME", "from when on: 7d, or 2026-11-01T00:00", reads="moment", default="30 days ago"),
        Option(
            "--by", "WHAT", "one line for each", choices=("container", "project", "user", "day"), default="container"
        ),
        Option("--user", "LOGIN", "of somebody else; admins only"),
        flag("--all", "of everybody, with what is nobody's; admins only"),
    ),
    examples=(
        ("ds01 usage", "the last 30 days, by container"),
        ("ds01 usage --by project --since 7d", "the week, by project"),
        ("ds01 usage --by day", "day by day"),
        ("ds01 usage --json", "for programs"),
        ("ds01 usage --all --by user", "everybody, for admins"),
    ),
    about="RAN is the time containers ran. GPU is in hours of whole GPUs: a MIG instance counts its part. CPU is in"
    " hours of cores that were busy, MEMORY in gibibytes times hours. ENERGY is what the GPUs' own meters show, divided"
    " among MIG instances by what they did; CO2 is shown when the admin set the grid's intensity. With --all two lines"
    " are nobody's: (idle) is what GPUs drew that nobody had, (unattributed) what was drawn while ds01d was down; so"
    " the lines together are the meters. Days are UTC.",
    idea="What a run takes is easier to change when one sees it. ds01d keeps the account at every look; when it dies,"
    " a minute of it is lost at most.",
    topics=("gpus", "time"),
    guide=(Step("Usage tells what you used. By container, project or day?", asks="--by"),),
    prints="ConsumptionView",
    exits=(Exit.NOT_ALLOWED,),
    related=("status", "list", "limits"),
)
