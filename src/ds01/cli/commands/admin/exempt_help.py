"""What ``ds01 admin exempt`` takes and says."""

from ds01.cli.command import Argument, Command, Option, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Lift limits of a user until a time",
    arguments=(
        Argument("user", "the login", reads="login"),
        Argument("keys", "the limits: idle, runtime, container_hold, …", many=True, complete="limit"),
    ),
    options=(
        Option("--until", "TIME", "when it ends: 3d, or 2026-12-20T18:00", reads="later"),
        Option("--reason", "TEXT", "why; kept on record", reads="line"),
    ),
    examples=(
        ("ds01 admin exempt bob runtime --until 3d --reason 'thesis deadline'", "run without an end for three days"),
        ("ds01 admin exempt bob idle runtime --until 2026-12-20T18:00 --reason demo", "two limits, until a time"),
        ("ds01 admin exempt bob idle --until 12h --reason demo --dry-run", "what would happen"),
        ("ds01 admin exemptions", "what is in force"),
        ("ds01 limits explain idle --user bob", "what holds for bob now, and from where"),
    ),
    about="The limits named do not hold for the user until that time; every limit for which 'no limit' is a value can"
    " be lifted. It is in force at once, also for what runs, ends by itself, survives a restart of ds01d, and is"
    " recorded with your name and the reason. Exemptions can be written in the limits file as well.",
    idea="A limit is for the usual case. A deadline is not: lift it for one person for a while, and let it come back"
    " by itself.",
    topics=("limits",),
    guide=(
        Step("An exemption lifts limits of one user for a while. Whose?", asks="user"),
        Step("Which limits? For example: idle runtime", asks="keys"),
        Step("Until when?", asks="--until"),
        Step("Why? It is kept on record.", asks="--reason"),
    ),
    prints="ExemptionView",
    changes=True,
    exits=(Exit.NOT_FOUND, Exit.NOT_ALLOWED),
    related=("admin exemptions", "limits", "extend"),
)
