"""What ``ds01 doctor`` takes and says."""

from ds01.cli.command import Command, Step

COMMAND = Command(
    summary="Check whether the server is well",
    examples=(
        ("ds01 doctor", "every check"),
        ("ds01 doctor --json", "for programs"),
        ("ds01 doctor --quiet", "only what is wrong"),
        ("ds01 doctor --plain", "for a screen reader"),
        ("ds01 doctor --quiet --color never", "for a mail to the admin"),
    ),
    about="Asks ds01d to check itself, the Docker engine, the GPUs, the limits file, the disks and the doors that must"
    " be shut. Each check says what it found and, when something is wrong, what to do about it. Admins see more of the"
    " details. A warning does not change the exit code, a failed check makes it 1.",
    idea="When something is odd, ask the doctor before asking a person: it knows where to look, and says what it saw.",
    guide=(Step("The doctor checks the server and says what to do about what it finds."),),
    prints="DoctorView",
    related=("status", "events"),
)
