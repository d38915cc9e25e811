"""What ``ds01 doctor`` takes and says."""

from ds01.cli.command import Command, Step, flag

COMMAND = Command(
    summary="Check whether the server is well",
    options=(
        flag("--report", "print a page for whoever helps you, without secrets and names"),
        flag("--fix", "mend what is yours, each thing said before it is done"),
    ),
    examples=(
        ("ds01 doctor", "every check"),
        ("ds01 doctor --quiet", "only what is wrong"),
        ("ds01 doctor --report > report.md", "for a mail to the admin, or an issue"),
        ("ds01 doctor --fix --dry-run", "what would be mended"),
        ("ds01 doctor --json", "for programs"),
    ),
    about="Asks ds01d to check itself, the Docker engine, the GPUs, the limits file, the disks and the doors that must"
    " be shut. Each check says what it found and, when something is wrong, what to do about it. Admins see more of the"
    " details. A warning does not change the exit code, a failed check makes it 1. --report is a page"
    " of versions, checks, your containers, limits and last events, and the project file you are in; tokens, keys,"
    " values of variables, other people's names and addresses are taken out, and it works without ds01d, too. The last"
    " checks look at what is yours alone: rights that keep ssh from letting you in or show a secret to others, and"
    " sockets that programs left behind. --fix mends what they find, and asks before each.",
    idea="When something is odd, ask the doctor before asking a person: it knows where to look, and says what it saw.",
    guide=(Step("The doctor checks the server and says what to do about what it finds."),),
    prints="DoctorView",
    asks=True,
    changes=True,
    related=("status", "events"),
)
