"""What ``ds01 admin door open`` takes and says."""

from ds01.cli.command import Argument, Command, Option, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Open the way past the gateway for yourself, with a reason",
    arguments=(Argument("reason", "what it is for; written down with every request", reads="line"),),
    options=(Option("--time", "TIME", "how long", reads="seconds", default="15m, at most 8h"),),
    examples=(
        ('ds01 admin door open "remove what the old system left"', "for a quarter of an hour"),
        ('ds01 admin door open "upgrade of the monitoring" --time 1h', "longer"),
        ('ds01 admin door open "a look at the old networks" -q', "only the line for your shell"),
        ('ds01 admin door open "test of the alarm" --json', "for programs"),
        ("ds01 admin door close", "when you are done"),
    ),
    about="Prints the address of a socket that is the engine itself for you, and for nobody else, until the time is"
    " over. Every request there is recorded with your reason. Root does not need it: root has the engine's own socket.",
    idea="An admin's daily work is on the usual socket, where she sees everything and what she makes is checked. The"
    " way past it is for what the rules did not foresee: short, deliberate, and on the record.",
    topics=("containers",),
    guide=(
        Step("Say in a few words what you will do. It is written down with every request.", asks="reason"),
        Step("It closes by itself. How long do you need?", asks="--time"),
    ),
    prints="GlassView",
    exits=(Exit.NOT_ALLOWED,),
    related=("admin door close", "admin door report", "events"),
)
