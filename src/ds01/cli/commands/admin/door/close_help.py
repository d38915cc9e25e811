"""What ``ds01 admin door close`` takes and says."""

from ds01.cli.command import Command, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Close the way past the gateway before its time",
    examples=(
        ("ds01 admin door close", "close mine"),
        ("ds01 admin door close --json", "for programs"),
        ("ds01 admin door close --quiet", "say nothing"),
        ("ds01 status", "says whether one is open"),
        ("ds01 events --all --type door.glass", "what was done on it"),
    ),
    about="Requests on the admin's socket are refused from then on. A stream that is open, such as a terminal, goes on"
    " until it ends.",
    idea="What is open only as long as it is needed is not forgotten open.",
    topics=("containers",),
    guide=(Step("This closes the way past the gateway that you opened."),),
    prints="GlassView",
    exits=(Exit.NOT_ALLOWED,),
    related=("admin door open", "status"),
)
